//! Reviews and operations in scenarios: what people ask for, and what the shell finds and does.

use super::Simulator;
use orchestra_core::{
    decide::{Apply, InputKind, Refusal, SendBack},
    event::{Event, EventBody},
    ids::{AttemptId, HunkId, OperationId, RunId},
    merge::{Conflict, ConflictKind, Side, Span},
    operation::{Favor, FilePlan, FileResult, FileState, OperationEnd, Owner, Target},
    review::{Selection, Verdict},
    state::Prepared,
    time::Millis,
};

/// What is applied where nothing is said: to the files, what is accepted, and no side counts more.
pub(crate) fn apply(run: RunId) -> Apply {
    Apply { run, target: Target::Files, favor: Favor::Neither, all: false, unsaved: vec![] }
}

pub(crate) fn on_disk(path: &str) -> FilePlan {
    FilePlan { path: path.to_owned(), owner: Owner::Disk }
}

pub(crate) fn in_client(path: &str) -> FilePlan {
    FilePlan { path: path.to_owned(), owner: Owner::Client }
}

pub(crate) fn result(path: &str, state: FileState) -> FileResult {
    FileResult { path: path.to_owned(), state }
}

pub(crate) fn applied(path: &str) -> FileResult {
    result(path, FileState::Applied)
}

/// Both have changed the second line of a file.
pub(crate) fn conflict(path: &str) -> Conflict {
    let side = |text: &str| Side {
        lines: vec![Span { first: 2, count: 1 }],
        excerpt: Some(format!("{text}\n")),
    };
    Conflict {
        path: path.to_owned(),
        kind: ConflictKind::Lines,
        ours: side("what I have"),
        theirs: side("what comes in"),
    }
}

fn started(events: &[Event]) -> Option<OperationId> {
    events.iter().find_map(|event| match &event.body {
        EventBody::OperationStarted(started) => Some(started.operation),
        _ => None,
    })
}

impl Simulator {
    pub(crate) fn judge(
        &mut self,
        run: RunId,
        hunks: &[HunkId],
        verdict: Option<Verdict>,
    ) -> Result<Vec<Event>, Refusal> {
        let selection = Selection::Hunks { hunks: hunks.to_vec() };
        self.send(InputKind::Judge { run, selection, verdict })
    }

    pub(crate) fn apply(&mut self, apply: Apply) -> Result<OperationId, Refusal> {
        let events = self.send(InputKind::Apply(Box::new(apply)))?;
        Ok(started(&events).expect("an operation has started"))
    }

    pub(crate) fn undo(&mut self, operation: OperationId) -> Result<OperationId, Refusal> {
        let (favor, unsaved) = (Favor::Neither, vec![]);
        let events = self.send(InputKind::Undo { operation, favor, unsaved })?;
        Ok(started(&events).expect("an operation has started"))
    }

    pub(crate) fn discard(&mut self, run: RunId) -> Result<OperationId, Refusal> {
        let events = self.send(InputKind::Discard { run })?;
        Ok(started(&events).expect("an operation has started"))
    }

    pub(crate) fn clean(&mut self, run: RunId) -> Result<OperationId, Refusal> {
        let events = self.send(InputKind::Clean { run })?;
        Ok(started(&events).expect("an operation has started"))
    }

    pub(crate) fn send_back(
        &mut self,
        run: RunId,
        prompt: &str,
        works: &[AttemptId],
    ) -> Result<Vec<Event>, Refusal> {
        let back = SendBack { run, prompt: prompt.to_owned(), works: works.to_vec() };
        self.send(InputKind::SendBack(Box::new(back)))
    }

    /// It is known what the operation means for these files.
    pub(crate) fn prepare(&mut self, operation: OperationId, files: &[FilePlan]) -> Vec<Event> {
        let (before, after) = (format!("before {operation}"), format!("after {operation}"));
        let result = Ok(Prepared { before, after, files: files.to_vec() });
        self.send(InputKind::OperationPrepared { operation, result }).unwrap()
    }

    /// It has ended before anything was written.
    pub(crate) fn end_early(&mut self, operation: OperationId, end: OperationEnd) -> Vec<Event> {
        self.send(InputKind::OperationPrepared { operation, result: Err(end) }).unwrap()
    }

    /// What lies on the disk is done; clients have a minute.
    pub(crate) fn write(&mut self, operation: OperationId, files: &[FileResult]) -> Vec<Event> {
        let (files, wait) = (files.to_vec(), Millis::minutes(1));
        self.send(InputKind::OperationWritten { operation, files, wait }).unwrap()
    }

    pub(crate) fn confirm(
        &mut self,
        operation: OperationId,
        files: &[FileResult],
    ) -> Result<Vec<Event>, Refusal> {
        self.send(InputKind::Confirm { operation, files: files.to_vec() })
    }

    /// Everything of it succeeds, in one file on the disk.
    pub(crate) fn carry_out(&mut self, operation: OperationId) {
        self.prepare(operation, &[on_disk("a.txt")]);
        self.write(operation, &[applied("a.txt")]);
    }
}
