//! A change of many files comes to a user's folder and goes again, beside `git apply` of the same patch.

use crate::{
    Result,
    measuring::Rows,
    repository::{Repository, git},
};
use orchestra_core::operation::{Favor, FileState};
use orchestra_vcs::{
    apply::{CarryOut, PrepareRequest, Prepared, Transition, carry_out, prepare},
    snapshot::Limits,
};
use std::{fs, path::Path};

const CHANGED: usize = 100;
const NAME: &[&str] = &["-c", "user.name=bench"];
const ADDRESS: &[&str] = &["-c", "user.email=bench@localhost"];
const LIMITS: Limits = Limits { file: 1 << 30, total: 1 << 30 };

/// Where the commits of a change lie, and those of taking it back.
fn references(round: usize, name: &str) -> String {
    format!("refs/orchestra/bench/{name}-{round}")
}

/// The first round is there to warm up.
pub(crate) fn rows(folder: &Path, repository: &Repository, measured: usize) -> Result<Rows> {
    let top = repository.top.as_path();
    let (scratch, patch) = (folder.join("scratch"), folder.join("patch"));
    fs::create_dir(&scratch)?;
    let shown = patch.to_str().ok_or("the folder's name is no text")?;
    let mut rows = Rows::default();
    for round in 0..=measured {
        repository.change_many(top, CHANGED, round)?;
        git(top, &["add", "-u"])?;
        let tree = git(top, &["write-tree"])?;
        let theirs = git(
            top,
            &[NAME, ADDRESS, &["commit-tree", "-p", "HEAD", "-m", "work", &tree]].concat(),
        )?;
        git(top, &["diff", "--cached", "--binary", &format!("--output={shown}")])?;
        git(top, &["reset", "-q", "--hard"])?;

        rows.status("git status, quiet", top)?;
        rows.time("git apply, 100 files", || git(top, &["apply", shown]))?;
        git(top, &["reset", "-q", "--hard"])?;
        let floor =
            1.5 * last(&rows, "git status, quiet")? + 2.0 * last(&rows, "git apply, 100 files")?;
        rows.0.entry("1.5 × git status + 2 × git apply").or_default().push(floor);

        let (there, back) = (references(round, "apply"), references(round, "undo"));
        let request = PrepareRequest {
            root: top,
            scratch: &scratch,
            base: &repository.head,
            theirs: &theirs,
            favor: Favor::Neither,
            references: &there,
            buffers: &[],
            open: &[],
            undo: None,
            limits: LIMITS,
            subject: "measured",
            run_filters: true,
        };
        let done = both(&mut rows, ["apply, 100 files", "apply, prepared"], &request)?;
        rows.status("git status, 100 changed", top)?;
        let request = PrepareRequest {
            base: &done.after,
            theirs: &done.before,
            references: &back,
            undo: Some(&there),
            ..request
        };
        both(&mut rows, ["undo, 100 files", "undo, prepared"], &request)?;
        if !git(top, &["status", "--porcelain"])?.is_empty() {
            return Err("something is not as it was".into());
        }
    }
    Ok(rows)
}

fn last(rows: &Rows, row: &str) -> Result<f64> {
    let measured = rows.0.get(row).and_then(|measured| measured.last());
    Ok(*measured.ok_or("it is measured by now")?)
}

/// The whole, and of that the preparation.
fn both(
    rows: &mut Rows,
    [whole, prepared]: [&'static str; 2],
    request: &PrepareRequest<'_>,
) -> Result<Transition> {
    let began = std::time::Instant::now();
    let transition = rows.time(prepared, || match prepare(request)? {
        Prepared::Ready(transition) => Ok(transition),
        other => Err(format!("{other:?}").into()),
    })?;
    let results = carry_out(&CarryOut {
        root: request.root,
        references: request.references,
        files: &transition.files,
    })?;
    rows.0.entry(whole).or_default().push(began.elapsed().as_secs_f64());
    let applied = results.iter().filter(|result| result.state == FileState::Applied).count();
    if applied == CHANGED { Ok(transition) } else { Err(format!("{results:?}").into()) }
}
