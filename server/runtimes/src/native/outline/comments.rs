//! Which comment documents a definition, and its first line.

use super::grammar::Style;
use std::{collections::HashMap, ops::Range};

/// The comments of one file, by the line on which they end.
pub(super) struct Comments<'t> {
    text: &'t str,
    style: Style,
    /// Where the line of each number (from zero) begins.
    starts: Vec<usize>,
    by_end: HashMap<usize, Piece>,
    /// The line of the last definition that was asked for: what stands above it is not said of others on
    /// that line.
    asked: Option<usize>,
}

struct Piece {
    range: Range<usize>,
    first_line: usize,
    is_attribute: bool,
}

impl<'t> Comments<'t> {
    /// `pieces` are comments and, with `true`, attributes: these may stand between a comment and what it
    /// documents.
    pub(super) fn new(text: &'t str, style: Style, pieces: Vec<(Range<usize>, bool)>) -> Self {
        let ends = memchr::memchr_iter(b'\n', text.as_bytes());
        let starts: Vec<usize> = std::iter::once(0).chain(ends.map(|at| at + 1)).collect();
        let mut comments = Self { text, style, starts, by_end: HashMap::new(), asked: None };
        for (range, is_attribute) in pieces {
            // Some grammars count the line break as a part of the comment.
            let content = text[range.clone()].trim_end();
            let range = range.start..range.start + content.len();
            let first_line = comments.line(range.start);
            let begins_its_line =
                text[comments.starts[first_line]..range.start].trim_start().is_empty();
            if begins_its_line || is_attribute {
                let last_line = comments.line(range.end.saturating_sub(1).max(range.start));
                comments.by_end.insert(last_line, Piece { range, first_line, is_attribute });
            }
        }
        comments
    }

    fn line(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset).saturating_sub(1)
    }

    /// The first line of the comment that ends right above what begins at `offset`.
    /// Definitions are asked for in the order in which they begin.
    pub(super) fn above(&mut self, offset: usize) -> Option<Range<usize>> {
        let mut line = self.line(offset);
        if self.asked.replace(line) == Some(line) {
            return None;
        }
        // An attribute on the line of the definition itself, such as `template <class T> struct`.
        if let Some(piece) = self.by_end.get(&line).filter(|piece| piece.is_attribute) {
            line = piece.first_line;
        }
        let mut first = None;
        while let Some(piece) = line.checked_sub(1).and_then(|above| self.by_end.get(&above)) {
            line = piece.first_line;
            let content = &self.text[piece.range.clone()];
            if !piece.is_attribute && self.style.is_doc_comment(content) {
                first = first_line(self.text, piece.range.clone()).or(first);
            }
        }
        first
    }
}

/// The first line of a comment or docstring that says something, without its marks.
pub(super) fn first_line(text: &str, range: Range<usize>) -> Option<Range<usize>> {
    let is_mark = |c: char| matches!(c, '/' | '*' | '!' | '"' | '\'') || c.is_whitespace();
    let content = &text[range.clone()];
    // The `r` of `r"""`.
    let prefix = content.find(|c: char| !c.is_alphabetic()).unwrap_or(0);
    let is_text = content[prefix..].starts_with(['"', '\'']);
    let mut start = range.start + if is_text { prefix } else { 0 };
    for line in text[start..range.end].split('\n') {
        let begins = line.find(|c| !is_mark(c));
        let ends = line.trim_end().trim_end_matches("*/").trim_end_matches(['"', '\'']).trim_end();
        if let Some(begins) = begins
            && begins < ends.len()
        {
            return Some(start + begins..start + ends.len());
        }
        start += line.len() + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_no_part_of_the_first_line() {
        let line = |text: &str| first_line(text, 0..text.len()).map(|range| text[range].to_owned());
        assert_eq!(line("/// Adds one.").as_deref(), Some("Adds one."));
        assert_eq!(line("/**\n * Adds `two`.\n * More.\n */").as_deref(), Some("Adds `two`."));
        assert_eq!(line("/** Three. */").as_deref(), Some("Three."));
        assert_eq!(line("\"\"\"\n    Four\n\"\"\"").as_deref(), Some("Four"));
        assert_eq!(line("rb'''Five'''").as_deref(), Some("Five"));
        assert_eq!(line("/** */"), None);
        assert_eq!(line("//"), None);
    }
}
