//! `cargo xtask test`: everything that must be green, one line for each stage, up to the first red.

mod dependencies;
mod house;
mod nextest;
mod rooms;

use crate::{
    checkout::{self, FEATURES, cargo, output},
    packages, processes,
    tools::{DENY, NEXTEST},
};
use anyhow::anyhow;
pub(crate) use nextest::Suite;
use std::{
    ffi::OsString,
    io::{self, IsTerminal as _},
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

#[derive(Default)]
pub(crate) struct Options {
    /// Also the tests that drive real editors and agents.
    pub(crate) real: bool,
    /// One stage, with the build that it needs.
    pub(crate) only: Option<String>,
    /// Passed on to nextest.
    pub(crate) nextest: Vec<OsString>,
}

struct Stage {
    name: &'static str,
    run: fn(&Path, &Options) -> anyhow::Result<Report>,
}

/// What a green stage has to say.
struct Report(String);

impl Report {
    fn quiet() -> Self {
        Self(String::new())
    }
}

const STAGES: [Stage; 11] = [
    Stage { name: "tools", run: tools },
    Stage { name: "fmt", run: fmt },
    Stage { name: "house", run: house_rules },
    Stage { name: "rooms", run: rooms_rules },
    Stage { name: "dependencies", run: dependencies_page },
    Stage { name: "deny", run: deny },
    Stage { name: "clippy", run: clippy },
    Stage { name: "build", run: build },
    Stage { name: "doctests", run: doctests },
    Stage { name: "tests", run: tests },
    Stage { name: "real", run: real },
];

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let root = checkout::root()?;
    processes::adopt_orphans()?;
    let chosen = chosen(options)?;
    let started = Instant::now();
    for stage in &chosen {
        let began = Instant::now();
        let result = (stage.run)(&root, options);
        let took = began.elapsed().as_secs_f64();
        match result {
            Ok(Report(said)) => println!("ok    {:<13}{took:>7.1} s  {said}", stage.name),
            Err(error) => {
                println!("FAIL  {:<13}{took:>7.1} s", stage.name);
                println!("{error:#}");
                let name = stage.name;
                anyhow::bail!(
                    "{name} is red; rerun only that with: cargo xtask test --only {name}"
                );
            }
        }
    }
    println!("all green in {:.0} s", started.elapsed().as_secs_f64());
    Ok(())
}

fn chosen(options: &Options) -> anyhow::Result<Vec<&'static Stage>> {
    let Some(only) = &options.only else {
        return Ok(STAGES.iter().filter(|stage| stage.name != "real" || options.real).collect());
    };
    let Some(stage) = STAGES.iter().find(|stage| stage.name == only) else {
        let names: Vec<&str> = STAGES.iter().map(|stage| stage.name).collect();
        anyhow::bail!("there is no stage {only}; there are {}", names.join(", "));
    };
    let runs_the_program = ["tests", "real"].contains(&stage.name);
    Ok(STAGES
        .iter()
        .filter(|other| other.name == stage.name || (runs_the_program && other.name == "build"))
        .collect())
}

fn tools(root: &Path, _: &Options) -> anyhow::Result<Report> {
    let mut programs = Vec::new();
    for tool in [&NEXTEST, &DENY] {
        programs.push(output(Command::new(tool.program(root, tool.name)?).arg("--version"))?);
    }
    let versions: Vec<String> = programs
        .iter()
        .filter_map(|printed| Some(String::from_utf8_lossy(printed).lines().next()?.to_owned()))
        .collect();
    Ok(Report(versions.join(", ")))
}

fn fmt(root: &Path, _: &Options) -> anyhow::Result<Report> {
    run_aloud(cargo(root).args(["fmt", "--all", "--check"]))?;
    Ok(Report::quiet())
}

fn house_rules(root: &Path, _: &Options) -> anyhow::Result<Report> {
    let files = checkout::files(root)?;
    house::check(root, &files)?;
    Ok(Report(format!("{} files", files.len())))
}

fn rooms_rules(root: &Path, _: &Options) -> anyhow::Result<Report> {
    let packages = checkout::packages(root)?;
    rooms::check(&packages)?;
    Ok(Report(format!("{} packages", packages.len())))
}

fn dependencies_page(root: &Path, _: &Options) -> anyhow::Result<Report> {
    let named = dependencies::check(root, &checkout::packages(root)?)?;
    Ok(Report(format!("{named} with their reasons")))
}

fn deny(root: &Path, _: &Options) -> anyhow::Result<Report> {
    let mut deny = Command::new(DENY.program(root, "cargo-deny")?);
    deny.current_dir(root).args(["--log-level", "error", "--all-features", "check"]);
    // Its verdicts go to the standard output and its reasons to the other; all are shown when red.
    output(deny.args(["bans", "licenses", "sources"]))?;
    Ok(Report::quiet())
}

fn clippy(root: &Path, _: &Options) -> anyhow::Result<Report> {
    let mut clippy = cargo(root);
    clippy.arg("clippy").args(quiet_in_a_pipe()).args(["--workspace", "--all-targets"]);
    run_aloud(clippy.args(FEATURES).args(["--", "-D", "warnings"]))?;
    Ok(Report::quiet())
}

/// The programs and the tests in one go, so that both use the same build of every dependency:
/// features are unified with those of the tests as soon as one test is asked for.
fn build(root: &Path, _: &Options) -> anyhow::Result<Report> {
    let mut build = cargo(root);
    build.arg("build").args(quiet_in_a_pipe()).args(["--workspace", "--bins", "--tests"]);
    run_aloud(build.args(FEATURES))?;
    Ok(Report::quiet())
}

fn tests(root: &Path, options: &Options) -> anyhow::Result<Report> {
    Suite { root, arguments: &options.nextest, environment: &[] }.run()?;
    Ok(Report("no process and no file left behind".to_owned()))
}

fn doctests(root: &Path, _: &Options) -> anyhow::Result<Report> {
    let mut test = cargo(root);
    // Cargo prints a result for every package, also for those without doc tests.
    output(test.args(["test", "--quiet", "--workspace", "--doc"]).args(FEATURES))?;
    Ok(Report::quiet())
}

fn real(root: &Path, _: &Options) -> anyhow::Result<Report> {
    let packages::Installed { path, summary } = packages::install()?;
    let path = path.into_string().map_err(|path| anyhow!("PATH is no text: {}", path.display()))?;
    let filter: [OsString; 3] = ["--ignore-default-filter", "-E", REAL_TESTS].map(OsString::from);
    Suite { root, arguments: &filter, environment: &[("PATH", path)] }.run()?;
    Ok(Report(summary))
}

/// Those that the default filter in `.config/nextest.toml` leaves out.
const REAL_TESTS: &str = r"test(/(^|::)real_/)";

/// Cargo's list of what it compiles is progress on a terminal, and noise in a pipe.
fn quiet_in_a_pipe() -> Option<&'static str> {
    (!io::stderr().is_terminal()).then_some("--quiet")
}

/// Runs a command that shows its own progress and reasons.
fn run_aloud(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status()?;
    anyhow::ensure!(status.success(), "{} ended with {status}", shown(command));
    Ok(())
}

/// A command as one would type it.
fn shown(command: &Command) -> String {
    let program = PathBuf::from(command.get_program());
    let name = program.file_name().unwrap_or(command.get_program()).to_string_lossy();
    let arguments = command.get_args().map(|argument| argument.to_string_lossy());
    std::iter::once(name).chain(arguments).collect::<Vec<_>>().join(" ")
}
