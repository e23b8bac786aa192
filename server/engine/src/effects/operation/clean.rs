//! Cleaning up after a run: its references and the trees that were kept of it are put aside, or brought back.

use super::{super::Shared, refused};
use orchestra_core::{
    ids::{AttemptId, RunId},
    operation::OperationEnd,
    state::{Prepared, Run},
};
use orchestra_vcs::references;
use std::{fs, io, path::Path};

/// What is put aside, or brought back.
pub(super) struct Aside {
    run: RunId,
    attempts: Vec<AttemptId>,
    is_back: bool,
}

impl Aside {
    pub(super) fn put(run: &Run) -> Self {
        let attempts = run.tasks.iter().flat_map(|task| &task.attempts);
        let attempts = attempts.map(|attempt| attempt.started.attempt).collect();
        Self { run: run.id, attempts, is_back: false }
    }

    pub(super) fn back(run: &Run) -> Self {
        Self { is_back: true, ..Self::put(run) }
    }

    /// Done again, it finds done what was.
    pub(super) fn carry_out(&self, shared: &Shared) -> Result<Prepared, OperationEnd> {
        let here = shared.references(&self.run.to_string());
        let aside = shared.references(&format!("cleaned/{}", self.run));
        let (from, to) = if self.is_back { (aside, here) } else { (here, aside) };
        references::move_all(&shared.root, &from, &to)
            .map_err(|error| refused("move the references of the run", &error))?;
        fail::fail_point!("engine::operation::references_moved", |_| std::process::abort());
        for attempt in &self.attempts {
            let here = shared.folders.kept(&shared.workspace, *attempt);
            let aside = shared.folders.cleaned(&shared.workspace, *attempt);
            let (from, to) = if self.is_back { (aside, here) } else { (here, aside) };
            rename(&from, &to).map_err(|error| OperationEnd::Refused {
                message: format!("move {} to {}: {error}", from.display(), to.display()),
                hint: "make that possible, then ask again".to_owned(),
            })?;
        }
        Err(OperationEnd::Applied)
    }
}

/// What is not there need not be moved, or was already.
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    if !from.try_exists()? {
        return Ok(());
    }
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::rename(from, to)
}
