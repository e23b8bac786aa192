//! Snapshots, trees, collecting, merging, applying, the radar and blame, beside git's own ways to the same; and what it costs to hold a process.

use super::super::{
    Bench,
    floors::release_program,
    group::{Goal, Group},
    sampled::Sampled,
};
use crate::checkout::target_directory;
use anyhow::Context as _;
use std::{ffi::OsString, fs};
use tempfile::TempDir;

/// Each row, and the floor that it is divided by.
type Table = &'static [(&'static str, Option<&'static str>)];

const NEW: Table = &[
    ("git worktree add", None),
    ("git clone --shared", Some("git worktree add")),
    ("tree, new slot", Some("git worktree add")),
];

const USED: Table = &[
    ("git status, quiet", None),
    ("what is not committed, quiet", Some("git status, quiet")),
    ("snapshot, quiet", Some("git status, quiet")),
    ("git status, 10 changed", None),
    ("snapshot, 10 changed", Some("git status, 10 changed")),
    ("git status, times unknown", None),
    ("snapshot, times unknown", Some("git status, times unknown")),
    ("git status in the tree, quiet", None),
    ("tree, used slot, same commit", Some("git status in the tree, quiet")),
    ("tree, used slot, 10 files differ", Some("git status in the tree, quiet")),
    ("collect, nothing changed", Some("git status in the tree, quiet")),
    ("git status in the tree, 10 changed", None),
    ("collect, 10 changed", Some("git status in the tree, 10 changed")),
    ("git status in the tree, 1000 new", None),
    ("collect, 1000 new", Some("git status in the tree, 1000 new")),
];

const RADAR: Table = &[
    ("git status, quiet", None),
    ("radar, first look", Some("git status, quiet")),
    ("radar, quiet", Some("git status, quiet")),
    ("git status in a tree, 10 changed", None),
    ("radar, 10 changed in both trees", Some("git status in a tree, 10 changed")),
    ("radar, 10 changed before", Some("git status in a tree, 10 changed")),
];

const MERGE: Table = &[
    ("git merge-tree", None),
    ("git merge-tree, and what records it", Some("git merge-tree")),
    ("merge", Some("git merge-tree, and what records it")),
    ("git diff", None),
    ("review", Some("git diff")),
    ("every other hunk", Some("git diff")),
];

const BLAME: Table = &[
    ("git blame", None),
    ("blame, nothing applied", Some("git blame")),
    ("blame, an old apply", Some("git blame")),
    ("blame, 10 applies", Some("git blame")),
];

const APPLY: Table = &[
    ("git status, quiet", None),
    ("git apply, 100 files", Some("git status, quiet")),
    ("1.5 × git status + 2 × git apply", None),
    ("apply, prepared", Some("1.5 × git status + 2 × git apply")),
    ("apply, 100 files", Some("1.5 × git status + 2 × git apply")),
    ("git status, 100 changed", None),
    ("undo, prepared", Some("1.5 × git status + 2 × git apply")),
    ("undo, 100 files", Some("1.5 × git status + 2 × git apply")),
];

/// Trees of 50,000 files, made anew.
pub(in super::super) fn new(bench: &Bench) -> anyhow::Result<Group> {
    trees(bench, ["new", "50000", "3"], NEW, |_| None)
}

/// With 50,000 files.
pub(in super::super) fn used(bench: &Bench) -> anyhow::Result<Group> {
    trees(bench, ["used", "50000", "5"], USED, |row| match row {
        "what is not committed, quiet" => {
            Some(Goal { text: "≤ 1.1 × git status", reached: |_, ratio| ratio <= 1.1 })
        }
        "snapshot, quiet" => {
            Some(Goal { text: "≤ 1.5 × git status", reached: |_, ratio| ratio <= 1.5 })
        }
        row if row.starts_with("tree, used slot") => {
            Some(Goal { text: "≤ 0.3 s", reached: |median, _| median <= 0.3 })
        }
        _ => None,
    })
}

/// With so few files that the processes are all that counts.
pub(in super::super) fn small(bench: &Bench) -> anyhow::Result<Group> {
    trees(bench, ["used", "20", "15"], USED, |row| {
        let is_tree = row.starts_with("tree, used slot");
        is_tree.then_some(Goal { text: "≤ 5 ms", reached: |median, _| median <= 0.005 })
    })
}

/// A user's folder and two trees, of 50,000 files each.
pub(in super::super) fn radar(bench: &Bench) -> anyhow::Result<Group> {
    measured(bench, &folder(bench)?, ["radar", "50000", "5"], &[], RADAR, |row| {
        let is_quiet = row == "radar, quiet";
        is_quiet.then_some(Goal { text: "≤ 3 × git status", reached: |_, ratio| ratio <= 3.0 })
    })
}

/// Two works of a hundred files each, in a repository of 50,000.
pub(in super::super) fn merge(bench: &Bench) -> anyhow::Result<Group> {
    measured(bench, &folder(bench)?, ["merge", "50000", "9"], &[], MERGE, |row| {
        let goal = Goal { text: "≤ 2 × git's own steps", reached: |_, ratio| ratio <= 2.0 };
        (row == "merge").then_some(goal)
    })
}

/// 100 files of 50,000.
pub(in super::super) fn apply(bench: &Bench) -> anyhow::Result<Group> {
    measured(bench, &folder(bench)?, ["apply", "50000", "5"], &[], APPLY, |row| {
        let is_whole = matches!(row, "apply, 100 files" | "undo, 100 files");
        let text = "≤ 1.5 × git status + 2 × git apply";
        is_whole.then_some(Goal { text, reached: |_, ratio| ratio <= 1.0 })
    })
}

/// A file of 10,000 lines with 200 commits.
pub(in super::super) fn blame(bench: &Bench) -> anyhow::Result<Group> {
    measured(bench, &folder(bench)?, ["blame", "1", "5"], &[], BLAME, |row| {
        let is_ours = row.starts_with("blame, ");
        is_ours.then_some(Goal { text: "≤ 2 × git blame", reached: |_, ratio| ratio <= 2.0 })
    })
}

fn trees(
    bench: &Bench,
    what: [&str; 3],
    table: Table,
    goal: fn(&str) -> Option<Goal>,
) -> anyhow::Result<Group> {
    let folder = folder(bench)?;
    // Collecting is held as the daemon holds it.
    let mut sandbox = vec![release_program(&bench.root)?.into_os_string()];
    sandbox.extend(["__sandbox", "--choice", "auto", "--write"].map(OsString::from));
    sandbox.extend([folder.path().join("scratch").into(), "--".into()]);
    measured(bench, &folder, what, &sandbox, table, goal)
}

/// On the disk that holds the checkout: the folder for temporary files may lie in memory.
fn folder(bench: &Bench) -> anyhow::Result<TempDir> {
    tempfile::tempdir_in(target_directory(&bench.root)?).context("create a folder")
}

fn measured(
    bench: &Bench,
    folder: &TempDir,
    [which, files, rounds]: [&str; 3],
    sandbox: &[OsString],
    table: Table,
    goal: fn(&str) -> Option<Goal>,
) -> anyhow::Result<Group> {
    let mut arguments: Vec<OsString> =
        vec![which.into(), folder.path().into(), files.into(), rounds.into()];
    arguments.extend_from_slice(sandbox);
    let sampled = Sampled::run(bench, "orchestra-vcs", "trees", arguments)?;
    let rows = table.iter().map(|&(row, beside)| sampled.row(row, goal(row), beside));
    let rows = rows.collect::<anyhow::Result<_>>()?;
    sampled.group(rows)
}

/// A process by itself, held on its way, and under a shim.
pub(in super::super) fn confinement(bench: &Bench) -> anyhow::Result<Group> {
    let folder = folder(bench)?;
    for name in ["hidden", "scratch"] {
        fs::create_dir(folder.path().join(name))?;
    }
    let arguments = [folder.path().as_os_str(), "31".as_ref()];
    let sampled = Sampled::run(bench, "orchestra-runtimes", "confinement", arguments)?;
    let rows = vec![
        sampled.row("bare spawn", None, None)?,
        sampled.row("held spawn", None, Some("bare spawn"))?,
        sampled.row("attempt, no sandbox", None, Some("bare spawn"))?,
        sampled.row("attempt, sandbox", None, Some("attempt, no sandbox"))?,
    ];
    sampled.group(rows)
}
