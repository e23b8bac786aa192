//! A finding: something noticed at one place of one file, in the same shape for every action.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// How much a finding matters, the most important first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    High,
    Medium,
    Low,
}

impl Severity {
    /// One level less important.
    pub(crate) fn lower(self) -> Self {
        match self {
            Self::High => Self::Medium,
            Self::Medium | Self::Low => Self::Low,
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }
}

/// Something noticed. The order of the fields is the order of importance: findings sort by severity,
/// then by place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    pub severity: Severity,
    /// Relative to the workspace's root, with `/` between the parts. Bytes that are not UTF-8 and
    /// control characters are shown as U+FFFD.
    pub path: String,
    /// From one.
    pub line: u64,
    /// From one, in characters.
    pub column: u64,
    /// The marker of a to-do, the rule of a secret, `match` for a search.
    pub kind: String,
    /// For people, in one line.
    pub message: String,
    /// Exactly what the line holds, without the white space around it: a part of it when it is long
    /// or when a secret follows.
    pub excerpt: String,
    /// Who a to-do names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee: Option<String>,
}

/// How long an excerpt may be, in characters.
pub(crate) const EXCERPT_CHARS: usize = 200;

/// What is quoted of the line `line` of `text` when something was noticed at the byte `at`: the trimmed
/// line, or, when that is long, a part of it that begins shortly before `at`. Ends at a control
/// character, which Markdown would not carry, and leaves out the ranges in `hidden`, which are in order.
pub(crate) fn excerpt(
    text: &str,
    line: Range<usize>,
    at: usize,
    hidden: &[Range<usize>],
) -> String {
    let (start, end) = showable(text, line, at, hidden);
    let shown = &text[start..end];
    let trimmed = shown.trim();
    if trimmed.chars().nth(EXCERPT_CHARS).is_none() {
        return trimmed.to_owned();
    }
    let offset = start + (shown.len() - shown.trim_start().len());
    let at = at.clamp(offset, offset + trimmed.len()) - offset;
    let before = trimmed[..at].char_indices().rev().take(EXCERPT_CHARS / 4);
    let rest = &trimmed[before.last().map_or(at, |(i, _)| i)..];
    let end = rest.char_indices().nth(EXCERPT_CHARS).map_or(rest.len(), |(i, _)| i);
    rest[..end].trim().to_owned()
}

/// The part around `at` without control characters and hidden ranges.
fn showable(text: &str, line: Range<usize>, at: usize, hidden: &[Range<usize>]) -> (usize, usize) {
    /// More than an excerpt can hold, so that a long line costs no more than a part of it.
    const AROUND: usize = 2_000;
    let is_break = |c: char| c.is_control() && c != '\t';
    let after = |(i, text): (usize, &str)| i + text.len();
    let near = floor_char_boundary(text, at.saturating_sub(AROUND).max(line.start))
        ..floor_char_boundary(text, at.saturating_add(AROUND).min(line.end));
    let before = &text[near.start..at];
    let mut start = near.start + before.rmatch_indices(is_break).next().map_or(0, after);
    let mut end = text[at..near.end].find(is_break).map_or(near.end, |i| at + i);
    let next = hidden.partition_point(|range| range.end <= at);
    if let Some(previous) = next.checked_sub(1) {
        start = start.max(hidden[previous].end);
    }
    if let Some(range) = hidden.get(next) {
        end = end.min(range.start);
    }
    (start.min(end), end)
}

fn floor_char_boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted(line: &str, at: usize) -> String {
        excerpt(line, 0..line.len(), at, &[])
    }

    #[test]
    fn what_is_hidden_is_on_neither_side_of_a_quote() {
        let line = "one SECRET two SECRET three";
        let hidden = [4..10, 15..21];
        let quoted = |at| excerpt(line, 0..line.len(), at, &hidden);
        assert_eq!([0, 6, 12, 18, 25].map(quoted), ["one", "one", "two", "two", "three"]);
    }

    #[test]
    fn an_excerpt_is_always_a_part_of_the_line() {
        let long = format!("   {}needle{}", "ä".repeat(5_000), "ö".repeat(5_000));
        let at = long.find("needle").unwrap();
        let part = quoted(&long, at);
        assert!(long.contains(&part) && part.contains("needle"));
        assert_eq!(part.chars().count(), EXCERPT_CHARS);
        assert_eq!(quoted("\t let a = 1; \r", 2), "let a = 1;");
        assert_eq!(quoted("one\u{c}two\u{85}three", 5), "two");
        assert_eq!(quoted("", 0), "");
    }
}
