//! `cargo xtask soak`: the tests whose names hold `soak`, in full size and with a seed.
//!
//! `cargo xtask test` runs the same tests in small; they read their size and their seed through
//! the testkit.

use crate::{
    checkout::{self, FEATURES, cargo},
    processes,
    test::Suite,
};
use anyhow::{Context as _, ensure};
use std::{
    ffi::OsString,
    time::{Instant, SystemTime},
};

#[derive(Default)]
pub(crate) struct Options {
    /// Repeats an earlier soak.
    pub(crate) seed: Option<u64>,
    /// Passed on to nextest.
    pub(crate) nextest: Vec<OsString>,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let root = checkout::root()?;
    processes::adopt_orphans()?;
    let seed = match options.seed {
        Some(seed) => seed,
        // Truncated: the low bits are those that differ from one soak to the next.
        None => SystemTime::UNIX_EPOCH.elapsed().context("read the clock")?.as_nanos() as u64,
    };
    println!("seed {seed}; repeat with: cargo xtask soak --seed {seed}");

    let mut build = cargo(&root);
    build.args(["build", "--workspace", "--bins", "--tests"]).args(FEATURES);
    let status = build.status().context("start cargo")?;
    ensure!(status.success(), "the build ended with {status}");

    let mut arguments: Vec<OsString> =
        ["--profile", "soak", "-E", "test(soak)"].map(OsString::from).into();
    arguments.extend(options.nextest.iter().cloned());
    let environment =
        [("ORCHESTRA_TEST_SIZE", "full".to_owned()), ("ORCHESTRA_TEST_SEED", seed.to_string())];
    let suite = Suite { root: &root, arguments: &arguments, environment: &environment };
    if suite.is_empty()? {
        println!("no test is named soak yet");
        return Ok(());
    }
    let started = Instant::now();
    suite.run()?;
    println!("soaked for {:.0} s with seed {seed}", started.elapsed().as_secs_f64());
    Ok(())
}
