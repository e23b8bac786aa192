//! Artifacts: files that tasks hand over, kept once for each content under the hash of it.

use crate::files;
use data_encoding::HEXLOWER;
use orchestra_core::outcome::Artifact;
use sha2::{Digest as _, Sha256};
use std::{
    fs, io,
    path::{Component, Path, PathBuf},
    sync::Arc,
};

/// The store of artifacts of one workspace. Cheap to clone; any thread may use it.
#[derive(Debug, Clone)]
pub struct Artifacts {
    folder: Arc<Path>,
}

impl Artifacts {
    /// `dir` is the state folder of the workspace.
    pub fn of(dir: &Path) -> Self {
        Self { folder: dir.join("artifacts").into() }
    }

    /// Keeps `content`, which shall appear at `path` below `.orchestra/workspace/`.
    ///
    /// When this returns, the content survives a loss of power. Fails with `InvalidInput` when
    /// `path` is not a plain relative path with `/` between its parts.
    pub fn put(&self, content: &[u8], path: &str) -> io::Result<Artifact> {
        parts(path)?;
        let sha256 = hash(content);
        let file = self.folder.join(&sha256);
        let known = fs::metadata(&file)
            .is_ok_and(|metadata| metadata.is_file() && metadata.len() == length(content));
        if !known {
            files::create_folder(&self.folder)?;
            fail::fail_point!("store::artifact::rename", |_| std::process::abort());
            files::write(&file, content)?;
        }
        Ok(Artifact { path: path.to_owned(), bytes: length(content), sha256 })
    }

    /// The content with this hash, checked against it.
    ///
    /// Fails with `InvalidInput` when `sha256` is no hash, `NotFound` when the content is gone, and
    /// `InvalidData` when it has changed.
    pub fn read(&self, sha256: &str) -> io::Result<Vec<u8>> {
        let content = fs::read(self.file(sha256)?)?;
        if hash(&content) == sha256 {
            Ok(content)
        } else {
            let message = format!("the content of artifact {sha256} has changed");
            Err(io::Error::new(io::ErrorKind::InvalidData, message))
        }
    }

    /// Whether this content was ever handed over.
    pub(crate) fn contains(&self, sha256: &str) -> bool {
        self.file(sha256).is_ok_and(|file| file.is_file())
    }

    fn file(&self, sha256: &str) -> io::Result<PathBuf> {
        let valid =
            sha256.len() == 64 && sha256.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if valid {
            Ok(self.folder.join(sha256))
        } else {
            Err(invalid(format!("`{sha256}` is no SHA-256 in lowercase hex")))
        }
    }

    pub(crate) fn remove_leftovers(&self) -> io::Result<()> {
        files::remove_leftovers(&self.folder)
    }
}

/// The folders and the file name of an artifact's path, which cannot lead out of its folder.
pub(crate) fn parts(path: &str) -> io::Result<Vec<&str>> {
    let plain = |part: &&str| matches!(Path::new(part).components().next(), Some(Component::Normal(name)) if name == *part);
    let parts: Vec<&str> = path.split('/').collect();
    if parts.iter().all(plain) && !path.contains(['\0', '\\']) {
        Ok(parts)
    } else {
        Err(invalid(format!("`{path}` is not a plain path below `.orchestra/workspace/`")))
    }
}

/// Lowercase hex SHA-256.
pub(crate) fn hash(content: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(content))
}

fn length(content: &[u8]) -> u64 {
    u64::try_from(content.len()).unwrap_or(u64::MAX)
}

fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_kept_once_and_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let artifacts = Artifacts::of(dir.path());
        let first = artifacts.put(b"report", "documentation/report.md").unwrap();
        let second = artifacts.put(b"report", "documentation/copy.md").unwrap();
        assert_eq!(first.sha256, second.sha256);
        assert_eq!((first.bytes, second.path.as_str()), (6, "documentation/copy.md"));
        assert_eq!(artifacts.read(&first.sha256).unwrap(), b"report");
        assert_eq!(fs::read_dir(dir.path().join("artifacts")).unwrap().count(), 1);
    }

    #[test]
    fn changed_content_is_noticed_and_can_be_put_again() {
        let dir = tempfile::tempdir().unwrap();
        let artifacts = Artifacts::of(dir.path());
        let artifact = artifacts.put(b"report", "report.md").unwrap();
        fs::write(dir.path().join("artifacts").join(&artifact.sha256), b"cut").unwrap();
        let error = artifacts.read(&artifact.sha256).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        artifacts.put(b"report", "report.md").unwrap();
        assert_eq!(artifacts.read(&artifact.sha256).unwrap(), b"report");
    }

    #[test]
    fn paths_and_hashes_that_lead_elsewhere_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let artifacts = Artifacts::of(dir.path());
        for path in
            ["", "/etc/passwd", "../x", "a/../b", "a//b", "a/.", "./a", "a/", "..", "a\0b", "a\\b"]
        {
            let error = artifacts.put(b"x", path).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{path:?}");
        }
        for sha256 in ["", "../lock", &"A".repeat(64)] {
            assert_eq!(
                artifacts.read(sha256).unwrap_err().kind(),
                io::ErrorKind::InvalidInput,
                "{sha256:?}"
            );
        }
        assert!(!dir.path().join("artifacts").exists());
    }
}
