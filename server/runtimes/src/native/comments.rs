//! Telling comments from code, line by line, in any of the known languages.
//!
//! This is a lexer, not a parser: it knows comments, texts and characters, and nothing else. A text that may
//! not span lines ends with its line whatever is missing, so one odd line never spoils the rest.

use super::languages::{Language, LanguageKind, Placement, Syntax, Text};
use std::ops::Range;

/// How the lines of a text divide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Lines {
    pub(crate) code: u64,
    /// Nothing but comment.
    pub(crate) comment: u64,
    pub(crate) blank: u64,
}

/// Counts the lines of `text`, and gives `comment` the byte range of each comment in order, without
/// the mark that opens it.
pub(crate) fn scan(text: &str, language: &Language, comment: impl FnMut(Range<usize>)) -> Lines {
    let mut lexer = Lexer {
        text: text.as_bytes(),
        syntax: language.syntax,
        at: 0,
        line: Line::default(),
        lines: Lines::default(),
        comment,
    };
    lexer.run();
    let mut lines = lexer.lines;
    if language.kind == LanguageKind::Prose {
        lines.comment += std::mem::take(&mut lines.code);
    }
    lines
}

/// What the current line holds so far.
#[derive(Default)]
struct Line {
    code: bool,
    comment: bool,
}

struct Lexer<'a, F> {
    text: &'a [u8],
    syntax: &'static Syntax,
    at: usize,
    line: Line,
    lines: Lines,
    comment: F,
}

impl<F: FnMut(Range<usize>)> Lexer<'_, F> {
    fn run(&mut self) {
        let interesting = self.interesting();
        while let Some(&byte) = self.text.get(self.at) {
            if byte == b'\n' {
                if !self.block() {
                    self.end_line();
                    self.at += 1;
                }
            } else if byte.is_ascii_whitespace() {
                self.at += 1;
            } else if !interesting[usize::from(byte)] || !self.token() {
                self.line.code = true;
                self.at += 1;
            }
        }
        if self.text.last().is_some_and(|byte| *byte != b'\n') {
            self.end_line();
        }
    }

    /// The bytes with which something may begin, so that all others are passed over quickly.
    fn interesting(&self) -> [bool; 256] {
        let mut table = [false; 256];
        let syntax = self.syntax;
        let openings = (syntax.line.iter().copied())
            .chain(syntax.block.iter().map(|(open, _)| *open))
            .chain(syntax.texts.iter().map(|text| text.open));
        for opening in openings {
            if let Some(first) = opening.bytes().next() {
                table[usize::from(first)] = true;
            }
        }
        table[usize::from(b'\'')] |= syntax.characters;
        table[usize::from(b'r')] |= syntax.raw_hashes;
        table
    }

    fn token(&mut self) -> bool {
        self.block() || self.line_comment() || self.raw_text() || self.text() || self.character()
    }

    fn starts_with(&self, mark: &str) -> bool {
        self.text[self.at..].starts_with(mark.as_bytes())
    }

    fn end_line(&mut self) {
        match std::mem::take(&mut self.line) {
            Line { code: true, .. } => self.lines.code += 1,
            Line { comment: true, .. } => self.lines.comment += 1,
            Line { .. } => self.lines.blank += 1,
        }
    }

    /// Goes to `end`, over any lines between.
    fn advance(&mut self, end: usize, is_comment: bool) {
        for &byte in &self.text[self.at..end] {
            if byte == b'\n' {
                self.end_line();
            } else if !byte.is_ascii_whitespace() {
                if is_comment {
                    self.line.comment = true;
                } else {
                    self.line.code = true;
                }
            }
        }
        self.at = end;
    }

    fn line_comment(&mut self) -> bool {
        let Some(mark) = self.syntax.line.iter().find(|mark| self.starts_with(mark)) else {
            return false;
        };
        let before = self.text[..self.at].last().copied();
        let fits = match self.syntax.placement {
            Placement::Anywhere => before != Some(b'\\'),
            Placement::Spaced => before.is_none_or(|byte| {
                byte.is_ascii_whitespace() || matches!(byte, b';' | b')' | b']' | b'}' | b',')
            }),
            Placement::LineStart => !self.line.code && !self.line.comment,
        };
        if !fits {
            return false;
        }
        let rest = &self.text[self.at..];
        let end =
            rest.iter().position(|byte| *byte == b'\n').map_or(self.text.len(), |i| self.at + i);
        (self.comment)(self.at + mark.len()..end);
        self.advance(end, true);
        true
    }

    fn block(&mut self) -> bool {
        let opens = |(open, _): &&(&str, &str)| self.starts_with(open);
        let Some(&(open, close)) = self.syntax.block.iter().find(opens) else { return false };
        let start = self.at + open.len();
        let (mut at, mut depth) = (start, 1);
        let (open, close) = (open.as_bytes(), close.as_bytes());
        let end = loop {
            let rest = &self.text[at..];
            if rest.is_empty() {
                break at;
            } else if rest.starts_with(close) {
                depth -= 1;
                at += close.len();
                if depth == 0 {
                    break at - close.len();
                }
            } else if self.syntax.nested && rest.starts_with(open) {
                depth += 1;
                at += open.len();
            } else {
                at += 1;
            }
        };
        (self.comment)(start..end);
        self.advance(at, true);
        true
    }

    fn text(&mut self) -> bool {
        let opens = |text: &&Text| self.starts_with(text.open);
        let Some(text) = self.syntax.texts.iter().find(opens) else { return false };
        let documents = text.documents && !self.line.code && !self.line.comment;
        let start = self.at + text.open.len();
        let mut at = start;
        let end = loop {
            match self.text.get(at) {
                None => break at,
                Some(b'\n') if !text.spans_lines => break at,
                Some(b'\\') if text.escapes => at = (at + 2).min(self.text.len()),
                Some(_) if self.text[at..].starts_with(text.close.as_bytes()) => {
                    at += text.close.len();
                    break at - text.close.len();
                }
                Some(_) => at += 1,
            }
        };
        if documents {
            (self.comment)(start..end);
        }
        self.advance(at, documents);
        true
    }

    /// `r"…"`, `r#"…"#` and so on.
    fn raw_text(&mut self) -> bool {
        let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let before = self.text[..self.at].last();
        if !self.syntax.raw_hashes
            || self.text[self.at] != b'r'
            || before.is_some_and(|byte| is_word(byte) && !matches!(byte, b'b' | b'c'))
        {
            return false;
        }
        let rest = &self.text[self.at + 1..];
        let hashes = rest.iter().take_while(|byte| **byte == b'#').count();
        if rest.get(hashes) != Some(&b'"') {
            return false;
        }
        let start = self.at + hashes + 2;
        let close = [b"\"".as_slice(), &vec![b'#'; hashes]].concat();
        let end = (start..self.text.len())
            .find(|at| self.text[*at] == b'"' && self.text[*at..].starts_with(&close))
            .map_or(self.text.len(), |at| at + close.len());
        self.advance(end, false);
        true
    }

    /// `'x'` and `'\n'`, but not `'lifetime` and not `1'000`.
    fn character(&mut self) -> bool {
        const LONGEST: usize = 12;
        if !self.syntax.characters || self.text[self.at] != b'\'' {
            return false;
        }
        let rest = &self.text[self.at + 1..];
        let length = match rest.first() {
            Some(b'\\') => rest
                .iter()
                .take(LONGEST)
                .skip(2)
                .position(|byte| *byte == b'\'')
                .map(|position| position + 3),
            // The length of one UTF-8 character, told from its first byte.
            Some(&first) => {
                let length = match first {
                    0..0x80 => 1,
                    0x80..0xe0 => 2,
                    0xe0..0xf0 => 3,
                    _ => 4,
                };
                (rest.get(length) == Some(&b'\'')).then_some(length + 1)
            }
            None => None,
        };
        match length {
            Some(length) => {
                self.advance(self.at + 1 + length, false);
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::languages, *};

    fn comments<'t>(path: &str, text: &'t str) -> (Vec<&'t str>, [u64; 3]) {
        let mut found = Vec::new();
        let lines = scan(text, languages::of(path, text), |range| found.push(text[range].trim()));
        (found, [lines.code, lines.comment, lines.blank])
    }

    #[test]
    fn comments_in_texts_are_none_and_texts_in_comments_are_comment() {
        let rust = r##"
//! Module "docs".
fn main<'a>() { /* outer /* inner */ still */
    let url = "http://example.org"; // a 'quote
    let raw = r#"// "no" comment"#; let c = '"'; let d = '\''; // yes

    /* one
       two */
}
"##;
        assert_eq!(
            comments("a.rs", rust),
            (
                vec![
                    "! Module \"docs\".",
                    "outer /* inner */ still",
                    "a 'quote",
                    "yes",
                    "one\n       two"
                ],
                [4, 3, 2]
            )
        );
    }

    #[test]
    fn hash_languages_know_their_hashes() {
        let shell =
            "#!/bin/sh\necho ${x#y} $# '#no' \"#no\" # yes\n\nit's # after a lone quote\nls #z\n";
        let (found, counts) = comments("a.sh", shell);
        assert_eq!(found, ["!/bin/sh", "yes", "z"]);
        assert_eq!(counts, [3, 1, 1]);
    }

    #[test]
    fn documentation_texts_are_comments() {
        let python =
            "def f():\n    \"\"\"Does it.\n\n    TODO: more\"\"\"\n    x = \"\"\"# no\"\"\"\n";
        assert_eq!(comments("a.py", python), (vec!["Does it.\n\n    TODO: more"], [2, 2, 1]));
    }

    #[test]
    fn blocks_that_begin_a_line() {
        let ruby = "x = 1\n=begin\nold\n=end\ny = 2\n";
        let (found, counts) = comments("a.rb", ruby);
        assert_eq!(found, ["old"]);
        assert_eq!(counts, [2, 3, 0]);
    }

    #[test]
    fn what_never_ends_ends_with_the_text() {
        for text in ["/* open", "\"open\\", "r##\"open", "'", "'\\", "//", "\n\n", ""] {
            let (_, [code, comment, blank]) = comments("a.rs", text);
            assert_eq!(code + comment + blank, text.lines().count() as u64, "{text:?}");
        }
    }

    #[test]
    fn prose_is_comment() {
        assert_eq!(comments("a.md", "# Title\n\ntext\n<!-- hidden -->\n").1, [0, 3, 1]);
    }
}
