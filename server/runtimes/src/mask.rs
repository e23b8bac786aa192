//! Keeping secrets out of what agents say and hand over, also where a value comes in pieces.

use memchr::memmem::Finder;
use std::{borrow::Cow, ops::Range};

/// What is written in place of a secret.
pub(crate) const MASK: &[u8] = b"***";

/// Shorter values would mask ordinary words.
const SHORTEST: usize = 8;

/// The values that are not to be shown.
pub(crate) struct Secrets {
    values: Vec<Finder<'static>>,
    longest: usize,
}

impl Secrets {
    pub(crate) fn new(values: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let values: Vec<_> = values
            .into_iter()
            .filter(|value| value.len() >= SHORTEST)
            .map(|value| Finder::new(&value).into_owned())
            .collect();
        let longest = values.iter().map(|value| value.needle().len()).max().unwrap_or(0);
        Self { values, longest }
    }

    /// The whole text without secrets.
    pub(crate) fn mask<'t>(&self, text: &'t [u8]) -> Cow<'t, [u8]> {
        if self.values.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut masked = Vec::new();
        let mut stream = Stream::default();
        stream.push(self, text, |part| masked.extend_from_slice(part));
        stream.finish(self, |part| masked.extend_from_slice(part));
        Cow::Owned(masked)
    }

    /// Of a text whose end is missing: neither secrets nor what may be the beginning of one.
    pub(crate) fn mask_cut(&self, text: &[u8]) -> Vec<u8> {
        let mut masked = Vec::new();
        Stream::default().push(self, text, |part| masked.extend_from_slice(part));
        masked
    }

    /// Whether one of them is in it.
    pub(crate) fn are_in(&self, text: &[u8]) -> bool {
        self.values.iter().any(|value| value.find(text).is_some())
    }

    /// Where secrets lie, in order, those that overlap as one.
    fn find(&self, text: &[u8]) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> = Vec::new();
        for value in &self.values {
            let length = value.needle().len();
            let mut from = 0;
            while let Some(at) = value.find(&text[from..]) {
                found.push(from + at..from + at + length);
                from += at + 1;
            }
        }
        merge(found)
    }

    /// From where on the text may be the beginning of a secret; its length when nowhere.
    fn undecided(&self, text: &[u8]) -> usize {
        let first = text.len().saturating_sub(self.longest.saturating_sub(1));
        let may_begin = |at: &usize| {
            let rest = &text[*at..];
            self.values
                .iter()
                .any(|value| value.needle().len() > rest.len() && value.needle().starts_with(rest))
        };
        (first..text.len()).find(may_begin).unwrap_or(text.len())
    }
}

fn merge(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_unstable_by_key(|range| range.start);
    let mut merged: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

/// One stream of output on its way into the log. At most the length of the longest secret is held back.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    held: Vec<u8>,
    /// How much of the beginning of `held` belongs to a secret whose mask is already written.
    masked: usize,
}

impl Stream {
    /// Hands on what can be shown of `text` and what was held back before it.
    pub(crate) fn push(&mut self, secrets: &Secrets, text: &[u8], write: impl FnMut(&[u8])) {
        if secrets.values.is_empty() {
            let mut write = write;
            return write(text);
        }
        // Mostly nothing is held back, and then nothing is copied.
        if self.held.is_empty() {
            let end = secrets.undecided(text);
            self.write(secrets, text, end, write);
        } else {
            let mut joined = std::mem::take(&mut self.held);
            joined.extend_from_slice(text);
            let end = secrets.undecided(&joined);
            self.write(secrets, &joined, end, write);
        }
    }

    /// Hands on the rest: the stream has ended.
    pub(crate) fn finish(&mut self, secrets: &Secrets, write: impl FnMut(&[u8])) {
        let rest = std::mem::take(&mut self.held);
        self.write(secrets, &rest, rest.len(), write);
    }

    /// Writes `text` up to `end` and holds back the rest.
    fn write(&mut self, secrets: &Secrets, text: &[u8], end: usize, mut write: impl FnMut(&[u8])) {
        let mut ranges = secrets.find(text);
        if self.masked > 0 {
            ranges.push(0..self.masked);
            ranges = merge(ranges);
        }
        let mut shown = 0;
        let mut masked = 0;
        for range in ranges {
            let continues = range.start == 0 && self.masked > 0;
            if range.start >= end && !continues {
                break;
            }
            write_some(&text[shown..range.start], &mut write);
            if !continues {
                write(MASK);
            }
            masked = range.end.saturating_sub(end);
            shown = range.end.min(end);
        }
        write_some(&text[shown..end], &mut write);
        self.held = text[end..].to_vec();
        self.masked = masked;
    }
}

fn write_some(text: &[u8], write: &mut impl FnMut(&[u8])) {
    if !text.is_empty() {
        write(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(values: &[&str]) -> Secrets {
        Secrets::new(values.iter().map(|value| value.as_bytes().to_vec()))
    }

    fn in_pieces(secrets: &Secrets, text: &str, size: usize) -> String {
        let mut written = Vec::new();
        let mut stream = Stream::default();
        for piece in text.as_bytes().chunks(size) {
            stream.push(secrets, piece, |part| written.extend_from_slice(part));
        }
        stream.finish(secrets, |part| written.extend_from_slice(part));
        String::from_utf8(written).unwrap()
    }

    #[test]
    fn a_secret_is_masked_however_it_is_cut() {
        let secrets =
            secrets(&["sk-12345678", "sk-12345678-long", "aaaabbbb", "bbbbcccc", "abababab"]);
        for (text, expected) in [
            ("the key sk-12345678 is here", "the key *** is here"),
            ("sk-12345678-long|sk-12345678-lo", "***|***-lo"),
            ("sk-1234567", "sk-1234567"),
            ("xaaaabbbbccccx", "x***x"),
            ("abababababababababab!", "***!"),
            ("sk-sk-12345678", "sk-***"),
            ("aaaabbbbsk-12345678", "******"),
        ] {
            for size in 1..=text.len() {
                assert_eq!(in_pieces(&secrets, text, size), expected, "{text} by {size}");
            }
        }
    }

    #[test]
    fn what_cannot_be_a_secret_is_not_held_back() {
        let secrets = secrets(&["sk-12345678"]);
        let mut written = Vec::new();
        let mut stream = Stream::default();
        stream.push(&secrets, b"50% done, key sk-1", |part| written.extend_from_slice(part));
        assert_eq!(written, b"50% done, key ");
        stream.push(&secrets, b" no", |part| written.extend_from_slice(part));
        assert_eq!(written, b"50% done, key sk-1 no");
    }

    #[test]
    fn a_stream_of_overlapping_secrets_is_not_kept_in_memory() {
        let secrets = secrets(&["abababab"]);
        let mut stream = Stream::default();
        let mut written = 0;
        for _ in 0..1_000 {
            stream.push(&secrets, &b"ab".repeat(500), |part| written += part.len());
            assert!(stream.held.len() < 8);
        }
        assert_eq!(written, MASK.len());
    }

    #[test]
    fn short_values_are_no_secrets() {
        assert_eq!(&*secrets(&["", "true"]).mask(b"true"), b"true");
    }
}
