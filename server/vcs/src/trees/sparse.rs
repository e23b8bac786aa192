//! Which folders of a repository a tree shows, in git's cone mode (git-sparse-checkout(1)).

use crate::GitError;
use std::{
    collections::BTreeSet,
    ffi::OsStr,
    os::unix::ffi::OsStrExt as _,
    path::{Component, Path, PathBuf},
};

/// Folders with all that is in them, and the files beside the folders that lead to them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Cone(BTreeSet<PathBuf>);

impl Cone {
    /// `folders` are relative to `prefix`, the workspace's folder in the repository, which is always
    /// there. `None` when no folder is named.
    pub(super) fn new(prefix: &Path, folders: &[String]) -> Result<Option<Self>, GitError> {
        let mut cone = BTreeSet::new();
        for folder in folders {
            let inside = Path::new(folder)
                .components()
                .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
            if !inside || folder.contains(['\n', '\0']) {
                return Err(GitError::NotInWorkspace(folder.clone()));
            }
            let parts = Path::new(folder).components();
            let parts = parts.filter(|part| matches!(part, Component::Normal(_)));
            cone.insert(
                prefix
                    .iter()
                    .map(Path::new)
                    .map(Path::to_owned)
                    .chain(parts.map(|part| PathBuf::from(part.as_os_str())))
                    .collect(),
            );
        }
        Ok((!cone.is_empty()).then_some(Self(cone)))
    }

    /// The file `info/sparse-checkout`.
    pub(super) fn patterns(&self) -> Vec<u8> {
        let whole = |folder: &Path| folder.as_os_str().is_empty();
        if self.0.iter().any(|folder| whole(folder)) {
            return b"/*\n".to_vec();
        }
        let outer: Vec<&PathBuf> = self
            .0
            .iter()
            .filter(|folder| !folder.ancestors().skip(1).any(|above| self.0.contains(above)))
            .collect();
        let leading: BTreeSet<&Path> = outer
            .iter()
            .flat_map(|folder| folder.ancestors().skip(1))
            .filter(|folder| !whole(folder))
            .collect();
        let mut text = b"/*\n!/*/\n".to_vec();
        for folder in leading {
            let folder = escaped(folder.as_os_str());
            text.extend([b"/", folder.as_slice(), b"/\n!/", &folder, b"/*/\n"].concat());
        }
        for folder in outer {
            text.extend([b"/", escaped(folder.as_os_str()).as_slice(), b"/\n"].concat());
        }
        text
    }
}

fn escaped(path: &OsStr) -> Vec<u8> {
    let mut escaped = Vec::new();
    for &byte in path.as_bytes() {
        if matches!(byte, b'*' | b'?' | b'[' | b'\\') {
            escaped.push(b'\\');
        }
        escaped.push(byte);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(prefix: &str, folders: &[&str]) -> String {
        let folders: Vec<String> = folders.iter().map(|&folder| folder.to_owned()).collect();
        let cone = Cone::new(Path::new(prefix), &folders).unwrap().unwrap();
        String::from_utf8(cone.patterns()).unwrap()
    }

    #[test]
    fn a_cone_holds_its_folders_and_the_files_on_the_way_to_them() {
        assert_eq!(patterns("", &["a/b", "./c/"]), "/*\n!/*/\n/a/\n!/a/*/\n/a/b/\n/c/\n");
        assert_eq!(patterns("app", &["a*"]), "/*\n!/*/\n/app/\n!/app/*/\n/app/a\\*/\n");
    }

    #[test]
    fn a_folder_in_another_one_adds_nothing() {
        assert_eq!(patterns("", &["a/b/c", "a"]), "/*\n!/*/\n/a/\n");
        assert_eq!(patterns("", &["a", "."]), "/*\n");
    }

    #[test]
    fn a_folder_outside_of_the_workspace_is_refused() {
        for folder in ["..", "a/../b", "/a", "a\nb"] {
            let refused = Cone::new(Path::new("app"), &[folder.to_owned()]).unwrap_err();
            assert!(matches!(&refused, GitError::NotInWorkspace(named) if named == folder));
        }
        assert_eq!(Cone::new(Path::new("app"), &[]).unwrap(), None);
    }
}
