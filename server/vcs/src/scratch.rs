//! A repository to throw away, in which an agent can be tried out.

use crate::GitError;
use git2::{IndexAddOption, Repository, RepositoryInitOptions, Signature};
use std::path::Path;

/// Makes the folder, which exists, a repository with one commit of everything that lies in it. Nobody's
/// templates, hooks or settings have a part in it.
pub fn create(folder: &Path) -> Result<(), GitError> {
    let failed = |error: git2::Error| GitError::Failed {
        what: "git init".to_owned(),
        place: folder.to_owned(),
        detail: error.message().to_owned(),
    };
    let mut options = RepositoryInitOptions::new();
    options.external_template(false).initial_head("main");
    let repository = Repository::init_opts(folder, &options).map_err(failed)?;
    let mut index = repository.index().map_err(failed)?;
    index.add_all(["*"], IndexAddOption::DEFAULT, None).map_err(failed)?;
    index.write().map_err(failed)?;
    let tree = index.write_tree().and_then(|id| repository.find_tree(id)).map_err(failed)?;
    let author = Signature::now("orchestra", "orchestra@localhost").map_err(failed)?;
    let message = "Everything that is here";
    repository.commit(Some("HEAD"), &author, &author, message, &tree, &[]).map(drop).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state;
    use std::fs;

    #[test]
    fn everything_in_the_folder_is_committed() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("deep")).unwrap();
        fs::write(folder.path().join("deep/a.txt"), "a").unwrap();
        create(folder.path()).unwrap();
        let folder = folder.path().canonicalize().unwrap();
        assert_eq!(state::toplevel(&folder).unwrap(), Some(folder.clone()));
        assert_eq!(state::uncommitted(&folder, 5).unwrap().total, 0);
        assert!(create(&folder.join("gone")).is_ok_and(|()| folder.join("gone").is_dir()));
    }
}
