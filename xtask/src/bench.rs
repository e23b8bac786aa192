//! `cargo xtask bench`: what Orchestra needs for its work, beside floors and peers of the same run.

mod floors;
mod group;
mod peers;
mod product;
mod rows;
mod sampled;
mod table;

use crate::checkout;
use anyhow::ensure;
use group::Group;
use std::path::PathBuf;
use tempfile::TempDir;

pub(crate) struct Options {
    pub(crate) json: bool,
    /// How often each row is measured; medians are printed.
    pub(crate) rounds: usize,
    /// How long the history is before rows that depend on it are measured.
    pub(crate) tasks: usize,
    /// The groups to measure; all when empty.
    pub(crate) groups: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self { json: false, rounds: 31, tasks: 10_000, groups: Vec::new() }
    }
}

/// What the rows of a group may use while they are measured.
struct Bench {
    root: PathBuf,
    scratch: TempDir,
    tasks: usize,
}

type Prepare = fn(&Bench) -> anyhow::Result<Group>;

/// Each group prepares what it needs, is measured, and lets go of it before the next begins.
const GROUPS: [(&str, Prepare); 21] = [
    ("processes", floors::processes),
    ("files", floors::files),
    ("pueue", peers::pueue),
    ("hop", rows::hop::rows),
    ("history", rows::history::rows),
    ("pure", rows::steps::pure),
    ("many", rows::steps::many),
    ("spawned", rows::steps::spawned),
    ("confinement", rows::trees::confinement),
    ("small-trees", rows::trees::small),
    ("new-trees", rows::trees::new),
    ("trees", rows::trees::used),
    ("radar", rows::trees::radar),
    ("merge", rows::trees::merge),
    ("apply", rows::trees::apply),
    ("blame", rows::trees::blame),
    ("agent", rows::agents::one),
    ("thousand", rows::agents::thousand),
    ("cold", rows::daemon::cold),
    ("memory", rows::daemon::memory),
    ("recovery", rows::daemon::recovery),
];

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    for name in &options.groups {
        let names = GROUPS.map(|(name, _)| name);
        ensure!(names.contains(&name.as_str()), "there is no group {name}; there are {names:?}");
    }
    ensure!(options.rounds > 0, "a median needs at least one round");
    let bench =
        Bench { root: checkout::root()?, scratch: tempfile::tempdir()?, tasks: options.tasks };
    let mut lines = Vec::new();
    for (name, prepare) in GROUPS {
        if options.groups.is_empty() || options.groups.iter().any(|chosen| chosen == name) {
            eprintln!("measuring {name}");
            lines.extend(prepare(&bench)?.measure(name, options.rounds)?);
        }
    }
    if options.json {
        println!("{}", serde_json::to_string_pretty(&lines)?);
    } else {
        print!("{}", table::render(&lines));
    }
    let over = lines.iter().filter(|line| line.verdict == Some(group::Verdict::Over)).count();
    ensure!(over == 0, "{over} of {} rows miss their goal", lines.len());
    Ok(())
}
