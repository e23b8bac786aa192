//! The programs that chores need: each version is installed once, outside `target/`.

use crate::checkout::{cargo, output};
use anyhow::{Context as _, ensure};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

pub(crate) struct Tool {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    /// The oldest version on `PATH` that does as well; none where the version changes verdicts.
    accepted: Option<[u32; 3]>,
    /// Measured on two cores from nothing: cargo-deny takes 49 s with the development profile and
    /// cargo-nextest 111 s, which no test run wins back. Peers of a benchmark have to be optimised.
    optimised: bool,
    features: &'static [&'static str],
}

pub(crate) const NEXTEST: Tool = Tool {
    name: "cargo-nextest",
    version: "0.9.143",
    // Knows every key of `.config/nextest.toml`.
    accepted: Some([0, 9, 100]),
    optimised: false,
    features: &["--no-default-features", "--features", "default-no-update"],
};

pub(crate) const DENY: Tool =
    Tool { name: "cargo-deny", version: "0.20.2", accepted: None, optimised: false, features: &[] };

pub(crate) const PUEUE: Tool =
    Tool { name: "pueue", version: "4.0.4", accepted: None, optimised: true, features: &[] };

/// Every tool, for the check of `docs/dependencies.md`.
pub(crate) const ALL: [&Tool; 3] = [&NEXTEST, &DENY, &PUEUE];

impl Tool {
    /// The folder with the tool's programs, or `None` when the one on `PATH` will do. Installs
    /// what is missing.
    fn folder(&self, root: &Path) -> anyhow::Result<Option<PathBuf>> {
        if self.on_path_will_do() {
            return Ok(None);
        }
        let home = tools_folder()?.join(format!("{}-{}", self.name, self.version));
        let programs = home.join("bin");
        if !programs.join(self.name).is_file() {
            self.install(root, &home)?;
        }
        Ok(Some(programs))
    }

    /// The path of one of the tool's programs.
    pub(crate) fn program(&self, root: &Path, name: &str) -> anyhow::Result<PathBuf> {
        Ok(match self.folder(root)? {
            Some(folder) => folder.join(name),
            None => PathBuf::from(name),
        })
    }

    fn on_path_will_do(&self) -> bool {
        let Some(accepted) = self.accepted else { return false };
        let Ok(printed) = output(Command::new(self.name).arg("--version")) else { return false };
        version_in(&String::from_utf8_lossy(&printed)).is_some_and(|found| found >= accepted)
    }

    fn install(&self, root: &Path, home: &Path) -> anyhow::Result<()> {
        eprintln!("installing {} {} into {}", self.name, self.version, home.display());
        let build = home.join("build");
        let mut install = cargo(root);
        install.args(["install", "--locked", "--version", self.version, self.name, "--root"]);
        install.arg(home).args(self.features).env("CARGO_TARGET_DIR", &build);
        if !self.optimised {
            install.args(["--profile", "dev"]);
            install.env("CARGO_PROFILE_DEV_DEBUG", "false");
            install.env("CARGO_PROFILE_DEV_INCREMENTAL", "false");
        }
        let status = install.status().context("start cargo")?;
        ensure!(status.success(), "install {}; rerun: {install:?}", self.name);
        fs::remove_dir_all(&build).with_context(|| format!("remove {}", build.display()))
    }
}

/// Where chores keep what they have installed.
pub(crate) fn tools_folder() -> anyhow::Result<PathBuf> {
    let cache = match env::var_os("XDG_CACHE_HOME").filter(|path| Path::new(path).is_absolute()) {
        Some(cache) => PathBuf::from(cache),
        None => {
            let home = env::var_os("HOME").context("neither XDG_CACHE_HOME nor HOME is set")?;
            PathBuf::from(home).join(".cache")
        }
    };
    Ok(cache.join("orchestra-dev").join("tools"))
}

/// The first `a.b.c` of what a program prints about itself.
fn version_in(printed: &str) -> Option<[u32; 3]> {
    printed.split_whitespace().find_map(|word| {
        let mut numbers = word.split('.').map(str::parse);
        let version = [numbers.next()?.ok()?, numbers.next()?.ok()?, numbers.next()?.ok()?];
        numbers.next().is_none().then_some(version)
    })
}

#[cfg(test)]
mod tests {
    use super::version_in;

    #[test]
    fn the_version_is_found_in_what_a_tool_prints() {
        assert_eq!(version_in("cargo-nextest 0.9.143 (60fa45f63 2026-08-04)"), Some([0, 9, 143]));
        assert_eq!(version_in("cargo-deny 0.20.2\n"), Some([0, 20, 2]));
        assert_eq!(version_in("no version at all 1.2"), None);
    }
}
