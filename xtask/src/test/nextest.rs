//! A run of nextest in a scratch home, which must leave no process and no file behind.

use crate::{
    checkout::{FEATURES, output},
    processes,
    scratch::Scratch,
    tools::NEXTEST,
};
use anyhow::Context as _;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::{ffi::OsString, path::Path, process::Command, time::Duration};

/// How long a process that was told to end may take after the last test.
const GRACE: Duration = Duration::from_secs(2);

pub(crate) struct Suite<'a> {
    pub(crate) root: &'a Path,
    /// For nextest, after the packages and features.
    pub(crate) arguments: &'a [OsString],
    /// For the tests.
    pub(crate) environment: &'a [(&'a str, String)],
}

impl Suite<'_> {
    /// Runs the tests; nextest's own summary is the last that it prints.
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        dump_no_core();
        let scratch = Scratch::new()?;
        let status = self
            .nextest("run", &scratch)?
            .args(["--no-tests", "pass", "--cargo-quiet"])
            .args(self.arguments)
            .status()
            .context("start nextest")?;
        // All three verdicts, since a leak often explains a failure.
        let left_running = processes::verdict(&processes::end_leftovers(GRACE)?);
        let written = scratch.check_untouched();
        let failed = if status.success() {
            Ok(())
        } else {
            Err(anyhow::anyhow!(
                "nextest ended with {status}; one test alone: \
                 cargo xtask test --only tests -- -E 'test(NAME)'"
            ))
        };
        let messages: Vec<String> = [failed, left_running, written]
            .into_iter()
            .filter_map(|verdict| verdict.err().map(|error| format!("{error:#}")))
            .collect();
        anyhow::ensure!(messages.is_empty(), messages.join("\n"));
        Ok(())
    }

    /// Whether no test matches.
    pub(crate) fn is_empty(&self) -> anyhow::Result<bool> {
        let scratch = Scratch::new()?;
        let mut list = self.nextest("list", &scratch)?;
        list.args(["--message-format", "oneline", "--cargo-quiet"]).args(self.arguments);
        Ok(output(&mut list)?.trim_ascii().is_empty())
    }

    fn nextest(&self, verb: &str, scratch: &Scratch) -> anyhow::Result<Command> {
        let mut command = Command::new(NEXTEST.program(self.root, "cargo-nextest")?);
        command.current_dir(self.root).args(["nextest", verb, "--workspace"]).args(FEATURES);
        scratch.apply(&mut command)?;
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        Ok(command)
    }
}

/// Tests make programs abort, again and again; nobody reads their memory, and writing it takes time.
fn dump_no_core() {
    let maximum = getrlimit(Resource::Core).maximum;
    // Where it is refused, the tests are only slower.
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum }).ok();
}
