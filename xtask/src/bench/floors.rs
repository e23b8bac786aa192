//! What the machine itself takes: starting a process, making bytes durable, asking git.

use super::{
    Bench,
    group::{Goal, Group, Row},
    table::SECONDS,
};
use crate::checkout::{cargo, output, target_directory};
use anyhow::{Context as _, ensure};
use std::{
    fs::{File, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

/// The smallest process, and this program's own start.
pub(super) fn processes(bench: &Bench) -> anyhow::Result<Group> {
    let orchestra = release_program(&bench.root)?;
    let rows = vec![
        Row {
            name: "bare spawn".to_owned(),
            unit: SECONDS,
            goal: None,
            beside: None,
            measure: Box::new(|| time_command(&mut Command::new("/bin/true"))),
        },
        Row {
            name: "orchestra --version".to_owned(),
            unit: SECONDS,
            goal: Some(Goal { text: "≤ 3 × bare spawn", reached: |_, ratio| ratio <= 3.0 }),
            beside: Some("bare spawn"),
            measure: Box::new(move || time_command(Command::new(&orchestra).arg("--version"))),
        },
    ];
    Ok(Group { rows, fixture: Box::new(()), rounds: usize::MAX })
}

/// Durable bytes, and git's look at this very checkout.
pub(super) fn files(bench: &Bench) -> anyhow::Result<Group> {
    let folder = tempfile::tempdir_in(target_directory(&bench.root)?).context("create a folder")?;
    let mut one = append_to(&folder.path().join("one"))?;
    let mut log = append_to(&folder.path().join("log"))?;
    let mut data = append_to(&folder.path().join("data"))?;
    let root = bench.root.clone();
    let rows = vec![
        Row {
            name: "4 KiB and fsync".to_owned(),
            unit: SECONDS,
            goal: None,
            beside: None,
            measure: Box::new(move || time(|| append_durably(&mut one))),
        },
        Row {
            // What a database does that syncs its log and then its data.
            name: "twice 4 KiB and fsync".to_owned(),
            unit: SECONDS,
            goal: None,
            beside: Some("4 KiB and fsync"),
            measure: Box::new(move || {
                time(|| append_durably(&mut log).and_then(|()| append_durably(&mut data)))
            }),
        },
        Row {
            name: "git status".to_owned(),
            unit: SECONDS,
            goal: None,
            beside: None,
            measure: Box::new(move || {
                let mut git = Command::new("git");
                time_command(git.current_dir(&root).args(["status", "--porcelain"]))
            }),
        },
    ];
    // On the disk that holds the checkout: the folder for temporary files may lie in memory.
    Ok(Group { rows, fixture: Box::new(folder), rounds: usize::MAX })
}

/// Builds the program as it is released.
pub(super) fn release_program(root: &Path) -> anyhow::Result<PathBuf> {
    output(cargo(root).args(["build", "--release", "--quiet", "--package", "orchestra"]))?;
    let target = target_directory(root)?;
    Ok(target.join("release").join("orchestra"))
}

/// From the start of a process until its end, in seconds; its output goes nowhere.
pub(super) fn time_command(command: &mut Command) -> anyhow::Result<f64> {
    // Nothing here needs `pre_exec`, so the standard library takes posix_spawn.
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let began = Instant::now();
    let status = command.status().with_context(|| format!("start {command:?}"))?;
    let took = began.elapsed().as_secs_f64();
    ensure!(status.success(), "{command:?} ended with {status}");
    Ok(took)
}

pub(super) fn time(work: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<f64> {
    let began = Instant::now();
    work()?;
    Ok(began.elapsed().as_secs_f64())
}

pub(super) fn append_to(path: &Path) -> anyhow::Result<File> {
    let opened = OpenOptions::new().create(true).append(true).open(path);
    opened.with_context(|| format!("open {}", path.display()))
}

pub(super) fn append_durably(file: &mut File) -> anyhow::Result<()> {
    file.write_all(&[b'x'; 4096]).context("write 4 KiB")?;
    file.sync_data().context("sync 4 KiB")
}
