//! Which lines of two texts are the same, in the order of both.

use crate::repo::diff::lines::hunks;

/// Pairs of line numbers, from one: of the old text, and of the new one. As git compares them; none where
/// they cannot be compared.
pub(super) fn lines(old: &[u8], new: &[u8]) -> Vec<(u32, u32)> {
    let Ok(hunks) = hunks(old, new, 0) else { return Vec::new() };
    let mut pairs = Vec::new();
    let (mut old_next, mut new_next) = (1, 1);
    for hunk in hunks {
        // A side without lines is named by the line before it.
        let start = |start: u32, lines: u32| if lines == 0 { start + 1 } else { start };
        let old_start = start(hunk.old_start, hunk.old_lines);
        let new_start = start(hunk.new_start, hunk.new_lines);
        pairs.extend((old_next..old_start).zip(new_next..new_start));
        (old_next, new_next) = (old_start + hunk.old_lines, new_start + hunk.new_lines);
    }
    pairs.extend((old_next..=count(old)).zip(new_next..=count(new)));
    pairs
}

/// The lines of a text. The last one need not end.
pub(super) fn split(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split_inclusive(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\n").unwrap_or(line))
}

fn count(text: &[u8]) -> u32 {
    u32::try_from(split(text).count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn pairs_are_of_equal_lines_and_in_order(
            old in proptest::collection::vec("[ab]?", 0..12),
            new in proptest::collection::vec("[ab]?", 0..12),
        ) {
            let (old, new) = (old.join("\n"), new.join("\n"));
            let pairs = lines(old.as_bytes(), new.as_bytes());
            let line = |text: &str, number: u32| {
                text.split_inclusive('\n').nth(number as usize - 1).unwrap().to_owned()
            };
            for (of_old, of_new) in &pairs {
                prop_assert_eq!(line(&old, *of_old), line(&new, *of_new));
            }
            prop_assert!(pairs.is_sorted_by(|one, next| one.0 < next.0 && one.1 < next.1));
            if old == new {
                prop_assert_eq!(pairs.len(), old.split_inclusive('\n').count());
            }
        }
    }
}
