//! Differences as a patch that `git apply` reads.

use orchestra_core::ports::{DiffContent, DiffLineKind, FileDiff};

/// Adds what differs in one file.
pub(super) fn write(file: &FileDiff, patch: &mut Vec<u8>) {
    let (old, new) = (quoted("a/", &file.path), quoted("b/", &file.path));
    let mut head = format!("diff --git {old} {new}\n");
    match (file.old_mode, file.new_mode) {
        (0, mode) => head += &format!("new file mode {mode:06o}\n"),
        (mode, 0) => head += &format!("deleted file mode {mode:06o}\n"),
        (old, new) if old != new => head += &format!("old mode {old:06o}\nnew mode {new:06o}\n"),
        _ => {}
    }
    patch.extend_from_slice(head.as_bytes());
    let hunks = match &file.content {
        DiffContent::Text { hunks, .. } => hunks,
        DiffContent::Binary => return differ(patch, "Binary files", &old, &new),
        DiffContent::TooLarge => return differ(patch, "Files too large to compare,", &old, &new),
        DiffContent::Submodule => return differ(patch, "Submodules", &old, &new),
        DiffContent::Unreadable => return differ(patch, "Unreadable files", &old, &new),
        DiffContent::Missing => return differ(patch, "Files without content here,", &old, &new),
    };
    if hunks.is_empty() {
        return;
    }
    let old = if file.old_mode == 0 { "/dev/null" } else { &old };
    let new = if file.new_mode == 0 { "/dev/null" } else { &new };
    patch.extend_from_slice(format!("--- {old}\n+++ {new}\n").as_bytes());
    for hunk in hunks {
        let (old, new) =
            (range(hunk.old_start, hunk.old_lines), range(hunk.new_start, hunk.new_lines));
        patch.extend_from_slice(format!("@@ -{old} +{new} @@\n").as_bytes());
        for line in &hunk.lines {
            patch.push(match line.kind {
                DiffLineKind::Context => b' ',
                DiffLineKind::Added => b'+',
                DiffLineKind::Removed => b'-',
            });
            patch.extend_from_slice(&line.content);
            if !line.content.ends_with(b"\n") {
                patch.extend_from_slice(b"\n\\ No newline at end of file\n");
            }
        }
    }
}

fn differ(patch: &mut Vec<u8>, what: &str, old: &str, new: &str) {
    patch.extend_from_slice(format!("{what} {old} and {new} differ\n").as_bytes());
}

fn range(start: u32, lines: u32) -> String {
    if lines == 1 { start.to_string() } else { format!("{start},{lines}") }
}

/// A path as git writes it: between quotation marks when it has characters that would end it.
fn quoted(side: &str, path: &str) -> String {
    if !path.contains(|c: char| c.is_control() || c == '"' || c == '\\') {
        return format!("{side}{path}");
    }
    let mut quoted = format!("\"{side}");
    for c in path.chars() {
        match c {
            '\n' => quoted += "\\n",
            '\t' => quoted += "\\t",
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_ascii_control() => quoted += &format!("\\{:03o}", u32::from(c)),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_quoted_as_git_does() {
        assert_eq!(quoted("a/", "x y.rs"), "a/x y.rs");
        assert_eq!(quoted("b/", "a\"\n\u{1}"), "\"b/a\\\"\\n\\001\"");
    }
}
