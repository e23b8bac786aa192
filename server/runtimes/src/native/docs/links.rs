//! Where a relative link of a document leads.

use std::path::{Component, Path, PathBuf};

/// What a link is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// An address, a place in the same document, or something outside of the workspace.
    Elsewhere,
    Good,
    Broken,
}

/// Looks for what `target` names in the document at `path`, below `root`, which is canonical.
pub(super) fn check(root: &Path, path: &str, target: &str) -> Link {
    let target = target.split(['#', '?']).next().unwrap_or_default().trim();
    // A scheme such as `https:`, and the templates of site generators.
    let has_scheme = target.split('/').next().is_some_and(|first| first.contains(':'));
    if target.is_empty() || has_scheme || target.starts_with("//") || target.contains(['{', '<']) {
        return Link::Elsewhere;
    }
    let target = decoded(target);
    let folder = match target.strip_prefix('/') {
        Some(_) => Path::new(""),
        None => Path::new(path).parent().unwrap_or(Path::new("")),
    };
    let Some(place) = normal(&folder.join(target.trim_start_matches('/'))) else {
        return Link::Elsewhere;
    };
    // Site generators take an ending away and serve a folder by its index.
    let with = |ending: &str| {
        let mut name = place.clone().into_os_string();
        name.push(ending);
        PathBuf::from(name)
    };
    let candidates = [place.clone(), with(".md"), with(".mdx"), with(".rst"), with(".html")];
    if candidates.iter().any(|place| is_there(root, place)) { Link::Good } else { Link::Broken }
}

/// Whether something is at `place`, or at the end of the link there; what a link outside leads to is left
/// alone.
fn is_there(root: &Path, place: &Path) -> bool {
    let Ok(path) = root.join(place).canonicalize() else { return false };
    path.starts_with(root) || root.join(place).symlink_metadata().is_ok()
}

/// A path without `.` and `..`; `None` when it leads out of the workspace.
fn normal(path: &Path) -> Option<PathBuf> {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(part) => normal.push(part),
            Component::CurDir => {}
            Component::ParentDir if normal.pop() => {}
            _ => return None,
        }
    }
    Some(normal)
}

/// `%20` and the like as what they stand for; left as it is when that is no UTF-8.
fn decoded(target: &str) -> String {
    let mut bytes = Vec::with_capacity(target.len());
    let mut rest = target.as_bytes();
    while let [first, after @ ..] = rest {
        let code = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match code.and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| target.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn links_are_looked_up_from_their_document_and_from_the_root() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("docs/sub")).unwrap();
        fs::write(root.join("docs/a b.md"), "").unwrap();
        fs::write(root.join("docs/c.md"), "").unwrap();
        let check = |target| check(&root, "docs/index.md", target);
        for good in ["a%20b.md", "c.md#part", "./sub/", "../docs/c.md?x", "/docs/c.md", "c", "sub"]
        {
            assert_eq!(check(good), Link::Good, "{good}");
        }
        for broken in ["d.md", "../c.md", "/c.md", "%ff.md", "%"] {
            assert_eq!(check(broken), Link::Broken, "{broken}");
        }
        for elsewhere in
            ["#part", "https://example.org", "mailto:a@b", "../../x", "//host/x", "{{ x }}"]
        {
            assert_eq!(check(elsewhere), Link::Elsewhere, "{elsewhere}");
        }
    }
}
