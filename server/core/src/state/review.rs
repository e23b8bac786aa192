//! The review of a run and the operations on the user's files, as the state keeps them.

use super::{Run, RunPhase, Task, TaskPhase};
use crate::{
    change::Change,
    event::{OperationStarted, ReviewOpened, ReviewedFile},
    evidence::{Evidence, Verdict as Verified},
    ids::{AttemptId, DecisionId, HunkId, OperationId},
    merge,
    operation::{FilePlan, FileResult, FileState, OperationEnd, OperationKind, Owner, Target},
    outcome::{Failure, Output, TaskOutcome},
    plan::{ApplyPolicy, Executor},
    review::{Verdict, Work},
    state::SnapshotState,
    time::Timestamp,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// How many flagged files are named as doubts, and how much of each path, in characters.
const FLAGGED_BY_NAME: usize = 20;
const LONGEST_PATH: usize = 120;

/// The review of a run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ReviewState {
    pub phase: ReviewPhase,
    /// Whose work it is about; empty when that is to be looked at again.
    pub(crate) of: Vec<AttemptId>,
    /// Of those that are judged. Kept when the run goes on: the same change has the same id.
    pub verdicts: BTreeMap<HunkId, Verdict>,
    /// What the user's files have now.
    pub applied: BTreeSet<HunkId>,
    /// By which operation it was closed, unless that was undone.
    pub discarded: Option<OperationId>,
    /// By which operation the run's references were put aside, unless that was undone.
    pub cleaned: Option<OperationId>,
    /// The run's policy wants it applied, and no operation of it has begun yet.
    pub(crate) automatic: bool,
    /// A person has begun to judge it, or to do something with it.
    pub(crate) is_persons: bool,
}

/// Where a review stands.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum ReviewPhase {
    /// Nothing was made that could be reviewed, as far as is known.
    #[default]
    None,
    /// It is being made.
    Wanted,
    Open(Arc<ReviewOpened>),
    /// Why the work of the run could not be brought together.
    Failed(Failure),
}

/// Something that Orchestra does, or has done, to the user's files.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    pub started: Arc<OperationStarted>,
    pub started_at: Timestamp,
    pub phase: OperationPhase,
    /// By which operation it was taken back, unless that was taken back itself.
    pub undone_by: Option<OperationId>,
    /// The hunks that it has brought into the user's files, or has taken out of them.
    pub(crate) moved: Vec<ReviewedFile>,
    /// What was asked because it did not fit.
    pub decision: Option<DecisionId>,
}

/// Where an operation stands.
#[derive(Debug, Clone, PartialEq)]
pub enum OperationPhase {
    /// It is being found out what it means for each file. Nothing has been written.
    Preparing,
    /// What is to be written is recorded, and is being written.
    Writing(Arc<Prepared>),
    /// What clients are to write is waited for.
    Waiting {
        prepared: Arc<Prepared>,
        /// What is known of files, those on the disk and those that clients have answered for.
        files: Vec<FileResult>,
        until: Timestamp,
    },
    Ended {
        end: OperationEnd,
        at: Timestamp,
        /// What was to be written; `None` where it did not come to that.
        prepared: Option<Arc<Prepared>>,
    },
}

/// What an operation writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// The commits with what the user had and with what is to be there.
    pub before: String,
    pub after: String,
    pub files: Vec<FilePlan>,
}

impl Operation {
    pub fn id(&self) -> OperationId {
        self.started.operation
    }

    pub fn has_ended(&self) -> bool {
        matches!(self.phase, OperationPhase::Ended { .. })
    }

    /// Whether it has changed something; what was to be so already is no change.
    pub(crate) fn has_changed(&self) -> bool {
        let OperationPhase::Ended { end, .. } = &self.phase else { return false };
        matches!(end, OperationEnd::Applied | OperationEnd::Partly { .. })
    }

    /// What it has written, or was about to.
    pub fn prepared(&self) -> Option<&Arc<Prepared>> {
        match &self.phase {
            OperationPhase::Preparing => None,
            OperationPhase::Writing(prepared) | OperationPhase::Waiting { prepared, .. } => {
                Some(prepared)
            }
            OperationPhase::Ended { prepared, .. } => prepared.as_ref(),
        }
    }
}

impl Prepared {
    /// What of it clients are to write and is not among `files`.
    pub(crate) fn unanswered(&self, files: &[FileResult]) -> impl Iterator<Item = &FilePlan> {
        let is_known = |plan: &&FilePlan| files.iter().any(|file| file.path == plan.path);
        self.files
            .iter()
            .filter(|plan| plan.owner == Owner::Client)
            .filter(move |plan| !is_known(plan))
    }

    /// The first of `answers` about a file for which no client is waited for, or not any more.
    pub(crate) fn not_awaited<'a>(
        &self,
        known: &[FileResult],
        answers: &'a [FileResult],
    ) -> Option<&'a str> {
        let mut awaited: BTreeSet<&str> =
            self.unanswered(known).map(|plan| plan.path.as_str()).collect();
        let paths = answers.iter().map(|answer| answer.path.as_str());
        paths.into_iter().find(|path| !awaited.remove(path))
    }

    /// How it has ended, when these are the results of its files.
    pub(crate) fn end(&self, files: &[FileResult]) -> OperationEnd {
        let is_known = |plan: &&FilePlan| files.iter().any(|file| file.path == plan.path);
        let unknown = self.files.iter().filter(|plan| !is_known(plan)).map(|plan| FileResult {
            path: plan.path.clone(),
            state: match plan.owner {
                Owner::Client => FileState::Unanswered,
                // Read back is what counts, not what was to be.
                Owner::Disk => FileState::Failed { problem: "nothing is known of it".to_owned() },
            },
        });
        let failed = files.iter().filter(|file| file.state != FileState::Applied).cloned();
        let open: Vec<FileResult> = failed.chain(unknown).collect();
        if open.is_empty() { OperationEnd::Applied } else { OperationEnd::Partly { files: open } }
    }
}

impl Run {
    pub fn operation(&self, id: OperationId) -> Option<&Operation> {
        let position = usize::try_from(id.number()).ok()?.checked_sub(1)?;
        self.operations.get(position).filter(|operation| operation.id() == id)
    }

    /// Whether it has changed something that is still so.
    pub fn is_in_effect(&self, operation: &Operation) -> bool {
        operation.has_changed()
            && operation.undone_by.is_none()
            && match operation.started.kind {
                // Another result has another review, which nobody has discarded.
                OperationKind::Discard => self.review.discarded == Some(operation.id()),
                _ => true,
            }
    }

    /// Whether it makes the user's files as the run would have them; else it makes them as they were.
    pub(crate) fn brings_in(&self, operation: OperationId) -> bool {
        match self.operation(operation).map(|operation| &operation.started.kind) {
            // Each takes an earlier one back, so this ends.
            Some(OperationKind::Undo { of }) => !self.brings_in(*of),
            _ => true,
        }
    }

    /// The operation in effect to which the user's files owe a hunk.
    pub(crate) fn brought_by(&self, hunk: HunkId) -> Option<OperationId> {
        let has_moved = |operation: &&Operation| {
            operation.moved.iter().any(|file| file.hunks.contains(&hunk))
                && self.brings_in(operation.id())
                && self.is_in_effect(operation)
        };
        self.operations.iter().rev().find(has_moved).map(Operation::id)
    }

    /// What is asked about its last operation, while nobody has answered.
    pub fn question(&self) -> Option<DecisionId> {
        let decision = self.operations.last()?.decision?;
        self.decision(decision)?.status.is_open().then_some(decision)
    }

    /// What was made and has not been thrown away, in the order of the plan.
    pub fn works(&self) -> Vec<Work> {
        let works = self.tasks.iter().zip(&self.plan.tasks).filter_map(|(task, planned)| {
            let change = task.change()?;
            let attempt = task.attempts.last()?;
            let executor = &attempt.started.executor;
            Some(Work {
                attempt: attempt.started.attempt,
                step: planned.step.clone(),
                agent: executor.name().to_owned(),
                model: match executor {
                    Executor::Agent { name, .. } => {
                        self.plan.agents.get(name).and_then(|agent| agent.model.clone())
                    }
                    Executor::Native { .. } => None,
                },
                base: attempt.started.base.clone().unwrap_or_else(|| change.base.clone()),
                commit: change.commit.clone()?,
            })
        });
        works.collect()
    }

    /// What was seen of the work of an attempt, if it is what its task has handed over.
    pub fn evidence(&self, attempt: AttemptId) -> Option<&Evidence> {
        let task = self.task(attempt.task())?;
        let is_last = task.attempts.last().is_some_and(|last| last.started.attempt == attempt);
        task.output().filter(|_| is_last)?.evidence.as_deref()
    }

    /// Whose work there is to be reviewed, if there is any.
    pub(crate) fn works_to_review(&self) -> Option<Vec<AttemptId>> {
        let made = self.tasks.iter().filter(|task| task.change().is_some());
        let works: Vec<AttemptId> =
            made.filter_map(|task| Some(task.attempts.last()?.started.attempt)).collect();
        // Runs of the first journals have no snapshot that their work could be compared with.
        (!works.is_empty() && self.snapshot_commit().is_some()).then_some(works)
    }

    /// The same, where that is not what the review is about.
    pub(crate) fn unreviewed(&self) -> Option<Vec<AttemptId>> {
        self.works_to_review().filter(|works| *works != self.review.of)
    }

    /// Why the result should not be applied without a person, each a phrase; empty where nothing speaks
    /// against it.
    pub(crate) fn doubts(&self, result: &str, flagged: &[String]) -> Vec<String> {
        let mut doubts = Vec::new();
        if !self.has_succeeded_whole() {
            doubts.push("not every task succeeded".to_owned());
        }
        let outputs = || self.tasks.iter().filter_map(|task| Some((task, task.output()?)));
        let has_result = |output: &&Output| {
            let commit = output.change.as_ref().and_then(|change| change.commit.as_deref());
            commit == Some(result)
        };
        let evidence = outputs()
            .map(|(_, output)| output)
            .filter(has_result)
            .find_map(|output| output.evidence.as_deref());
        match evidence.map(|evidence| &evidence.verdict) {
            Some(Verified::Passed) => {}
            Some(Verified::WasRedBefore { .. }) => {
                doubts.push("a check was red before as well".to_owned());
            }
            _ => doubts.push("no check has verified it".to_owned()),
        }
        let mut flagged: BTreeSet<&str> = flagged.iter().map(String::as_str).collect();
        for (task, output) in outputs() {
            let is_agent = task.last_executor().is_some_and(Executor::is_agent);
            // One that only reads could have written to the trees of the others.
            if output.confined.map_or(is_agent, |held| !held.is_kernel()) {
                doubts.push(format!("nothing held what {} ran", task.id));
            }
            let Some(change) = &output.change else { continue };
            if !change.held.is_empty() {
                doubts.push(format!("something of {} was held back", task.id));
            }
            flagged.extend(change.flags.iter().map(|flag| flag.path.as_str()));
        }
        let count = flagged.len();
        doubts.extend(flagged.into_iter().take(FLAGGED_BY_NAME).map(|path| match path {
            "" => "every file is deleted".to_owned(),
            path => format!("{} is flagged", merge::cut(path, LONGEST_PATH)),
        }));
        if count > FLAGGED_BY_NAME {
            doubts.push(format!("{} more files are flagged", count - FLAGGED_BY_NAME));
        }
        doubts
    }

    /// Whether each task has done what was asked, or did not have to.
    fn has_succeeded_whole(&self) -> bool {
        let is_well = |task: &Task| match &task.phase {
            TaskPhase::Ended { outcome, .. } => outcome.satisfies_needs(),
            _ => false,
        };
        self.tasks.iter().all(is_well)
    }

    /// Where the run's policy wants the result, without anybody asking.
    pub(crate) fn automatic_target(&self) -> Option<Target> {
        let ReviewPhase::Open(opened) = &self.review.phase else { return None };
        if !self.has_succeeded_whole() || opened.files.is_empty() {
            return None;
        }
        match self.plan.apply {
            ApplyPolicy::Review => None,
            ApplyPolicy::Auto => opened.doubts.is_empty().then_some(Target::Files),
            ApplyPolicy::Branch => Some(Target::Branch { name: Target::branch_of(self.id) }),
        }
    }

    /// Whether an operation has made a branch of the result, which is still there.
    pub(crate) fn has_become_a_branch(&self) -> bool {
        let is_branch = |operation: &Operation| {
            let kind = &operation.started.kind;
            matches!(kind, OperationKind::Apply { target: Target::Branch { .. }, .. })
                && self.is_in_effect(operation)
        };
        self.operations.iter().any(is_branch)
    }

    /// Whether nothing happens any more unless a person wants it, and nobody is asked what they want.
    pub fn is_at_rest(&self) -> bool {
        self.has_ended()
            && !self.review.automatic
            && self.review.phase != ReviewPhase::Wanted
            && self.operations.last().is_none_or(Operation::has_ended)
            && self.question().is_none()
    }

    pub(crate) fn is_stopping(&self) -> bool {
        matches!(self.phase, RunPhase::Stopping { .. })
    }

    /// What the run's agents got to see.
    pub(crate) fn snapshot_commit(&self) -> Option<&str> {
        match &self.snapshot {
            SnapshotState::Taken(snapshot) => Some(&snapshot.commit),
            _ => None,
        }
    }
}

impl Task {
    /// How many attempts it has had.
    pub(crate) fn tries(&self) -> u32 {
        u32::try_from(self.attempts.len()).unwrap_or(u32::MAX)
    }

    /// Who has carried out its last attempt.
    pub(crate) fn last_executor(&self) -> Option<&Executor> {
        self.attempts.last().map(|attempt| &attempt.started.executor)
    }

    /// What it has handed over, if it has succeeded.
    fn output(&self) -> Option<&Output> {
        match &self.phase {
            TaskPhase::Ended { outcome, .. } => match &**outcome {
                TaskOutcome::Succeeded { output } => Some(output),
                _ => None,
            },
            _ => None,
        }
    }

    /// What it has changed, if there is a commit of it.
    pub(crate) fn change(&self) -> Option<&Change> {
        self.output()?.change.as_deref().filter(|change| change.commit.is_some())
    }
}
