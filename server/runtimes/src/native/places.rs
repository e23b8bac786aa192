//! Turning byte offsets into lines, columns and quotes.

use super::{finding::excerpt, secrets::hidden};
use std::{ops::Range, sync::atomic::AtomicBool};

/// Answers for offsets that only ever grow, so that a text is gone through once whatever the number
/// of questions: a file of one long line must not cost its length for each of them.
pub(crate) struct Places<'t> {
    text: &'t str,
    /// What must not be quoted, in order; looked for when the first question comes.
    hidden: Option<Vec<Range<usize>>>,
    cancelled: &'t AtomicBool,
    line: u64,
    start: usize,
    end: usize,
    at: usize,
    column: u64,
}

/// One place.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// From one.
    pub(crate) line: u64,
    /// From one, in characters.
    pub(crate) column: u64,
    /// See [`super::Finding::excerpt`].
    pub(crate) quote: String,
}

impl<'t> Places<'t> {
    /// Once `cancelled` is set, quotes may show what they should not: nothing of them may be kept.
    pub(crate) fn new(text: &'t str, cancelled: &'t AtomicBool) -> Self {
        let end = text.find('\n').unwrap_or(text.len());
        Self { text, hidden: None, cancelled, line: 1, start: 0, end, at: 0, column: 1 }
    }

    /// `offset` must be a character boundary, not before the one of the last call.
    pub(crate) fn find(&mut self, offset: usize) -> Place {
        while offset > self.end && self.end < self.text.len() {
            self.line += 1;
            self.start = self.end + 1;
            let rest = &self.text[self.start..];
            self.end = rest.find('\n').map_or(self.text.len(), |i| self.start + i);
            (self.at, self.column) = (self.start, 1);
        }
        let offset = offset.clamp(self.at, self.end);
        self.column += self.text[self.at..offset].chars().count() as u64;
        self.at = offset;
        let (text, line) = (self.text, self.start..self.end);
        let quote = excerpt(text, line, offset, self.hidden());
        Place { line: self.line, column: self.column, quote }
    }

    /// As much of a part of the text as may be shown without a gap.
    pub(crate) fn showable(&mut self, part: Range<usize>) -> &'t str {
        let text = self.text;
        let hidden = self.hidden();
        let next = hidden.partition_point(|range| range.end <= part.start);
        let end =
            hidden.get(next).map_or(part.end, |range| range.start.clamp(part.start, part.end));
        &text[part.start..end]
    }

    fn hidden(&mut self) -> &[Range<usize>] {
        let (text, cancelled) = (self.text, self.cancelled);
        self.hidden.get_or_insert_with(|| hidden(text, cancelled))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_from_one() {
        let text = "ä b\n\nlast";
        let go_on = AtomicBool::new(false);
        let mut places = Places::new(text, &go_on);
        let mut find = |offset| {
            let place = places.find(offset);
            (place.line, place.column, place.quote)
        };
        assert_eq!(find(0), (1, 1, "ä b".into()));
        assert_eq!(find(3), (1, 3, "ä b".into()));
        assert_eq!(find(4), (1, 4, "ä b".into()));
        assert_eq!(find(5), (2, 1, String::new()));
        assert_eq!(find(8), (3, 3, "last".into()));
    }
}
