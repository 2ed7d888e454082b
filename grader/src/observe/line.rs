//! Bytes to lines.

use std::time::Duration;

use crate::model::{Line, Stream};

/// Puts one writer's bytes of one stream together to lines.
///
/// A line ends at a newline, and a carriage return before it is dropped; what follows the last newline is a line
/// too, unless it is nothing.
/// No byte is looked at twice, however long a line grows.
#[derive(Debug)]
pub(super) struct LineAssembler {
    stream: Stream,
    writer: Option<u32>,
    partial: Vec<u8>,
    /// When the first byte of the partial line came.
    begun: Duration,
    /// When the last byte of the partial line came.
    touched: Duration,
}

impl LineAssembler {
    pub(super) fn new(stream: Stream, writer: Option<u32>) -> Self {
        LineAssembler { stream, writer, partial: Vec::new(), begun: Duration::ZERO, touched: Duration::ZERO }
    }

    /// Takes what was written at the moment `at` and adds the lines that it completes.
    pub(super) fn push(&mut self, bytes: &[u8], at: Duration, lines: &mut Vec<Line>) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.touched = at;
            if self.partial.is_empty() {
                self.begun = at;
            }
            match piece.strip_suffix(b"\n") {
                None => self.partial.extend_from_slice(piece),
                Some(end) if self.partial.is_empty() => lines.push(self.line(end)),
                Some(end) => {
                    let mut whole = std::mem::take(&mut self.partial);
                    whole.extend_from_slice(end);
                    lines.push(self.line(&whole));
                }
            }
        }
    }

    /// The last line, if it had no newline.
    pub(super) fn finish(mut self) -> Option<Line> {
        let rest = std::mem::take(&mut self.partial);
        (!rest.is_empty()).then(|| self.line(&rest))
    }

    fn line(&self, bytes: &[u8]) -> Line {
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        let text = String::from_utf8_lossy(bytes);
        let invalid_utf8 = matches!(text, std::borrow::Cow::Owned(_));
        Line {
            text: text.into_owned(),
            invalid_utf8,
            stream: self.stream,
            writer: self.writer,
            begun: self.begun,
            at: self.touched,
            torn: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines(chunks: &[&[u8]]) -> Vec<Line> {
        let mut assembler = LineAssembler::new(Stream::Stdout, None);
        let mut lines = Vec::new();
        for (number, chunk) in chunks.iter().enumerate() {
            assembler.push(chunk, Duration::from_millis(number as u64), &mut lines);
        }
        lines.extend(assembler.finish());
        lines
    }

    fn texts(chunks: &[&[u8]]) -> Vec<String> {
        lines(chunks).into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn a_line_ends_at_a_newline_and_loses_a_carriage_return_before_it() {
        assert_eq!(texts(&[b"one\r\ntwo\n\nthr", b"ee\r\r\n"]), ["one", "two", "", "three\r"]);
    }

    #[test]
    fn a_carriage_return_apart_from_its_newline_is_dropped_too() {
        assert_eq!(texts(&[b"one\r", b"\ntwo"]), ["one", "two"]);
    }

    #[test]
    fn a_last_line_without_a_newline_counts() {
        assert_eq!(texts(&[b"one\n", b"tw", b"o"]), ["one", "two"]);
        assert!(texts(&[]).is_empty());
    }

    #[test]
    fn a_line_is_complete_when_its_last_byte_came() {
        let at: Vec<u128> = lines(&[b"a", b"b\nc", b"d"]).iter().map(|line| line.at.as_millis()).collect();
        assert_eq!(at, [1, 2]);
    }

    #[test]
    fn bytes_that_are_no_utf_8_are_replaced_and_noted() {
        let lines = lines(&[b"caf\xe9\nna\xc3", b"\xafve\n\0\x1b\n"]);
        assert_eq!(lines[0].text, "caf\u{fffd}");
        assert!(lines[0].invalid_utf8);
        assert_eq!((lines[1].text.as_str(), lines[1].invalid_utf8), ("naïve", false));
        assert_eq!((lines[2].text.as_str(), lines[2].invalid_utf8), ("\0\u{1b}", false));
    }

    proptest! {
        #[test]
        fn where_the_bytes_are_cut_does_not_matter(bytes in proptest::collection::vec(0_u8..16, 0..60), cut in 0_usize..60) {
            // Few values, so that newlines (10) and carriage returns (13) are frequent.
            let (head, tail) = bytes.split_at(cut.min(bytes.len()));
            prop_assert_eq!(texts(&[head, tail]), texts(&[&bytes]));
        }
    }
}
