//! `AGENTS.md`: what a project tells every agent, from the tree in which the agent works.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

const FILE: &str = "AGENTS.md";

/// One file of instructions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instructions {
    /// Relative to the top of the tree, with `/` between the parts.
    pub file: String,
    pub text: String,
    /// Whether there was more.
    pub is_cut: bool,
}

/// The instructions that hold in `directory`: those of the tree's top, and of each folder on the way down,
/// `limit` bytes together. A file that leads out of the tree, or is none, is none.
pub fn read(top: &Path, directory: &Path, limit: u64) -> Vec<Instructions> {
    let Ok(top) = top.canonicalize() else { return Vec::new() };
    let below = directory.canonicalize().unwrap_or_default();
    let below = below.strip_prefix(&top).map(Path::to_owned).unwrap_or_default();
    let folders = below.ancestors().map(Path::to_owned).collect::<Vec<PathBuf>>();
    let mut left = limit;
    let mut found = Vec::new();
    for folder in folders.iter().rev() {
        let file = folder.join(FILE);
        let Ok((text, is_cut)) = read_one(&top, &top.join(&file), left) else { continue };
        left = left.saturating_sub(text.len() as u64);
        if !text.trim().is_empty() {
            found.push(Instructions { file: file.display().to_string(), text, is_cut });
        }
    }
    found
}

fn read_one(top: &Path, file: &Path, limit: u64) -> io::Result<(String, bool)> {
    let file = file.canonicalize()?;
    // Opening a pipe would wait for its other end.
    if !file.starts_with(top) || !fs::metadata(&file)?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut bytes = Vec::new();
    File::open(file)?.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    let is_cut = bytes.len() as u64 > limit;
    if is_cut {
        bytes.pop();
    }
    let mut text = String::from_utf8_lossy(&bytes).into_owned();
    // A character that was cut in two has become a replacement.
    if is_cut {
        text.truncate(text.trim_end_matches('\u{fffd}').len());
    }
    Ok((text, is_cut))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn texts(top: &Path, directory: &Path, limit: u64) -> Vec<(String, String, bool)> {
        let found = read(top, directory, limit).into_iter();
        found.map(|one| (one.file, one.text, one.is_cut)).collect()
    }

    #[test]
    fn every_folder_on_the_way_down_may_have_some() {
        let tree = tempfile::tempdir().unwrap();
        let deep = tree.path().join("a/b");
        fs::create_dir_all(&deep).unwrap();
        fs::write(tree.path().join(FILE), "top ä").unwrap();
        fs::write(deep.join(FILE), "deep").unwrap();
        fs::write(tree.path().join("a").join(FILE), "  \n").unwrap();
        let top = ("AGENTS.md".to_owned(), "top ä".to_owned(), false);
        assert_eq!(texts(tree.path(), tree.path(), 100), std::slice::from_ref(&top));
        let below = ("a/b/AGENTS.md".to_owned(), "deep".to_owned(), false);
        assert_eq!(texts(tree.path(), &deep, 100), [top, below]);
        let cut = ("AGENTS.md".to_owned(), "top ".to_owned(), true);
        assert_eq!(texts(tree.path(), tree.path(), 5), [cut]);
    }

    #[test]
    fn what_leads_out_of_the_tree_is_not_read() {
        let tree = tempfile::tempdir().unwrap();
        let (inside, secret) = (tree.path().join("tree"), tree.path().join("secret"));
        fs::create_dir(&inside).unwrap();
        fs::write(&secret, "secret").unwrap();
        symlink(&secret, inside.join(FILE)).unwrap();
        assert_eq!(read(&inside, &inside, 100), []);
        fs::remove_file(inside.join(FILE)).unwrap();
        fs::create_dir(inside.join(FILE)).unwrap();
        assert_eq!(read(&inside, &inside, 100), []);
    }
}
