//! The checkout that a chore works on: its files, its packages, and how cargo is called in it.

use anyhow::{Context as _, ensure};
use serde::Deserialize;
use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Compiled into everything that the tests use, and inert until a test arms a point.
pub(crate) const FEATURES: [&str; 2] = ["--features", "failpoints"];

/// The folder of the workspace's `Cargo.toml`.
pub(crate) fn root() -> anyhow::Result<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = here.parent().context("xtask lies in no folder")?;
    ensure!(root.join("Cargo.toml").is_file(), "{} has gone; build xtask again", root.display());
    Ok(root.to_owned())
}

/// Cargo, of the toolchain that built this program, in the checkout.
pub(crate) fn cargo(root: &Path) -> Command {
    let program = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(program);
    command.current_dir(root);
    command
}

/// Runs a command and returns what it printed.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<Vec<u8>> {
    let output = command.output().with_context(|| format!("start {command:?}"))?;
    ensure!(
        output.status.success(),
        "{command:?} ended with {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(output.stdout)
}

/// One file that is, or would be, committed.
pub(crate) struct SourceFile {
    /// Relative to the checkout, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// Every text file that git tracks, or would track if it were added now.
pub(crate) fn files(root: &Path) -> anyhow::Result<Vec<SourceFile>> {
    let mut git = Command::new("git");
    git.current_dir(root).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let listed = String::from_utf8(output(&mut git)?).context("a file's name is not UTF-8")?;
    let mut files = Vec::new();
    for path in listed.split_terminator('\0') {
        // A tracked file that was deleted is still listed; a binary file has no lines to check.
        if let Ok(text) = fs::read_to_string(root.join(path)) {
            files.push(SourceFile { path: path.to_owned(), text });
        }
    }
    Ok(files)
}

/// A package of the workspace, as `cargo metadata` describes it.
#[derive(Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) manifest_path: PathBuf,
    pub(crate) dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// Absent for a normal one; else `dev` or `build`.
    pub(crate) kind: Option<String>,
    /// Present when it is a package of this workspace.
    pub(crate) path: Option<PathBuf>,
}

pub(crate) fn packages(root: &Path) -> anyhow::Result<Vec<Package>> {
    Ok(metadata(root)?.packages)
}

/// Where cargo puts what it builds, by the developer's own configuration.
pub(crate) fn target_directory(root: &Path) -> anyhow::Result<PathBuf> {
    Ok(metadata(root)?.target_directory)
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    target_directory: PathBuf,
}

fn metadata(root: &Path) -> anyhow::Result<Metadata> {
    let json = output(cargo(root).args(["metadata", "--format-version=1", "--no-deps"]))?;
    serde_json::from_slice(&json).context("read `cargo metadata`")
}
