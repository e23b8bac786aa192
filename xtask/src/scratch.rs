//! A home for the tests, so that a forgetful one cannot touch the developer's own state.

use anyhow::{Context as _, ensure};
use std::{
    env, fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};
use tempfile::TempDir;

/// Where programs keep what belongs to the user, and the folder that stands in for it.
const OF_THE_USER: [(&str, &str); 6] = [
    ("HOME", "home"),
    ("XDG_CACHE_HOME", "cache"),
    ("XDG_CONFIG_HOME", "config"),
    ("XDG_DATA_HOME", "data"),
    ("XDG_RUNTIME_DIR", "run"),
    ("XDG_STATE_HOME", "state"),
];

/// Variables with these beginnings steer git, Orchestra or failpoints, and would steer the tests.
const STEERING: [&str; 3] = ["GIT_", "ORCHESTRA_", "FAILPOINTS"];

pub(crate) struct Scratch {
    folder: TempDir,
}

impl Scratch {
    pub(crate) fn new() -> anyhow::Result<Self> {
        // Sockets have about 100 bytes for their path, and TMPDIR may use up half of them.
        let short = Path::new("/tmp");
        let parent = if short.is_dir() { short.to_owned() } else { env::temp_dir() };
        let folder = tempfile::Builder::new()
            .prefix("orc-")
            .tempdir_in(&parent)
            .with_context(|| format!("create a folder in {}", parent.display()))?;
        let scratch = Self { folder };
        for (_, name) in OF_THE_USER {
            fs::create_dir(scratch.path(name)).context("create the scratch folders")?;
        }
        fs::create_dir(scratch.path("tmp")).context("create the scratch folders")?;
        fs::set_permissions(scratch.path("run"), fs::Permissions::from_mode(0o700))
            .context("close the runtime folder")?;
        Ok(scratch)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Gives a command this home in place of the user's.
    pub(crate) fn apply(&self, command: &mut Command) -> anyhow::Result<()> {
        // Cargo and rustup keep their downloads below HOME unless told otherwise.
        let home = env::var_os("HOME").map(PathBuf::from).context("HOME is not set")?;
        for (variable, below) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
            if env::var_os(variable).is_none() {
                command.env(variable, home.join(below));
            }
        }
        for (name, _) in env::vars_os() {
            let text = name.to_string_lossy();
            if STEERING.iter().any(|beginning| text.starts_with(beginning)) {
                command.env_remove(&name);
            }
        }
        for (variable, name) in OF_THE_USER {
            command.env(variable, self.path(name));
        }
        command.env("GIT_CONFIG_NOSYSTEM", "1").env("TMPDIR", self.path("tmp"));
        Ok(())
    }

    /// Fails when something was written where a user's files would have been.
    pub(crate) fn check_untouched(&self) -> anyhow::Result<()> {
        let mut written = Vec::new();
        for (variable, name) in OF_THE_USER {
            let folder = self.path(name);
            for path in files_below(&folder)? {
                let inside = path.strip_prefix(&folder).unwrap_or(&path);
                written.push(format!("  ${variable}/{}", inside.display()));
            }
        }
        ensure!(
            written.is_empty(),
            "a test wrote outside its sandbox, into what stands in for the user's folders:\n{}",
            written.join("\n")
        );
        Ok(())
    }
}

/// Everything in a folder that is no folder, and the folders that are empty.
fn files_below(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))? {
        let entry = entry.with_context(|| format!("read {}", folder.display()))?;
        if !entry.file_type()?.is_dir() {
            found.push(entry.path());
            continue;
        }
        let below = files_below(&entry.path())?;
        if below.is_empty() {
            found.push(entry.path());
        }
        found.extend(below);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_test_writes_into_the_home_is_named() {
        let scratch = Scratch::new().unwrap();
        scratch.check_untouched().unwrap();

        let status = {
            let mut forgetful = Command::new("sh");
            forgetful.args(["-c", "mkdir -p $XDG_STATE_HOME/orchestra && : > $HOME/.profile"]);
            scratch.apply(&mut forgetful).unwrap();
            forgetful.status().unwrap()
        };

        assert!(status.success());
        let message = scratch.check_untouched().unwrap_err().to_string();
        assert!(message.contains("$HOME/.profile"), "{message}");
        assert!(message.contains("$XDG_STATE_HOME/orchestra"), "{message}");
    }
}
