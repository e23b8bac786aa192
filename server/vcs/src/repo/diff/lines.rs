//! The lines in which two texts differ.

use git2::{DiffOptions, Error, Patch};
use orchestra_core::ports::{DiffLine, DiffLineKind, Hunk};

/// Compares two texts line by line, as git does.
pub(crate) fn hunks(old: &[u8], new: &[u8], context: u32) -> Result<Vec<Hunk>, Error> {
    let mut options = DiffOptions::new();
    // As git itself, which slides what is new to where a reader would have cut.
    options.context_lines(context).force_text(true).indent_heuristic(true);
    let patch = Patch::from_buffers(old, None, new, None, Some(&mut options))?;
    let mut hunks = Vec::with_capacity(patch.num_hunks());
    for number in 0..patch.num_hunks() {
        let (hunk, count) = patch.hunk(number)?;
        let mut lines = Vec::with_capacity(count);
        for line in 0..count {
            let line = patch.line_in_hunk(number, line)?;
            let kind = match line.origin() {
                ' ' => DiffLineKind::Context,
                '+' => DiffLineKind::Added,
                '-' => DiffLineKind::Removed,
                // That a line has no break is seen at its content.
                _ => continue,
            };
            lines.push(DiffLine { kind, content: line.content().to_owned() });
        }
        hunks.push(Hunk {
            old_start: hunk.old_start(),
            old_lines: hunk.old_lines(),
            new_start: hunk.new_start(),
            new_lines: hunk.new_lines(),
            lines,
        });
    }
    Ok(hunks)
}

/// `new` with bare line feeds when every line of it ends with carriage return and line feed and `old` has
/// no such line: this is what `core.autocrlf` makes of a committed file, and no change of anybody's.
pub(crate) fn with_breaks_of(old: &[u8], new: Vec<u8>) -> Vec<u8> {
    let breaks = |text: &[u8]| text.iter().filter(|byte| **byte == b'\n').count();
    let pairs = |text: &[u8]| text.windows(2).filter(|pair| pair == b"\r\n").count();
    let all = breaks(&new);
    if all == 0 || pairs(&new) != all || breaks(old) == 0 || pairs(old) > 0 {
        return new;
    }
    let mut plain = Vec::with_capacity(new.len());
    for (at, byte) in new.iter().enumerate() {
        if *byte != b'\r' || new.get(at + 1) != Some(&b'\n') {
            plain.push(*byte);
        }
    }
    plain
}
