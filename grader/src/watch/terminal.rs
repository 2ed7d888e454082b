//! The terminal as the watch uses it: single keys, a page of its own, and everything as it was afterwards.

use std::io::{self, Write};
use std::panic;
use std::sync::{Mutex, PoisonError};

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

/// How the terminal was before; none while it is as it was.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

/// See ctlseqs(ms), "Alternate Screen Buffer" and DECTCEM.
const ENTER: &str = "\x1b[?1049h\x1b[?25l";
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";

/// A terminal that shows a page; dropped, it is as it was before, and so it is when the program panics.
pub(super) struct Terminal(());

/// How many columns and rows there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) columns: usize,
    pub(super) rows: usize,
}

impl Terminal {
    /// Takes keys one at a time and unseen, and turns to a page of its own.
    pub(super) fn enter() -> io::Result<Terminal> {
        let before = tcgetattr(io::stdin())?;
        let mut raw = before.clone();
        raw.make_raw();
        *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = Some(before);
        let terminal = Terminal(());
        let report = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            // The text of a panic belongs on the page that stays.
            leave();
            report(info);
        }));
        tcsetattr(io::stdin(), OptionalActions::Now, &raw)?;
        write(ENTER)?;
        Ok(terminal)
    }

    /// Shows rows from the top on and nothing else.
    pub(super) fn draw(&self, rows: &[String]) -> io::Result<()> {
        // At once, so that nothing flickers: home, then each row and the end of its line, then all below.
        write(&format!("\x1b[H{}\x1b[K\x1b[J", rows.join("\x1b[K\r\n")))
    }

    pub(super) fn size(&self) -> Size {
        const USUAL: Size = Size { columns: 80, rows: 24 };
        tcgetwinsize(io::stdout()).map_or(USUAL, |size| match (size.ws_col, size.ws_row) {
            (0, _) | (_, 0) => USUAL,
            (columns, rows) => Size { columns: columns.into(), rows: rows.into() },
        })
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        leave();
    }
}

/// Makes the terminal what it was, unless it is.
fn leave() {
    let before = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(before) = before {
        // A terminal that has gone needs nothing.
        let _ = write(LEAVE);
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &before);
    }
}

fn write(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// What a learner wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Next,
    Previous,
    Hint,
    List,
    Show,
    Rerun,
    Quit,
    Interrupt,
    Up,
    Down,
    PageUp,
    PageDown,
}

/// The keys among what a terminal sent; what means nothing is left out.
pub(super) fn keys(sent: &[u8]) -> Vec<Key> {
    let mut keys = Vec::new();
    let mut rest = sent;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        keys.extend(match first.to_ascii_lowercase() {
            b'n' => Some(Key::Next),
            b'p' => Some(Key::Previous),
            b'h' => Some(Key::Hint),
            b'l' => Some(Key::List),
            b's' => Some(Key::Show),
            b'r' => Some(Key::Rerun),
            b'q' => Some(Key::Quit),
            b'k' => Some(Key::Up),
            b'j' => Some(Key::Down),
            b' ' => Some(Key::PageDown),
            b'b' => Some(Key::PageUp),
            0x03 => Some(Key::Interrupt),
            0x1b => {
                let (key, after) = sequence(after);
                rest = after;
                key
            }
            _ => None,
        });
    }
    keys
}

/// The key that an escape sequence stands for, and what comes behind it; see ECMA-48, "Control sequences".
fn sequence(rest: &[u8]) -> (Option<Key>, &[u8]) {
    let Some(inside) = rest.strip_prefix(b"[").or_else(|| rest.strip_prefix(b"O")) else {
        return (None, rest);
    };
    let end = inside.iter().position(|byte| (0x40..=0x7e).contains(byte));
    let (sequence, after) = inside.split_at(end.map_or(inside.len(), |end| end + 1));
    let key = match sequence {
        b"A" => Some(Key::Up),
        b"B" => Some(Key::Down),
        b"5~" => Some(Key::PageUp),
        b"6~" => Some(Key::PageDown),
        _ => None,
    };
    (key, after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_from_sequences() {
        assert_eq!(keys(b"nQ\n"), [Key::Next, Key::Quit]);
        assert_eq!(keys(b"\x1b[A\x1bOB\x1b[6~q"), [Key::Up, Key::Down, Key::PageDown, Key::Quit]);
        // An unknown sequence does nothing, whatever letters are in it.
        assert_eq!(keys(b"\x1b[1;5Hx\x1b[200~\x03"), [Key::Interrupt]);
        assert_eq!(keys(b"\x1b"), []);
        assert_eq!(keys(b"\x1b[12"), []);
    }
}
