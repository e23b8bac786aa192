//! Conflicts in words: which files, where, and what both sides have there.

use super::{Conflict, Side};
use std::fmt::Write as _;

/// How much of a path is shown, in characters.
const LONGEST_PATH: usize = 120;
/// How many lines of a side.
const LINES: usize = 6;
/// How much of a line, in characters.
const LONGEST_LINE: usize = 100;

impl Conflict {
    /// The path as it can be shown: somebody has chosen it.
    pub fn shown_path(&self) -> String {
        cut(&self.path, LONGEST_PATH)
    }

    /// The places of a side, such as `lines 3-4, 9`; empty where they are not known.
    pub fn shown_lines(side: &Side) -> String {
        let lines: Vec<String> = side.lines.iter().take(LINES).map(ToString::to_string).collect();
        let more = if side.lines.len() > LINES { ", …" } else { "" };
        match (lines.as_slice(), side.lines.first().map(|span| span.count)) {
            ([], _) => String::new(),
            ([only], Some(0 | 1)) => format!("line {only}"),
            (lines, _) => format!("lines {}{more}", lines.join(", ")),
        }
    }
}

/// Each file with what both sides have where they do not fit, for a person to choose. `sides` is what they are
/// called. No longer than `limit` bytes; what has no room is counted.
pub fn shown(conflicts: &[Conflict], sides: [&str; 2], limit: usize) -> String {
    /// Room for the line that counts.
    const LAST: usize = 40;
    let mut text = String::new();
    for (number, conflict) in conflicts.iter().enumerate() {
        let mut whole = head(conflict);
        side(&mut whole, sides[0], &conflict.ours);
        side(&mut whole, sides[1], &conflict.theirs);
        let room = limit.saturating_sub(text.len() + LAST);
        // Better all files by name than some of them whole.
        let one = if whole.len() <= room { whole } else { head(conflict) };
        if one.len() > room {
            let _ = writeln!(text, "and {} more", conflicts.len() - number);
            break;
        }
        text.push_str(&one);
    }
    text
}

/// Writing into a string cannot fail, here and below.
fn head(conflict: &Conflict) -> String {
    format!("{}: {}\n", conflict.shown_path(), conflict.kind)
}

fn side(text: &mut String, name: &str, side: &Side) {
    let Some(excerpt) = &side.excerpt else { return };
    let lines = Conflict::shown_lines(side);
    let at = if lines.is_empty() { lines } else { format!(", {lines}") };
    let _ = writeln!(text, "  {name}{at}:");
    for line in excerpt.lines().take(LINES) {
        let _ = writeln!(text, "    | {}", cut(line, LONGEST_LINE));
    }
    if excerpt.lines().nth(LINES).is_some() {
        let _ = writeln!(text, "    | …");
    }
}

/// A line without what a terminal would obey, of at most `longest` characters.
pub(crate) fn cut(line: &str, longest: usize) -> String {
    let plain = |c: char| if c.is_control() && c != '\t' { char::REPLACEMENT_CHARACTER } else { c };
    let mut shown: String = line.chars().take(longest).map(plain).collect();
    if line.chars().nth(longest).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merge::{ConflictKind, Span};

    fn conflict(path: &str, ours: &str, theirs: Option<&str>) -> Conflict {
        let side = |text: &str, first| Side {
            lines: vec![Span { first, count: 2 }],
            excerpt: Some(text.to_owned()),
        };
        Conflict {
            path: path.to_owned(),
            kind: ConflictKind::Lines,
            ours: side(ours, 3),
            theirs: theirs.map(|text| side(text, 4)).unwrap_or_default(),
        }
    }

    #[test]
    fn both_sides_are_shown_with_their_lines() {
        let conflicts = [
            conflict("a\u{1b}[2J.txt", "red\ngreen", Some("blue\u{7}\n1\n2\n3\n4\n5\n6")),
            conflict("b.txt", "x", None),
        ];
        assert_eq!(
            shown(&conflicts, ["left (r1.1)", "right (r1.2)"], 4_000),
            "a\u{fffd}[2J.txt: both changed the same lines\n  \
               left (r1.1), lines 3-4:\n    | red\n    | green\n  \
               right (r1.2), lines 4-5:\n    | blue\u{fffd}\n    | 1\n    | 2\n    | 3\n    | 4\n    | 5\n    | …\n\
             b.txt: both changed the same lines\n  left (r1.1), lines 3-4:\n    | x\n"
        );
    }

    #[test]
    fn however_much_conflicts_there_is_room_for_it() {
        let long = "ä".repeat(3_000);
        let many: Vec<Conflict> = (0..500)
            .map(|number| conflict(&format!("{number}{long}"), &long, Some(&long)))
            .collect();
        let text = shown(&many, ["left", "right"], 3_000);
        assert!(text.len() <= 3_000, "{}", text.len());
        let named = text.lines().filter(|line| line.contains("both changed")).count();
        assert!(text.ends_with(&format!("\nand {} more\n", 500 - named)), "{text}");
        assert!(text.contains("| ä"), "the first one is shown whole");
    }

    #[test]
    fn one_line_is_one_line() {
        let mut side = conflict("a", "x", None).ours;
        side.lines = vec![Span { first: 7, count: 1 }];
        assert_eq!(Conflict::shown_lines(&side), "line 7");
        side.lines.push(Span { first: 9, count: 3 });
        assert_eq!(Conflict::shown_lines(&side), "lines 7, 9-11");
        assert_eq!(Conflict::shown_lines(&Side::default()), "");
    }
}
