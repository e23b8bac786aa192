//! Bringing accepted hunks into a commit, on a branch or on none.

use super::{
    super::{Shared, review},
    refused,
};
use orchestra_core::{
    ids::{HunkId, OperationId, RunId},
    operation::{Favor, OperationEnd, Target},
    review::Work,
    state::{Operation, Prepared, Run},
};
use orchestra_vcs::{
    apply::{CommitRequest, Committed, commit_on, drop_branch},
    snapshot::Limits,
};
use std::{collections::BTreeSet, fmt::Write as _};

/// A commit that is to be made.
pub(super) struct ToCommit {
    operation: OperationId,
    run: RunId,
    selection: review::Selection,
    target: Target,
    favor: Favor,
    name: String,
    works: Vec<Work>,
}

impl ToCommit {
    pub(super) fn new(
        run: &Run,
        operation: &Operation,
        target: &Target,
        hunks: &[HunkId],
    ) -> Option<Self> {
        Some(Self {
            operation: operation.id(),
            run: run.id,
            selection: review::Selection::new(run, hunks)?,
            target: target.clone(),
            favor: operation.started.favor,
            name: run.plan.name.clone(),
            works: run.works(),
        })
    }

    pub(super) fn make(&self, shared: &Shared) -> Result<Prepared, OperationEnd> {
        let references = shared.backup(self.operation);
        let accepted = self.selection.accepted(shared, &references)?;
        let made = commit_on(&CommitRequest {
            root: &shared.root,
            scratch: &shared.folders.scratch(&shared.workspace),
            base: &self.selection.base,
            theirs: &accepted,
            favor: self.favor,
            limits: Limits {
                file: shared.snapshot.file_limit.0,
                total: shared.snapshot.total_limit.0,
            },
            target: &self.target,
            reference: &format!("{references}/commit"),
            message: &self.message(),
        });
        match made.map_err(|error| refused(&format!("commit to {}", self.target), &error))? {
            Committed::Made { commit } => Ok(Prepared {
                before: self.selection.base.clone(),
                after: commit,
                files: Vec::new(),
            }),
            Committed::Nothing => Err(OperationEnd::Nothing),
            Committed::Conflict(conflicts) => Err(OperationEnd::Conflict { conflicts }),
            Committed::Refused { message, hint } => Err(OperationEnd::Refused { message, hint }),
        }
    }

    /// Whose work it is, in the form of git's trailers.
    fn message(&self) -> String {
        let mut message = format!("{}: {}\n\n", self.run, one_line(&self.name));
        for work in &self.works {
            // Writing into a string cannot fail.
            let _ = writeln!(message, "- {} by {} ({})", work.step, work.agent, work.attempt);
        }
        let agents: BTreeSet<&str> = self.works.iter().map(|work| work.agent.as_str()).collect();
        let _ = write!(message, "\nOrchestra-Run: {}\n", self.run);
        for agent in agents {
            let _ = writeln!(message, "Orchestra-Agent: {agent}");
        }
        message
    }
}

fn one_line(text: &str) -> String {
    text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Takes a branch back, as long as nothing was added to it.
pub(super) fn drop(shared: &Shared, name: &str, commit: &str) -> Result<Prepared, OperationEnd> {
    match drop_branch(&shared.root, name, commit) {
        Ok(None) => Err(OperationEnd::Applied),
        Ok(Some(Committed::Refused { message, hint })) => {
            Err(OperationEnd::Refused { message, hint })
        }
        Ok(Some(Committed::Made { .. } | Committed::Nothing | Committed::Conflict(_))) => {
            Err(OperationEnd::Nothing)
        }
        Err(error) => Err(refused(&format!("delete branch {name}"), &error)),
    }
}
