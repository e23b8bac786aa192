//! A finding: something noticed at one place of one file, in the same shape for every action.

use serde::{Deserialize, Serialize};

/// How much a finding matters, the most important first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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

/// What of `line` is quoted when something was noticed at the byte `at`: the trimmed line, or, when
/// that is long, a part of it that begins shortly before `at`. Ends at a control character, which
/// Markdown would not carry, and before the middle of a secret, which must not spread.
pub(crate) fn excerpt(line: &str, at: usize) -> String {
    let at = floor_char_boundary(line, at);
    let (start, end) = showable(line, at);
    let shown = &line[start..end];
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

/// The part of the line around `at` without control characters and without secrets.
fn showable(line: &str, at: usize) -> (usize, usize) {
    /// Enough to recognise a secret that reaches into what is shown.
    const AROUND: usize = 2_000;
    let is_break = |c: char| c.is_control() && c != '\t';
    let after = |(i, text): (usize, &str)| i + text.len();
    let near = floor_char_boundary(line, at.saturating_sub(AROUND))
        ..floor_char_boundary(line, at.saturating_add(AROUND));
    let before = &line[near.start..at];
    let mut start = near.start + before.rmatch_indices(is_break).next().map_or(0, after);
    let mut end = line[at..near.end].find(is_break).map_or(near.end, |i| at + i);
    for hidden in super::secrets::hidden(&line[near.clone()]) {
        let (from, to) = (near.start + hidden.start, near.start + hidden.end);
        if to <= at {
            start = start.max(to);
        } else {
            end = end.min(from);
        }
    }
    (start.min(end), end)
}

fn floor_char_boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_always_a_part_of_the_line() {
        let long = format!("   {}needle{}", "ä".repeat(5_000), "ö".repeat(5_000));
        let at = long.find("needle").unwrap();
        let quoted = excerpt(&long, at);
        assert!(long.contains(&quoted) && quoted.contains("needle"));
        assert_eq!(quoted.chars().count(), EXCERPT_CHARS);
        assert_eq!(excerpt("\t let a = 1; \r", 2), "let a = 1;");
        assert_eq!(excerpt("one\u{c}two\u{85}three", 5), "two");
        assert_eq!(excerpt("", 0), "");
    }
}
