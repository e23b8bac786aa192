//! What the tests with real tools need, installed by the clients of package managers: once for each version,
//! outside `target/`.

use crate::{checkout::output, tools::tools_folder};
use anyhow::Context as _;
use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Duration,
};

/// How often a download is tried, and how long is waited after the first failure; twice that after the next.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_secs(3);

/// A program as its makers publish it.
pub(crate) struct Package {
    pub(crate) name: &'static str,
    /// None for one of the system, which has one version.
    version: Option<&'static str>,
    program: &'static str,
    source: Source,
}

/// Who publishes it, and by what it is installed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    Npm,
    PyPi,
    /// Debian and its kin; unpacked, so that it takes no rights and changes nothing of the system.
    Debian,
}

/// Every package, for the check of `docs/dependencies.md`.
pub(crate) const ALL: [Package; 4] = [
    Package {
        name: "@openai/codex",
        version: Some("0.169.0"),
        program: "codex",
        source: Source::Npm,
    },
    Package {
        name: "@google/gemini-cli",
        version: Some("0.61.0"),
        program: "gemini",
        source: Source::Npm,
    },
    Package { name: "uv", version: Some("0.13.9"), program: "uv", source: Source::PyPi },
    Package { name: "bubblewrap", version: None, program: "bwrap", source: Source::Debian },
];

/// What is there now.
pub(crate) struct Installed {
    /// PATH with the programs of all packages in front.
    pub(crate) path: OsString,
    /// One word or two for each package.
    pub(crate) summary: String,
}

/// Installs what is missing.
pub(crate) fn install() -> anyhow::Result<Installed> {
    let (mut folders, mut words) = (Vec::new(), Vec::new());
    for package in &ALL {
        let program = package.program;
        if package.source == Source::Debian && (!is_on_path("apt-get") || is_on_path(program)) {
            let there = if is_on_path(program) { "the system's" } else { "not to be had here" };
            words.push(format!("{program} ({there})"));
            continue;
        }
        folders.push(package.folder()?);
        words.push(match package.version {
            Some(version) => format!("{program} {version}"),
            None => program.to_owned(),
        });
    }
    let of_user = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths(folders.into_iter().chain(env::split_paths(&of_user)))
        .context("put the programs of the packages on PATH")?;
    Ok(Installed { path, summary: words.join(", ") })
}

fn is_on_path(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

impl Package {
    /// The folder with its program.
    fn folder(&self) -> anyhow::Result<PathBuf> {
        let tools = tools_folder()?;
        let home = tools.join(format!("{}-{}", self.program, self.version.unwrap_or("system")));
        let programs = home.join(match self.source {
            Source::Npm => "node_modules/.bin",
            Source::PyPi => "bin",
            Source::Debian => "usr/bin",
        });
        if !programs.join(self.program).is_file() {
            self.install(&tools, &home)
                .with_context(|| format!("install {} for the tests with real tools", self.name))?;
            let program = programs.join(self.program);
            anyhow::ensure!(program.is_file(), "{} brings no {}", self.name, program.display());
        }
        Ok(programs)
    }

    /// Whole or not at all: what an interrupted download leaves is never taken for the program.
    fn install(&self, tools: &Path, home: &Path) -> anyhow::Result<()> {
        eprintln!("installing {} into {}", self.name, home.display());
        fs::create_dir_all(tools).with_context(|| format!("create {}", tools.display()))?;
        let attempt = || -> anyhow::Result<()> {
            let new = tempfile::Builder::new().prefix("new-").tempdir_in(tools)?;
            self.download(new.path())?;
            if home.exists() {
                fs::remove_dir_all(home)?;
            }
            fs::rename(new.path(), home)?;
            Ok(())
        };
        let mut pause = PAUSE;
        for left in (0..TRIES).rev() {
            match attempt() {
                Err(error) if left > 0 => {
                    eprintln!("that failed, once more in {} s: {error:#}", pause.as_secs());
                    thread::sleep(pause);
                    pause *= 2;
                }
                result => return result,
            }
        }
        Ok(())
    }

    fn download(&self, to: &Path) -> anyhow::Result<()> {
        match self.source {
            Source::Npm => {
                let package = format!("{}@{}", self.name, self.version.unwrap_or("latest"));
                let mut npm = Command::new("npm");
                npm.args(["install", "--ignore-scripts", "--no-audit", "--no-fund"]);
                npm.args(["--no-package-lock", "--no-save", "--prefix"]).arg(to).arg(package);
                output(&mut npm).context("npm comes with Node.js, which agent programs need")?;
            }
            Source::PyPi => {
                let package = match self.version {
                    Some(version) => format!("{}=={version}", self.name),
                    None => self.name.to_owned(),
                };
                let mut pip = Command::new("python3");
                pip.args(["-m", "pip", "install", "--quiet", "--no-deps", "--target"]).arg(to);
                output(pip.arg(package))
                    .context("pip comes with Python, on Debian as python3-pip")?;
            }
            Source::Debian => self.unpack(to)?,
        }
        Ok(())
    }

    fn unpack(&self, to: &Path) -> anyhow::Result<()> {
        if let Err(error) = self.fetch(to, &[]) {
            // A system that was made small has no lists of packages; these are for us alone.
            let lists = to.join("lists");
            fs::create_dir_all(lists.join("partial"))?;
            let own = [format!("Dir::State::Lists={}", lists.display())];
            let mut update = apt_get(to, &own);
            output(update.arg("update")).with_context(|| format!("after {error:#}"))?;
            self.fetch(to, &own)?;
        }
        for file in fs::read_dir(to)?.flatten().map(|entry| entry.path()) {
            if file.extension().is_some_and(|end| end == "deb") {
                output(Command::new("dpkg").arg("-x").arg(file).arg(to))?;
            }
        }
        Ok(())
    }

    fn fetch(&self, to: &Path, options: &[String]) -> anyhow::Result<Vec<u8>> {
        output(apt_get(to, options).args(["download", self.name]))
    }
}

/// It downloads into the folder that it is started in.
fn apt_get(folder: &Path, options: &[String]) -> Command {
    let mut apt = Command::new("apt-get");
    apt.current_dir(folder).arg("--quiet=2");
    apt.args(options.iter().flat_map(|option| ["-o", option]));
    apt
}
