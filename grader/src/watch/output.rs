//! Where the watch shows what it has to show: a page of the terminal, or one line below the other.

use std::io::{self, IsTerminal, Write};

use anstream::adapter::strip_str;

use super::screen::{self, Page};
use super::terminal::{Size, Terminal};

/// So wide is a text at most, and so wide where nobody knows.
const WIDEST: usize = 100;

pub(super) struct Output {
    /// None where lines are printed.
    terminal: Option<Terminal>,
    /// Whether there is somebody to press keys.
    keys: bool,
    colour: bool,
    printed: bool,
    /// What is on the page, and how large it is.
    drawn: (Size, Vec<String>),
}

impl Output {
    /// A page where standard input and output are a terminal that can show one.
    pub(super) fn new() -> io::Result<Output> {
        let keys = io::stdin().is_terminal() && io::stdout().is_terminal();
        let is_dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb" || term.is_empty());
        let terminal = if keys && !is_dumb { Some(Terminal::enter()?) } else { None };
        let colour = anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never;
        let drawn = (Size { columns: 0, rows: 0 }, Vec::new());
        Ok(Output { terminal, keys, colour, printed: false, drawn })
    }

    pub(super) fn is_page(&self) -> bool {
        self.terminal.is_some()
    }

    pub(super) fn has_keys(&self) -> bool {
        self.keys
    }

    pub(super) fn has_colour(&self) -> bool {
        self.colour
    }

    pub(super) fn width(&self) -> usize {
        self.size().columns.min(WIDEST)
    }

    pub(super) fn page_length(&self) -> usize {
        screen::page_length(self.size())
    }

    fn size(&self) -> Size {
        let unknown = Size { columns: WIDEST, rows: usize::MAX };
        self.terminal.as_ref().map_or(unknown, Terminal::size)
    }

    /// Shows a page from row `scroll` of its body on; nothing where lines are printed.
    pub(super) fn draw(&mut self, page: &Page, scroll: &mut usize) -> io::Result<()> {
        let Some(terminal) = &self.terminal else { return Ok(()) };
        let size = terminal.size();
        let rows = screen::cut(page, size, scroll);
        let rows: Vec<String> = rows.iter().map(|row| self.in_colour(row)).collect();
        let page = (size, rows);
        if page != self.drawn {
            terminal.draw(&page.1)?;
            self.drawn = page;
        }
        Ok(())
    }

    /// Prints a text, set apart from the one before; nothing where a page is shown.
    pub(super) fn print(&mut self, text: &str) -> io::Result<()> {
        if self.is_page() {
            return Ok(());
        }
        let mut out = io::stdout().lock();
        if std::mem::replace(&mut self.printed, true) {
            writeln!(out)?;
        }
        out.write_all(self.in_colour(text).as_bytes())?;
        out.flush()
    }

    fn in_colour(&self, text: &str) -> String {
        if self.colour { text.to_owned() } else { strip_str(text).to_string() }
    }
}
