//! Finding the root of the workspace that a folder belongs to.

use std::path::{Path, PathBuf};

/// Why a folder is in no workspace.
#[derive(Debug, thiserror::Error)]
pub enum RootError {
    #[error("open the folder {}: {source}", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("use {} as a workspace: it is {what}", path.display())]
    TooWide { path: PathBuf, what: &'static str },
}

/// The nearest ancestor with `.orchestra/`, else the top level of the git repository, else the folder
/// itself; canonical. Never the home folder or `/`: agents would get at everything.
pub fn find(folder: &Path, home: Option<&Path>) -> Result<PathBuf, RootError> {
    let folder = folder
        .canonicalize()
        .and_then(|folder| folder.read_dir().map(|_| folder))
        .map_err(|source| RootError::Unreadable { path: folder.to_owned(), source })?;
    let home = home.and_then(|home| home.canonicalize().ok());
    let too_wide = |path: &Path| {
        if path.parent().is_none() {
            Some("the root of the file system")
        } else if home.as_deref() == Some(path) {
            Some("the home folder")
        } else {
            None
        }
    };
    let nearest = |name: &str| {
        folder
            .ancestors()
            .filter(|ancestor| too_wide(ancestor).is_none())
            .find(|ancestor| ancestor.join(name).exists())
    };
    let root = nearest(".orchestra").or_else(|| nearest(".git")).unwrap_or(&folder);
    match too_wide(root) {
        Some(what) => Err(RootError::TooWide { path: root.to_owned(), what }),
        None => Ok(root.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::create_dir_all;

    #[test]
    fn the_nearest_orchestra_folder_wins_over_the_repository() {
        let scratch = tempfile::tempdir().unwrap();
        let top = scratch.path().canonicalize().unwrap();
        create_dir_all(top.join("repo/.git")).unwrap();
        create_dir_all(top.join("repo/part/.orchestra")).unwrap();
        create_dir_all(top.join("repo/part/deep")).unwrap();
        create_dir_all(top.join("repo/other")).unwrap();
        create_dir_all(top.join("plain")).unwrap();
        let root = |folder: &str| find(&top.join(folder), None).unwrap();
        assert_eq!(root("repo/part/deep"), top.join("repo/part"));
        assert_eq!(root("repo/other"), top.join("repo"));
        assert_eq!(root("plain"), top.join("plain"));
    }

    #[test]
    fn home_and_the_file_system_are_no_workspace() {
        let scratch = tempfile::tempdir().unwrap();
        let home = scratch.path();
        create_dir_all(home.join(".orchestra")).unwrap();
        create_dir_all(home.join("project")).unwrap();
        assert!(matches!(find(home, Some(home)), Err(RootError::TooWide { .. })));
        assert!(matches!(find(Path::new("/"), None), Err(RootError::TooWide { .. })));
        let project = home.join("project").canonicalize().unwrap();
        assert_eq!(find(&project, Some(home)).unwrap(), project);
        let missing = find(&home.join("missing"), None).unwrap_err().to_string();
        assert!(missing.contains("missing"), "{missing}");
    }
}
