//! Turning byte offsets into lines and columns.

/// Answers for offsets that only ever grow, so that a text is gone through once whatever the number
/// of questions: a file of one long line must not cost its length for each of them.
pub(crate) struct Places<'t> {
    text: &'t str,
    line: u64,
    start: usize,
    end: usize,
    at: usize,
    column: u64,
}

/// One place.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Place<'t> {
    /// From one.
    pub(crate) line: u64,
    /// From one, in characters.
    pub(crate) column: u64,
    /// The whole line, without its end.
    pub(crate) text: &'t str,
    /// The offset in it.
    pub(crate) at: usize,
}

impl<'t> Places<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        let end = text.find('\n').unwrap_or(text.len());
        Self { text, line: 1, start: 0, end, at: 0, column: 1 }
    }

    /// `offset` must be a character boundary, not before the one of the last call.
    pub(crate) fn find(&mut self, offset: usize) -> Place<'t> {
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
        Place {
            line: self.line,
            column: self.column,
            text: &self.text[self.start..self.end],
            at: offset - self.start,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_from_one() {
        let text = "ä b\n\nlast";
        let mut places = Places::new(text);
        let mut find = |offset| {
            let place = places.find(offset);
            (place.line, place.column, place.text, place.at)
        };
        assert_eq!(find(0), (1, 1, "ä b", 0));
        assert_eq!(find(3), (1, 3, "ä b", 3));
        assert_eq!(find(4), (1, 4, "ä b", 4));
        assert_eq!(find(5), (2, 1, "", 0));
        assert_eq!(find(8), (3, 3, "last", 2));
    }
}
