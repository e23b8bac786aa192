//! Recognising the words that mark open points, and nothing that merely looks like them.

use super::super::finding::Severity;
use regex::Regex;
use std::{ops::Range, sync::LazyLock};

/// A word that marks an open point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Fixme,
    Bug,
    Xxx,
    Hack,
    Todo,
}

impl Kind {
    fn of(word: &str) -> Option<Self> {
        Some(match word.to_ascii_uppercase().as_str() {
            "FIXME" => Self::Fixme,
            "BUG" => Self::Bug,
            "XXX" => Self::Xxx,
            "HACK" => Self::Hack,
            "TODO" => Self::Todo,
            _ => return None,
        })
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Fixme => "FIXME",
            Self::Bug => "BUG",
            Self::Xxx => "XXX",
            Self::Hack => "HACK",
            Self::Todo => "TODO",
        }
    }

    pub(super) fn severity(self) -> Severity {
        match self {
            Self::Fixme | Self::Bug => Severity::High,
            Self::Xxx | Self::Hack => Severity::Medium,
            Self::Todo => Severity::Low,
        }
    }
}

/// A marker in one line of a comment.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Marker<'a> {
    /// The byte offset in the line.
    pub(super) at: usize,
    pub(super) kind: Kind,
    pub(super) assignee: Option<&'a str>,
    /// What follows it.
    pub(super) text: &'a str,
    /// The byte offset of that in the line.
    pub(super) text_at: usize,
}

/// A constant that the tests compile.
static WORD: LazyLock<Result<Regex, regex::Error>> =
    LazyLock::new(|| Regex::new(r"(?i-u:\b(?:TODO|FIXME|HACK|XXX|BUG)\b)"));

/// Whether markers can be told at all: a scanner that finds nothing must have looked.
pub(super) fn ready() -> Result<(), String> {
    WORD.as_ref().map(|_| ()).map_err(ToString::to_string)
}

/// Whether it is worth looking at the comments of a text at all.
pub(super) fn may_occur(text: &str) -> bool {
    WORD.as_ref().is_ok_and(|word| word.is_match(text))
}

/// The first marker in one line of a comment.
pub(super) fn find(line: &str) -> Option<Marker<'_>> {
    let word = WORD.as_ref().ok()?;
    word.find_iter(line).find_map(|found| {
        let kind = Kind::of(found.as_str())?;
        let (before, after) = (&line[..found.start()], &line[found.end()..]);
        let is_upper = found.as_str().bytes().all(|byte| byte.is_ascii_uppercase());
        if !is_marker(before, after, is_upper) {
            return None;
        }
        let (assignee, text_in_after) = split_assignee(after);
        let (text, text_at) = (&after[text_in_after.clone()], found.end() + text_in_after.start);
        Some(Marker { at: found.start(), kind, assignee, text, text_at })
    })
}

fn is_marker(before: &str, after: &str, is_upper: bool) -> bool {
    let lead =
        before.trim_start_matches(|c: char| c.is_whitespace() || "/!*#;%-<>@[(+=\"'".contains(c));
    let is_first = lead.is_empty();
    let next = after.chars().next();
    let is_labelled = match next {
        Some(':') => !after.starts_with("::"),
        Some('(') => after.contains(')'),
        _ => false,
    };
    if !is_upper {
        // In prose these are words; as a label, or with `@`, they are meant.
        return is_first
            && (is_labelled || (before.ends_with('@') && next.is_none_or(char::is_whitespace)));
    }
    // Part of a longer name (`TODO_LIST`, `todo-mvc`, `XXX.XXX`), an enumeration or a quotation.
    let ends = match next {
        None => true,
        Some(c) if c.is_whitespace() => true,
        Some(':' | '(' | '!' | ',' | ';' | '?' | ')' | ']') => true,
        Some('.') => after[1..].chars().next().is_none_or(|c| c.is_whitespace() || c == '.'),
        Some('-') => after[1..].chars().next().is_none_or(char::is_whitespace),
        Some(_) => false,
    };
    if !ends {
        return false;
    }
    if is_first {
        return true;
    }
    match before.chars().next_back() {
        Some('(' | '[' | '@') => is_labelled,
        Some(c) if c.is_whitespace() => {
            // In the middle of a sentence it is talked about rather than said.
            is_labelled || before.trim_end().ends_with(['.', ';', '!'])
        }
        _ => false,
    }
}

/// Who is named, and where in `after` the words are.
fn split_assignee(after: &str) -> (Option<&str>, Range<usize>) {
    const LONGEST_NAME: usize = 40;
    let (assignee, rest) = match after.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
        Some((name, rest)) => (Some(name), rest),
        None => match after.trim_start().strip_prefix('@') {
            Some(rest) => {
                let end = rest.find(|c: char| !c.is_alphanumeric() && !"-_.".contains(c));
                let (name, rest) = rest.split_at(end.unwrap_or(rest.len()));
                (Some(name), rest)
            }
            None => (None, after),
        },
    };
    let assignee = assignee
        .map(|name| name.trim().trim_start_matches('@'))
        .filter(|name| !name.is_empty() && name.chars().nth(LONGEST_NAME).is_none());
    let text = rest.trim_start_matches(|c: char| c.is_whitespace() || ":!,;?.-)]".contains(c));
    // What was taken away so far was taken from the front.
    let start = after.len() - text.len();
    let text = text.trim_end_matches(|c: char| c.is_whitespace() || c == '*');
    let end = text.char_indices().nth(LONGEST_TEXT).map_or(text.len(), |(i, _)| i);
    (assignee, start..start + end)
}

/// How much of the comment is kept, in characters.
const LONGEST_TEXT: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Option<(&'static str, Option<&str>, &str)> {
        find(line).map(|marker| (marker.kind.as_str(), marker.assignee, marker.text))
    }

    #[test]
    fn markers_are_read_with_who_and_what() {
        assert_eq!(read(" TODO: more *"), Some(("TODO", None, "more")));
        assert_eq!(read("/ FIXME(alice): soon"), Some(("FIXME", Some("alice"), "soon")));
        assert_eq!(read(" TODO @bob-b check"), Some(("TODO", Some("bob-b"), "check")));
        assert_eq!(read(" HACK - works"), Some(("HACK", None, "works")));
        assert_eq!(read(" @todo later"), Some(("TODO", None, "later")));
        assert_eq!(read(" done. TODO clean up"), Some(("TODO", None, "clean up")));
        assert_eq!(read(" see below (TODO: link)"), Some(("TODO", None, "link)")));
        assert_eq!(read("XXX"), Some(("XXX", None, "")));
    }

    #[test]
    fn words_that_are_not_markers_are_left_alone() {
        for line in [
            " TODO_LIST of things",
            " a TODO list",
            " the TODO/FIXME comments",
            " todo items are shown",
            " `TODO` is a word",
            " mktemp XXXXXX",
            " +1-XXX-XXXX",
            " Todo::new() makes one",
            " this is no BUG at all",
            " MYTODO: x",
            " todo-mvc",
            " see \"TODO\"",
            " in order: FIXME and BUG are high, TODO low.",
        ] {
            assert_eq!(read(line), None, "{line}");
        }
    }
}
