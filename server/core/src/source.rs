//! Texts that people write: parsed with exact positions, and read with every finding collected.

mod align;
mod fields;
mod findings;
mod node;
mod similar;
mod yaml;

pub(crate) use fields::{Fields, Keys, Text, shortened};
pub(crate) use findings::Findings;
pub(crate) use node::{At, Entry, Node, Value};
pub(crate) use similar::{did_you_mean, nearest};
pub(crate) use yaml::{MAX_LIST, parse};

/// One text, and where it stands in its file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source<'a> {
    /// As the user would type it.
    pub(crate) file: &'a str,
    pub(crate) text: &'a str,
    /// How many lines of the file come before the text: front matter does not start at the top.
    pub(crate) lines_before: u32,
}

impl<'a> Source<'a> {
    pub(crate) fn new(file: &'a str, text: &'a str) -> Self {
        Self { file, text, lines_before: 0 }
    }

    /// The position of a byte offset. Walks the text: for findings, not for every node.
    pub(crate) fn at(&self, offset: usize) -> At {
        let offset = self.text.floor_char_boundary(offset);
        let before = &self.text[..offset];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let lines = before.bytes().filter(|&byte| byte == b'\n').count();
        At {
            line: count(lines).saturating_add(1).saturating_add(self.lines_before),
            column: count(before[line_start..].chars().count()).saturating_add(1),
            start: offset,
            end: offset,
        }
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
