//! Where two texts that come from one do not fit together, as lines of each.

use crate::repo::diff::lines;
use git2::Error;
use orchestra_core::merge::{Conflict, Side, Span};
use std::ops::Range;

/// Lines of the base that one side has replaced, and what they have become; counted from zero.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Replaced {
    base: Range<usize>,
    side: Range<usize>,
}

/// What each side has where they conflict; where lines alone do not say so, all that each has changed. A
/// side that is `None` does not have the file, and a base that is `None` had not.
pub(crate) fn sides(
    base: Option<&[u8]>,
    ours: Option<&[u8]>,
    theirs: Option<&[u8]>,
) -> Result<[Side; 2], Error> {
    let base = base.unwrap_or_default();
    let replaced = |side: Option<&[u8]>| side.map(|side| replaced(base, side)).transpose();
    let changes = [replaced(ours)?, replaced(theirs)?];
    let texts = [ours.map(split), theirs.map(split)];
    let mut ranges: [Vec<Range<usize>>; 2] = Default::default();
    if let ([Some(ours), Some(theirs)], [Some(our_lines), Some(their_lines)]) = (&changes, &texts) {
        for [our, their] in regions(ours, theirs) {
            if let Some([our, their]) = trimmed(our_lines, their_lines, our, their) {
                ranges[0].push(our);
                ranges[1].push(their);
            }
        }
    }
    if ranges[0].is_empty() {
        ranges = changes
            .map(|changes| changes.into_iter().flatten().map(|replaced| replaced.side).collect());
    }
    let [ours, theirs] = ranges;
    let side = |text: &Option<Vec<&[u8]>>, ranges: &[Range<usize>]| {
        text.as_ref().map_or_else(Side::default, |lines| shown(lines, ranges))
    };
    Ok([side(&texts[0], &ours), side(&texts[1], &theirs)])
}

fn split(text: &[u8]) -> Vec<&[u8]> {
    text.split_inclusive(|&byte| byte == b'\n').collect()
}

fn replaced(base: &[u8], side: &[u8]) -> Result<Vec<Replaced>, Error> {
    // A side without lines is told as the line before it.
    let range = |start: u32, count: u32| {
        let start = if count == 0 { start } else { start.saturating_sub(1) } as usize;
        start..start + count as usize
    };
    let hunks = lines::hunks(base, side, 0)?;
    let replaced = hunks.iter().map(|hunk| Replaced {
        base: range(hunk.old_start, hunk.old_lines),
        side: range(hunk.new_start, hunk.new_lines),
    });
    Ok(replaced.collect())
}

/// The lines of ours and of theirs where both have replaced lines of the base that overlap or touch.
fn regions(ours: &[Replaced], theirs: &[Replaced]) -> Vec<[Range<usize>; 2]> {
    let mut regions = Vec::new();
    let (mut our, mut their) = (0, 0);
    while our < ours.len() && their < theirs.len() {
        if ours[our].base.end < theirs[their].base.start {
            our += 1;
        } else if theirs[their].base.end < ours[our].base.start {
            their += 1;
        } else {
            let (first_of_ours, first_of_theirs) = (our, their);
            let start = ours[our].base.start.min(theirs[their].base.start);
            let mut end = ours[our].base.end.max(theirs[their].base.end);
            (our, their) = (our + 1, their + 1);
            loop {
                if ours.get(our).is_some_and(|next| next.base.start <= end) {
                    end = end.max(ours[our].base.end);
                    our += 1;
                } else if theirs.get(their).is_some_and(|next| next.base.start <= end) {
                    end = end.max(theirs[their].base.end);
                    their += 1;
                } else {
                    break;
                }
            }
            regions.push([
                on_side(&ours[first_of_ours..our], start, end),
                on_side(&theirs[first_of_theirs..their], start, end),
            ]);
        }
    }
    regions
}

/// What these lines of the base have become on a side that has made these changes in them; at least one.
fn on_side(changes: &[Replaced], start: usize, end: usize) -> Range<usize> {
    let Some((first, last)) = changes.first().zip(changes.last()) else { return start..end };
    let from = first.side.start.saturating_sub(first.base.start - start);
    from..last.side.end + (end - last.base.end)
}

/// Without the lines at both ends that are the same on both sides; `None` when all are.
fn trimmed(
    our_lines: &[&[u8]],
    their_lines: &[&[u8]],
    mut ours: Range<usize>,
    mut theirs: Range<usize>,
) -> Option<[Range<usize>; 2]> {
    let same = |our: usize, their: usize| our_lines.get(our) == their_lines.get(their);
    while !ours.is_empty() && !theirs.is_empty() && same(ours.start, theirs.start) {
        ours.start += 1;
        theirs.start += 1;
    }
    while !ours.is_empty() && !theirs.is_empty() && same(ours.end - 1, theirs.end - 1) {
        ours.end -= 1;
        theirs.end -= 1;
    }
    (!ours.is_empty() || !theirs.is_empty()).then_some([ours, theirs])
}

fn shown(lines: &[&[u8]], ranges: &[Range<usize>]) -> Side {
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let span =
        |range: &Range<usize>| Span { first: number(range.start + 1), count: number(range.len()) };
    let mut excerpt = Vec::new();
    for line in ranges.iter().flat_map(|range| lines.get(range.clone()).unwrap_or_default()) {
        excerpt.extend_from_slice(&line[..line.len().min(Conflict::MAX_EXCERPT)]);
        if excerpt.len() >= Conflict::MAX_EXCERPT {
            break;
        }
    }
    Side {
        lines: ranges.iter().take(Conflict::MAX_SPANS).map(span).collect(),
        excerpt: Some(cut(&excerpt)),
    }
}

/// The beginning of a text, as people are shown it.
pub(crate) fn cut(text: &[u8]) -> String {
    let mut shown =
        String::from_utf8_lossy(&text[..text.len().min(Conflict::MAX_EXCERPT)]).into_owned();
    shown.truncate(shown.floor_char_boundary(Conflict::MAX_EXCERPT));
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(base: Option<&str>, ours: Option<&str>, theirs: Option<&str>) -> [(String, String); 2] {
        let [base, ours, theirs] = [base, ours, theirs].map(|text| text.map(str::as_bytes));
        sides(base, ours, theirs).unwrap().map(|side| {
            let spans: Vec<String> =
                side.lines.iter().map(|span| format!("{}+{}", span.first, span.count)).collect();
            (spans.join(" "), side.excerpt.unwrap_or_else(|| "none".to_owned()))
        })
    }

    fn pair(spans: &str, excerpt: &str) -> (String, String) {
        (spans.to_owned(), excerpt.to_owned())
    }

    #[test]
    fn lines_that_both_have_changed_are_told_by_their_numbers_on_each_side() {
        let sides = told(
            Some("1\n2\n3\n4\n5\n6\n7\n"),
            Some("0\n1\n2\nthree\n4\n5\n6\n7\n"),
            Some("1\n2\n3a\n3b\n4\n5\n6\nseven\n"),
        );
        assert_eq!(sides, [pair("4+1", "three\n"), pair("3+2", "3a\n3b\n")]);
    }

    #[test]
    fn lines_that_were_taken_out_are_a_place_between_two_others() {
        let sides = told(Some("1\n2\n3\n"), Some("1\n3\n"), Some("1\ntwo\n3\n"));
        assert_eq!(sides, [pair("2+0", ""), pair("2+1", "two\n")]);
    }

    #[test]
    fn changes_that_touch_one_another_conflict_as_they_do_for_git() {
        let sides = told(Some("1\n2\n3\n4\n"), Some("1\nb\n3\n4\n"), Some("1\n2\nc\n4\n"));
        assert_eq!(sides, [pair("2+2", "b\n3\n"), pair("2+2", "2\nc\n")]);
        let sides = told(Some("1\n2\n"), Some("1\n2\na\n"), Some("1\n2\nb\n"));
        assert_eq!(sides, [pair("3+1", "a\n"), pair("3+1", "b\n")]);
    }

    #[test]
    fn what_both_have_changed_alike_is_not_told() {
        let sides =
            told(Some("1\n2\n3\n4\n5\n"), Some("one\n2\n3\n4\na\n"), Some("one\n2\n3\n4\nb\n"));
        assert_eq!(sides, [pair("5+1", "a\n"), pair("5+1", "b\n")]);
    }

    #[test]
    fn a_side_without_the_file_has_nothing_to_show_and_the_other_what_it_changed() {
        let sides = told(Some("1\n2\n3\n"), None, Some("1\ntwo\n3\n"));
        assert_eq!(sides, [pair("", "none"), pair("2+1", "two\n")]);
        let sides = told(None, Some("same\na\n"), Some("same\nb\n"));
        assert_eq!(sides, [pair("2+1", "a\n"), pair("2+1", "b\n")]);
    }

    #[test]
    fn an_excerpt_is_cut_and_never_in_the_middle_of_a_character() {
        let long = "ä".repeat(2_000);
        let [(_, ours), _] = told(None, Some(&long), Some("b\n"));
        assert_eq!(ours, "ä".repeat(Conflict::MAX_EXCERPT / 2));
        assert_eq!(cut(b"\xff").len(), 3);
    }
}
