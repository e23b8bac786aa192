//! Real repositories, made with git itself.

use orchestra_vcs::repo::GitRepo;
use std::{fs, path::Path, process::Command};
use tempfile::TempDir;

/// Runs git with an environment of its own: no configuration of the machine, fixed author and time.
pub(crate) fn git(dir: &Path, seconds: u32, arguments: &[&str]) {
    let date = format!("@{seconds} +0000");
    let output = Command::new("git")
        .current_dir(dir)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_AUTHOR_DATE", &date)
        .env("GIT_COMMITTER_DATE", &date)
        .args(["-c", "user.name=Ada", "-c", "user.email=ada@example.org"])
        .args(["-c", "init.defaultBranch=main", "-c", "protocol.file.allow=always"])
        .args(arguments)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "git {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

pub(crate) fn commit(dir: &Path, seconds: u32, message: &str) {
    git(dir, seconds, &["add", "-A"]);
    git(dir, seconds, &["commit", "-q", "--allow-empty", "-m", message]);
}

pub(crate) fn write(dir: &Path, path: &str, content: impl AsRef<[u8]>) {
    let path = dir.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

pub(crate) fn open(root: &Path) -> GitRepo {
    GitRepo::open(root).unwrap().unwrap()
}

/// Three commits: two files, one of them changed, one of them gone.
pub(crate) fn small() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    git(dir.path(), 0, &["init", "-q"]);
    write(dir.path(), "a.txt", "one\ntwo\nthree\n");
    write(dir.path(), "sub/b.txt", "x\ny");
    commit(dir.path(), 100, "first\n\nwith a body");
    write(dir.path(), "a.txt", "one\n2\nthree\nfour\n");
    commit(dir.path(), 200, "second");
    fs::remove_file(dir.path().join("sub/b.txt")).unwrap();
    commit(dir.path(), 300, "third");
    dir
}
