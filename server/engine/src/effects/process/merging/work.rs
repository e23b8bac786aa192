//! What a merge is about, taken out of the state.

use orchestra_core::{
    ids::{AttemptId, TaskId},
    merge::Unmerged,
    pending::Work,
    plan::Executor,
    state::SnapshotState,
};
use orchestra_vcs::merge::Conflicted;
use std::sync::Arc;

/// How many works are named.
const NAMED: usize = 3;

/// What a merge brings together.
pub(in super::super) struct MergeWork {
    /// The commit with what the user saw when the run started.
    pub(super) snapshot: String,
    /// In the order of the plan.
    pub(super) works: Vec<TaskWork>,
    /// Whether an agent takes over where they do not fit together.
    pub(super) has_resolver: bool,
    /// What the attempt is to put right, when it is one that does.
    pub(super) unmerged: Option<Arc<Unmerged>>,
}

/// The work of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TaskWork {
    pub(super) task: TaskId,
    pub(super) step: String,
    pub(super) commit: String,
}

/// What is merged as one: a work, or what somebody has made of several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) works: Vec<TaskWork>,
    pub(super) commit: String,
}

impl MergeWork {
    /// `None`: the attempt merges nothing.
    pub(in super::super) fn new(attempt: AttemptId, work: &Work<'_>) -> Option<Self> {
        let SnapshotState::Taken(snapshot) = &work.run.snapshot else { return None };
        if !work.planned.is_merge() {
            return None;
        }
        let step = |task| {
            let position = work.run.position(task)?;
            Some(work.run.plan.tasks.get(position)?.step.to_string())
        };
        let works = work.run.works_for(attempt.task());
        let works = works.iter().map(|given| TaskWork {
            task: given.task,
            step: step(given.task).unwrap_or_default(),
            commit: given.commit.to_owned(),
        });
        let is_agent = |executor: &Executor| matches!(executor, Executor::Agent { .. });
        Some(Self {
            snapshot: snapshot.commit.clone(),
            works: works.collect(),
            has_resolver: work.planned.executors.iter().any(is_agent),
            unmerged: work.unmerged.clone(),
        })
    }

    /// All works, each by itself.
    pub(super) fn parts(&self) -> Vec<Part> {
        let part =
            |work: &TaskWork| Part { works: vec![work.clone()], commit: work.commit.clone() };
        self.works.iter().map(part).collect()
    }

    /// What was put right as one commit, and the works that are yet to come.
    pub(super) fn parts_after(&self, unmerged: &Unmerged, resolved: &str) -> Vec<Part> {
        let of = |tasks: &[TaskId]| -> Vec<TaskWork> {
            self.works.iter().filter(|work| tasks.contains(&work.task)).cloned().collect()
        };
        let first = Part { works: of(&unmerged.works), commit: resolved.to_owned() };
        let left = of(&unmerged.left).into_iter();
        let left = left.map(|work| Part { commit: work.commit.clone(), works: vec![work] });
        std::iter::once(first).chain(left).collect()
    }
}

impl Part {
    /// As it is called in commits and in markers.
    pub(super) fn name(&self) -> String {
        let tasks: Vec<String> = self.works.iter().map(|work| work.task.to_string()).collect();
        tasks.join("+")
    }
}

/// The parts up to the one that does not fit, and those after it.
fn split<'a>(parts: &'a [Part], conflicted: &Conflicted) -> (&'a [Part], &'a [Part]) {
    let is_it = |part: &Part| part.name() == conflicted.between[1];
    let end = parts.iter().position(is_it).map_or(parts.len(), |position| position + 1);
    parts.split_at(end)
}

/// The works that were merged before, and those of the part that does not fit to them.
pub(super) fn sides(parts: &[Part], conflicted: &Conflicted) -> [Vec<TaskWork>; 2] {
    let works = |parts: &[Part]| parts.iter().flat_map(|part| part.works.clone()).collect();
    let (seen, _) = split(parts, conflicted);
    let (before, last) = seen.split_at(seen.len().saturating_sub(1));
    [works(before), works(last)]
}

/// What is left to be put right.
pub(super) fn unmerged(parts: &[Part], conflicted: Conflicted) -> Unmerged {
    let tasks = |parts: &[Part]| {
        parts.iter().flat_map(|part| part.works.iter().map(|work| work.task)).collect()
    };
    let (seen, left) = split(parts, &conflicted);
    let (works, left) = (tasks(seen), tasks(left));
    let Conflicted { mut conflicts, with_markers, .. } = conflicted;
    let more = conflicts.len().saturating_sub(Unmerged::MAX_CONFLICTS);
    conflicts.truncate(Unmerged::MAX_CONFLICTS);
    let more = u32::try_from(more).unwrap_or(u32::MAX);
    Unmerged { works, left, commit: with_markers, conflicts, more }
}

/// How works are called: `left (r1.1) and right (r1.2)`.
pub(super) fn called(works: &[TaskWork]) -> String {
    let name = |work: &TaskWork| format!("{} ({})", work.step, work.task);
    let names: Vec<String> = works.iter().take(NAMED).map(name).collect();
    match (names.as_slice(), works.len().saturating_sub(NAMED)) {
        ([first @ .., last], 0) if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        (names, 0) => names.concat(),
        (names, more) => format!("{} and {more} more", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work(number: u32) -> TaskWork {
        let task = format!("r1.{number}").parse().unwrap();
        TaskWork { task, step: format!("s{number}"), commit: format!("c{number}") }
    }

    fn merge(works: u32) -> MergeWork {
        MergeWork {
            snapshot: "c0".to_owned(),
            works: (1..=works).map(work).collect(),
            has_resolver: true,
            unmerged: None,
        }
    }

    fn conflicted(theirs: &str) -> Conflicted {
        Conflicted {
            between: ["r1.1".to_owned(), theirs.to_owned()],
            conflicts: Vec::new(),
            with_markers: "m".to_owned(),
        }
    }

    #[test]
    fn what_was_put_right_stands_for_the_works_that_are_in_it() {
        let merge = merge(4);
        let left = unmerged(&merge.parts(), conflicted("r1.2"));
        let tasks = |works: &[TaskId]| works.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(
            (tasks(&left.works), tasks(&left.left)),
            (
                vec!["r1.1".to_owned(), "r1.2".to_owned()],
                vec!["r1.3".to_owned(), "r1.4".to_owned()],
            )
        );
        let parts = merge.parts_after(&left, "fixed");
        let names: Vec<(String, &str)> =
            parts.iter().map(|part| (part.name(), part.commit.as_str())).collect();
        assert_eq!(
            names,
            [
                ("r1.1+r1.2".to_owned(), "fixed"),
                ("r1.3".to_owned(), "c3"),
                ("r1.4".to_owned(), "c4"),
            ]
        );
        let again = unmerged(&parts, conflicted("r1.4"));
        assert_eq!((again.works.len(), again.left.len()), (4, 0));
        let [ours, theirs] = sides(&parts, &conflicted("r1.3"));
        assert_eq!((ours, theirs), (vec![work(1), work(2)], vec![work(3)]));
    }

    #[test]
    fn works_are_called_by_their_steps() {
        let works: Vec<TaskWork> = (1..=5).map(work).collect();
        assert_eq!(called(&works[..1]), "s1 (r1.1)");
        assert_eq!(called(&works[..3]), "s1 (r1.1), s2 (r1.2) and s3 (r1.3)");
        assert_eq!(called(&works), "s1 (r1.1), s2 (r1.2), s3 (r1.3) and 2 more");
    }
}
