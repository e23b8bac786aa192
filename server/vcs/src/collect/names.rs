//! Names that git refuses to commit, because on some file system they would be its own folder.

use std::path::Path;

/// Code points that HFS+ ignores in names, after git's `utf8.c`.
const IGNORED_BY_HFS: [char; 16] = [
    '\u{200c}', '\u{200d}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}',
    '\u{202e}', '\u{206a}', '\u{206b}', '\u{206c}', '\u{206d}', '\u{206e}', '\u{206f}', '\u{feff}',
];

/// Whether git takes a path. It knows more exceptions than these, but for them it says which file it
/// refuses.
pub(crate) fn is_acceptable(path: &[u8], is_link: bool) -> bool {
    // NTFS separates by both kinds of slashes.
    let mut parts = path.split(|byte| matches!(byte, b'/' | b'\\'));
    if parts.any(|part| matches!(plain(part).as_str(), ".git" | "git~1" | "." | "..")) {
        return false;
    }
    let last = path.rsplit(|byte| matches!(byte, b'/' | b'\\')).next().map(plain);
    let is_modules = |name: &str| {
        name == ".gitmodules" || name.starts_with("gitmod~") || name.starts_with("gi7eba~")
    };
    // Git would read it through the link.
    !(is_link && last.is_some_and(|name| is_modules(&name)))
}

/// As NTFS and HFS+ see a name: without case, streams, trailing dots and spaces, and ignored characters.
fn plain(part: &[u8]) -> String {
    let text = String::from_utf8_lossy(part);
    let text = text.split(':').next().unwrap_or_default();
    let seen: String = text.chars().filter(|c| !IGNORED_BY_HFS.contains(c)).collect();
    if matches!(seen.as_str(), "." | "..") {
        return seen;
    }
    seen.trim_end_matches([' ', '.']).to_ascii_lowercase()
}

/// Where the link at `path` leads, seen from the top of the tree by its text alone.
pub(super) fn leads_out(path: &str, target: &str) -> bool {
    if target.starts_with('/') {
        return true;
    }
    let mut parts: Vec<&str> = Path::new(path)
        .parent()
        .and_then(Path::to_str)
        .unwrap_or_default()
        .split('/')
        .filter(|part| !part.is_empty())
        .collect();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                if parts.pop().is_none() {
                    return true;
                }
            }
            part => parts.push(part),
        }
    }
    // What lies there is in no commit.
    parts.first().is_some_and(|part| plain(part.as_bytes()) == ".git")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_some_file_system_takes_for_the_folder_of_git_is_refused() {
        for path in [
            ".git/config",
            "a/.GIT/hooks/x",
            "git~1",
            "a/GIT~1/x",
            ".git. /x",
            ".git::$INDEX_ALLOCATION",
            ".g\u{200c}it/x",
            "a\\.git\\x",
        ] {
            assert!(!is_acceptable(path.as_bytes(), false), "{path}");
        }
        for path in [".gitignore", "git", "a/.github/x", "git~2", ".gitmodules", "..a/b", "a\nb"] {
            assert!(is_acceptable(path.as_bytes(), false), "{path}");
        }
        assert!(!is_acceptable(b".gitmodules", true));
        assert!(is_acceptable(b"link", true));
    }

    #[test]
    fn a_link_leads_out_by_its_text() {
        for (path, target) in [
            ("a", "/etc/passwd"),
            ("a", ".."),
            ("a/b", "../../x"),
            ("a", "b/../../c"),
            ("a/b", "../.git/config"),
        ] {
            assert!(leads_out(path, target), "{path} -> {target}");
        }
        for (path, target) in [("a", "b"), ("a/b", "../c"), ("a/b", "../a/./c"), ("a", "b/../c")] {
            assert!(!leads_out(path, target), "{path} -> {target}");
        }
    }
}
