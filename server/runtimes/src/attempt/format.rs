//! How the files of the folder are written and read: JSON with the version of its format.
//!
//! A build reads the version that it writes and the one before, since a shim outlives an exchange of the
//! daemon for the next build.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

/// The version that this build writes.
pub const VERSION: u32 = 1;
/// The oldest one that it reads: the one before, from version 2 on.
const OLDEST: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Envelope<T> {
    version: u32,
    body: T,
}

#[derive(Deserialize)]
struct Head {
    version: u32,
}

pub(super) fn encode(body: &impl Serialize) -> io::Result<Vec<u8>> {
    Ok(serde_json::to_vec(&Envelope { version: VERSION, body })?)
}

/// Reads what [`encode`] wrote. `path` is for the error.
pub(super) fn decode<T: DeserializeOwned>(path: &Path, text: &[u8]) -> io::Result<T> {
    let malformed = |error: serde_json::Error| invalid(path, &error.to_string());
    let Head { version } = serde_json::from_slice(text).map_err(malformed)?;
    if !(OLDEST..=VERSION).contains(&version) {
        let text = format!("has format {version}, and this build reads {OLDEST} to {VERSION}");
        return Err(invalid(path, &text));
    }
    Ok(serde_json::from_slice::<Envelope<T>>(text).map_err(malformed)?.body)
}

fn invalid(path: &Path, problem: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{}: {problem}", path.display()))
}

/// Adds the path to an error.
pub(crate) fn at(path: &Path) -> impl FnOnce(io::Error) -> io::Error {
    move |error| io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// The content of a file that may not be there.
pub(super) fn read_if_there(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(at(path)(error)),
    }
}

/// A name beside `path` that nobody else uses and no reader takes for the file itself.
pub(super) fn unfinished(path: &Path) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.{count}", std::process::id()))
}

/// Publishes the file under a name that must be free. `false`: it is taken.
pub(super) fn publish_new(path: &Path, text: &[u8]) -> io::Result<bool> {
    let unfinished = unfinished(path);
    let write = || {
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&unfinished)?
            .write_all(text)?;
        link_new(&unfinished, path)
    };
    let published = write().map_err(at(path));
    // It may not even have been created.
    let _ = fs::remove_file(&unfinished);
    published
}

/// Writes a new file that survives a loss of power once it has its name.
pub(super) fn write_synced(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text)?;
    file.sync_all()
}

/// Gives a file its name, in the place of what had it. Durable when it returns.
pub(super) fn rename_synced(unfinished: &Path, path: &Path) -> io::Result<()> {
    fs::rename(unfinished, path).map_err(at(path))?;
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all().map_err(at(folder)),
        None => Ok(()),
    }
}

/// Gives a file a further name, which must be free: `rename` would replace what is there. `false`: it
/// is taken.
pub(super) fn link_new(unfinished: &Path, path: &Path) -> io::Result<bool> {
    match fs::hard_link(unfinished, path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_versions_are_named_and_refused() {
        let path = Path::new("/a/spec.json");
        assert_eq!(decode::<u8>(path, &encode(&7).unwrap()).unwrap(), 7);
        let refused = |text: &str| decode::<u8>(path, text.as_bytes()).unwrap_err().to_string();
        assert_eq!(
            refused(r#"{"version":2,"body":{"new":[]}}"#),
            "/a/spec.json: has format 2, and this build reads 1 to 1"
        );
        assert!(refused("").starts_with("/a/spec.json: EOF"));
    }

    #[test]
    fn a_published_name_is_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("claim");
        assert!(publish_new(&path, b"first").unwrap());
        assert!(!publish_new(&path, b"second").unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
