//! The form in which a text lies on the disk, where git's own would be another one: it takes several forms
//! for the same text, and gives back one of them.

use crate::repo::diff::lines::hunks;

/// What is to lie on the disk of `after`, the new text as git writes it, where `disk` is what lies there of the
/// old text, which git would write as `before`: lines keep the ends that they have, new ones get that of
/// the line before them, and the order of the bytes in UTF-16 stays. `None` where there is nothing to keep.
pub(super) fn kept(disk: &[u8], before: &[u8], after: &[u8]) -> Option<Vec<u8>> {
    if disk == before || before == after {
        return (before == after).then(|| disk.to_owned());
    }
    if is_swapped(disk, before) {
        return Some(swapped(after));
    }
    line_ends(disk, before, after)
}

/// Whether these are one text in UTF-16 with the bytes in another order, both said by a mark.
fn is_swapped(disk: &[u8], before: &[u8]) -> bool {
    let marks = (disk.get(..2), before.get(..2));
    let differ = matches!(
        marks,
        (Some(b"\xfe\xff"), Some(b"\xff\xfe")) | (Some(b"\xff\xfe"), Some(b"\xfe\xff"))
    );
    differ && swapped(before) == disk
}

fn swapped(text: &[u8]) -> Vec<u8> {
    let mut text = text.to_owned();
    for pair in text.chunks_exact_mut(2) {
        pair.swap(0, 1);
    }
    text
}

fn line_ends(disk: &[u8], before: &[u8], after: &[u8]) -> Option<Vec<u8>> {
    let (on_disk, old, new) = (lines(disk), lines(before), lines(after));
    let is_same = on_disk.len() == old.len()
        && on_disk.iter().zip(&old).all(|(disk, old)| bare(disk) == bare(old));
    // A text in which some other filter has its hand.
    if !is_same {
        return None;
    }
    let first = on_disk.first().map(|line| ending(line));
    let origins = origins(before, after)?;
    if origins.len() != new.len() {
        return None;
    }
    let mut kept = Vec::with_capacity(after.len() + new.len());
    let mut last_ending = first.filter(|ending| !ending.is_empty()).unwrap_or(b"\n");
    for (line, origin) in new.into_iter().zip(origins) {
        match origin.and_then(|origin| on_disk.get(origin).copied()) {
            Some(line) => {
                kept.extend_from_slice(line);
                if !ending(line).is_empty() {
                    last_ending = ending(line);
                }
            }
            None => {
                kept.extend_from_slice(bare(line));
                if !ending(line).is_empty() {
                    kept.extend_from_slice(last_ending);
                }
            }
        }
    }
    Some(kept)
}

/// For each line of the new text, the number of the same line in the old one.
fn origins(before: &[u8], after: &[u8]) -> Option<Vec<Option<usize>>> {
    let mut origins = Vec::new();
    let mut old = 0;
    for hunk in hunks(before, after, 0).ok()? {
        let (start, removed) = (hunk.old_start as usize, hunk.old_lines as usize);
        // Where nothing is removed, the hunk names the line before it.
        let start = if removed == 0 { start } else { start - 1 };
        origins.extend((old..start).map(Some));
        origins.extend((0..hunk.new_lines).map(|_| None));
        old = start + removed;
    }
    origins.extend((old..lines(before).len()).map(Some));
    Some(origins)
}

/// Each with its end.
fn lines(text: &[u8]) -> Vec<&[u8]> {
    text.split_inclusive(|&byte| byte == b'\n').collect()
}

fn bare(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").map_or(line, |line| line.strip_suffix(b"\r").unwrap_or(line))
}

fn ending(line: &[u8]) -> &'static [u8] {
    match line {
        [.., b'\r', b'\n'] => b"\r\n",
        [.., b'\n'] => b"\n",
        _ => b"",
    }
}

#[cfg(test)]
mod tests {
    fn kept(disk: &str, before: &str, after: &str) -> Option<String> {
        super::kept(disk.as_bytes(), before.as_bytes(), after.as_bytes())
            .map(|text| String::from_utf8(text).unwrap())
    }

    #[test]
    fn lines_keep_their_ends_and_new_ones_get_that_of_the_line_before() {
        let changed = kept("a\r\nb\nc\r\nd\n", "a\nb\nc\nd\n", "a\nnew\nb\nC\nd\nend\n");
        assert_eq!(changed.unwrap(), "a\r\nnew\r\nb\nC\nd\nend\n");
        assert_eq!(kept("a\r\n", "a\n", "first\na\nlast").unwrap(), "first\r\na\r\nlast");
        assert_eq!(kept("a\r\nb", "a\nb", "a\nb\nc\n").unwrap(), "a\r\nb\r\nc\r\n");
        assert_eq!(kept("a\r\nb\r\n", "a\nb\n", "").unwrap(), "");
        // A line end that comes and goes at the end of the file.
        assert_eq!(kept("a\r\nb\r\n", "a\nb\n", "a\nb").unwrap(), "a\r\nb");
    }

    #[test]
    fn what_git_would_write_itself_is_left_to_it() {
        assert_eq!(kept("a\n", "a\n", "b\n"), None);
        assert_eq!(kept("smudged\n", "pointer\n", "other\n"), None);
        assert_eq!(kept("smudged\n", "pointer\n", "pointer\n").unwrap(), "smudged\n");
    }

    #[test]
    fn the_order_of_bytes_stays() {
        let (little, big) = (b"\xff\xfea\0\n\0", b"\xfe\xff\0a\0\n");
        let changed = super::kept(big, little, b"\xff\xfeb\0\n\0").unwrap();
        assert_eq!(changed, b"\xfe\xff\0b\0\n");
    }
}
