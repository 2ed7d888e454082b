//! A question's text for the terminal: Markdown, wrapped and indented.
//!
//! Code keeps its backticks, so that it is told from prose where nobody sees colours.
//! What has no form here (tables, HTML) is written as it stands in the file.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Parser, Tag, TagEnd};

use super::layout::wrapped;

const HEADING: Style = Style::new().bold();
const SUBHEADING: Style = Style::new().underline();
const CODE: Style = AnsiColor::Cyan.on_default();
const DIM: Style = Style::new().dimmed();

/// Lines are not wrapped narrower than this.
const NARROWEST: usize = 20;

/// Writes a Markdown text for a terminal of so many columns, each line behind `indent` spaces.
///
/// # Errors
/// Those of `out`.
pub fn write(text: &str, indent: usize, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(indent, width);
    for event in Parser::new(text) {
        page.take(event);
    }
    page.end_block();
    page.lines.iter().try_for_each(|line| writeln!(out, "{}", line.trim_end()))
}

/// What was laid out so far, and where in the text that was.
struct Page {
    width: usize,
    lines: Vec<String>,
    /// What stands before a line, one part for each list and quotation around it.
    margins: Vec<Margin>,
    /// The lists around this place: the number of the next item, if they are numbered.
    lists: Vec<Option<u64>>,
    /// The styles around this place.
    styles: Vec<Style>,
    /// The words of the block that is being read, each with its style.
    block: String,
    /// Where the links around this place lead.
    links: Vec<String>,
    in_code: bool,
    /// Whether the next block is set apart from what stands above it.
    apart: bool,
}

struct Margin {
    first: String,
    rest: String,
}

impl Margin {
    fn same(text: &str) -> Margin {
        Margin { first: text.to_owned(), rest: text.to_owned() }
    }
}

impl Page {
    fn new(indent: usize, width: usize) -> Page {
        Page {
            width,
            lines: Vec::new(),
            margins: vec![Margin::same(&" ".repeat(indent))],
            lists: Vec::new(),
            styles: Vec::new(),
            block: String::new(),
            links: Vec::new(),
            in_code: false,
            apart: false,
        }
    }

    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => self.text(&text),
            Event::Code(code) => {
                let style = self.style();
                self.styled(&format!("`{code}`"), if style == Style::new() { CODE } else { style });
            }
            Event::SoftBreak => self.block.push(' '),
            Event::HardBreak => self.block.push('\n'),
            Event::Rule => {
                self.begin_block();
                self.line(&format!("{DIM}───{DIM:#}"));
            }
            Event::FootnoteReference(_)
            | Event::TaskListMarker(_)
            | Event::InlineMath(_)
            | Event::DisplayMath(_) => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Heading { level, .. } => {
                self.end_block();
                self.styles.push(if level == HeadingLevel::H1 { HEADING } else { SUBHEADING });
            }
            Tag::BlockQuote(_) => {
                self.end_block();
                self.margins.push(Margin::same("│ "));
            }
            Tag::CodeBlock(kind) => {
                self.end_block();
                self.in_code = true;
                // A command to type is told from a program's text.
                let is_command =
                    matches!(&kind, CodeBlockKind::Fenced(name) if matches!(&**name, "sh" | "console"));
                self.margins.push(Margin::same(if is_command { "  $ " } else { "    " }));
            }
            Tag::List(first) => {
                self.end_block();
                // A list inside of an item stands close to it.
                self.apart &= self.lists.is_empty();
                self.lists.push(first);
            }
            Tag::Item => {
                self.end_block();
                let first = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number += 1;
                        format!("{}. ", *number - 1)
                    }
                    _ => "- ".to_owned(),
                };
                let rest = " ".repeat(first.len());
                self.margins.push(Margin { first, rest });
            }
            Tag::Emphasis => self.styles.push(self.style().italic()),
            Tag::Strong => self.styles.push(self.style().bold()),
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                self.links.push(dest_url.into_string());
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph | TagEnd::HtmlBlock => self.end_block(),
            TagEnd::Heading(_) => {
                self.end_block();
                self.styles.pop();
            }
            TagEnd::CodeBlock => {
                self.begin_block();
                self.in_code = false;
                let code = std::mem::take(&mut self.block);
                for line in code.lines() {
                    let style = if line.is_empty() { Style::new() } else { CODE };
                    self.line(&format!("{style}{line}{style:#}"));
                }
                self.margins.pop();
                self.apart = true;
            }
            TagEnd::List(_) => {
                self.end_block();
                self.lists.pop();
                self.apart = true;
            }
            TagEnd::Item => {
                self.end_block();
                self.margins.pop();
                // The items of a list stand close.
                self.apart = false;
            }
            TagEnd::BlockQuote(_) => {
                self.end_block();
                self.margins.pop();
            }
            TagEnd::Emphasis | TagEnd::Strong => {
                self.styles.pop();
            }
            TagEnd::Link | TagEnd::Image => {
                let link = self.links.pop().unwrap_or_default();
                if !self.block.ends_with(&link) {
                    self.styled(&format!(" ({link})"), DIM);
                }
            }
            _ => {}
        }
    }

    fn style(&self) -> Style {
        self.styles.last().copied().unwrap_or_default()
    }

    fn text(&mut self, text: &str) {
        if self.in_code {
            self.block.push_str(text);
        } else {
            self.styled(text, self.style());
        }
    }

    /// Adds a text to the block; each word has its style for itself, as a line may end behind it.
    fn styled(&mut self, text: &str, style: Style) {
        for (number, word) in text.split(' ').enumerate() {
            if number > 0 {
                self.block.push(' ');
            }
            if !word.is_empty() {
                self.block.push_str(&format!("{style}{word}{style:#}"));
            }
        }
    }

    /// Sets a block apart from the one above.
    fn begin_block(&mut self) {
        if std::mem::take(&mut self.apart) {
            let margin: String = self.margins.iter().map(|margin| margin.rest.as_str()).collect();
            // What stands in the margin goes on between two blocks of a quotation alone.
            self.lines.push(if margin.contains('│') { margin } else { String::new() });
        }
    }

    fn end_block(&mut self) {
        let block = std::mem::take(&mut self.block);
        if block.trim().is_empty() {
            return;
        }
        self.begin_block();
        let margin: usize = self.margins.iter().map(|margin| margin.rest.chars().count()).sum();
        for line in wrapped(block.trim(), self.width.saturating_sub(margin).max(NARROWEST)) {
            self.line(&line);
        }
        self.apart = true;
    }

    /// Writes one line behind its margins, the first line of an item behind its mark.
    fn line(&mut self, text: &str) {
        let mut line = String::new();
        for margin in &mut self.margins {
            let now = std::mem::replace(&mut margin.first, margin.rest.clone());
            line.push_str(&now);
        }
        self.lines.push(line + text);
    }
}

#[cfg(test)]
mod tests {
    use anstream::adapter::strip_str;

    use super::*;

    fn laid_out(text: &str, width: usize) -> String {
        let mut out = Vec::new();
        write(text, 0, width, &mut out).expect("memory can be written to");
        String::from_utf8(out).expect("what was text is text")
    }

    fn plain(text: &str, width: usize) -> String {
        strip_str(&laid_out(text, width)).to_string()
    }

    #[test]
    fn paragraphs_are_wrapped_and_set_apart() {
        assert_eq!(
            plain("# Title\n\nOne two\nthree `four five`.\n\nSix.\n", 20),
            "Title\n\nOne two three `four\nfive`.\n\nSix.\n"
        );
    }

    #[test]
    fn lists_hang_below_their_marks() {
        let text = "Do:\n\n- one two three four five six\n- two\n  1. inner\n  2. other\n- three\n\nEnd.\n";
        let expected =
            "Do:\n\n- one two three four\n  five six\n- two\n  1. inner\n  2. other\n- three\n\nEnd.\n";
        assert_eq!(plain(text, 20), expected);
    }

    #[test]
    fn code_is_neither_wrapped_nor_changed() {
        let text =
            "A:\n\n```text\n  a *b* `c` that is longer than the line\n\n<d>\n```\n\n```sh\ncargo test\n```\n";
        let expected = "A:\n\n      a *b* `c` that is longer than the line\n\n    <d>\n\n  $ cargo test\n";
        assert_eq!(plain(text, 20), expected);
    }

    #[test]
    fn links_say_where_they_lead() {
        assert_eq!(plain("[a b](c.md) <https://d.e>", 60), "a b (c.md) https://d.e\n");
        assert_eq!(plain("> quoted\n>\n> twice\n", 60), "│ quoted\n│\n│ twice\n");
    }

    #[test]
    fn no_style_runs_on_into_the_next_line() {
        for line in laid_out("**one two three four five six** and *seven eight* `nine`", 20).lines() {
            let ended = line.rfind("\u{1b}[0m");
            assert!(ended >= line.rfind("\u{1b}[").filter(|_| line.contains("\u{1b}[")), "{line:?}");
        }
    }
}
