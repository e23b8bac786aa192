//! Who of those that can carry out a task gets it, and why, in one line.

use crate::{
    agent::AgentProfile,
    plan::{Executor, PlannedTask},
    selection::{Criterion, compare},
    state::{Run, Task},
};
use std::fmt::Write as _;

/// How many names a reason has.
const NAMED: usize = 6;
/// How much of another attempt's end a reason quotes, in characters.
const QUOTED: usize = 160;

/// An agent that could take a task, with how many attempts it has under way.
#[derive(Clone, Copy)]
struct Candidate<'a> {
    executor: &'a Executor,
    profile: &'a AgentProfile,
    load: u32,
}

impl Candidate<'_> {
    fn is_free(&self) -> bool {
        self.load < self.profile.max_load
    }
}

/// `None` while every agent that could take the task is at its limit. `load` says how many attempts an
/// agent has under way.
pub(super) fn choose<'a>(
    run: &'a Run,
    task: &Task,
    planned: &'a PlannedTask,
    load: impl Fn(&str) -> u32,
) -> Option<(&'a Executor, String)> {
    let executors = task.candidates(planned);
    let candidates: Vec<Candidate<'a>> = executors
        .iter()
        .filter_map(|&executor| {
            let profile = run.plan.agents.get(executor.name())?;
            matches!(executor, Executor::Agent { .. }).then(|| Candidate {
                executor,
                profile,
                load: load(&profile.name),
            })
        })
        .collect();
    let (chosen, mut why) = match candidates.as_slice() {
        // A native action; its kind has no limit of its own.
        [] => match *executors.first()? {
            native @ Executor::Native { .. } => {
                (native, format!("native action, mode {}", planned.mode))
            }
            agent @ Executor::Agent { .. } => (agent, "the only candidate".to_owned()),
        },
        [only] => {
            let is_fallback = matches!(only.executor, Executor::Agent { fallback: true, .. });
            let why = if is_fallback { "fallback" } else { "the only candidate" };
            (only.is_free().then_some(only.executor)?, why.to_owned())
        }
        several => best(run, several)?,
    };
    if task.failures > 0 {
        return Some((chosen, format!("retry {} of {}", task.failures, planned.retry.max)));
    }
    if !candidates.is_empty() && !planned.capabilities.is_empty() {
        why.push_str(&format!("; needs {}", planned.capabilities.join(", ")));
    }
    if let Some(failure) = failure_before(task, chosen) {
        why.push_str(&failure);
    }
    Some((chosen, why))
}

/// Compares by one criterion after the other until one candidate is left.
fn best<'a>(run: &Run, candidates: &[Candidate<'a>]) -> Option<(&'a Executor, String)> {
    let mut left: Vec<Candidate<'a>> =
        candidates.iter().copied().filter(Candidate::is_free).collect();
    let mut passed_over: Vec<Candidate<'a>> =
        candidates.iter().copied().filter(|candidate| !candidate.is_free()).collect();
    let mut why = "the only one with a free place".to_owned();
    for criterion in run.plan.order.criteria() {
        if left.len() < 2 {
            break;
        }
        let pair = |candidate: &Candidate<'a>| (candidate.profile, candidate.load);
        let first = *left.iter().min_by(|a, b| compare(criterion, pair(a), pair(b)))?;
        let (behind, equal): (Vec<_>, Vec<_>) =
            left.iter().partition(|other| compare(criterion, pair(&first), pair(other)).is_lt());
        match (behind.is_empty(), equal.len()) {
            (true, _) => {}
            (false, 1) => why = reason(criterion, &left),
            (false, _) => passed_over.extend(behind),
        }
        left = equal;
    }
    let chosen = left.first()?;
    if !passed_over.is_empty() {
        why.push_str("; passed over: ");
        why.push_str(&list(&passed_over, |candidate, _| {
            let limit = if candidate.is_free() { "" } else { ", at its limit" };
            format!("{} ({} running{limit})", candidate.profile.name, candidate.load)
        }));
    }
    Some((chosen.executor, why))
}

/// By what the best of `candidates` is better than the others.
fn reason(criterion: Criterion, candidates: &[Candidate<'_>]) -> String {
    let unit = |unit: &str, number: String, at: usize| match at {
        0 => format!(" ({number} {unit})"),
        _ => format!(" ({number})"),
    };
    let (what, named) = match criterion {
        Criterion::Load => (
            "least loaded of",
            list(candidates, |candidate, at| {
                candidate.profile.name.clone() + &unit("running", candidate.load.to_string(), at)
            }),
        ),
        Criterion::Priority => (
            "highest priority of",
            list(candidates, |candidate, _| {
                format!("{} ({})", candidate.profile.name, candidate.profile.priority)
            }),
        ),
        Criterion::Specialised => (
            "most specialised of",
            list(candidates, |candidate, at| {
                let count = candidate.profile.capabilities.len();
                let word = if count == 1 { "capability" } else { "capabilities" };
                candidate.profile.name.clone() + &unit(word, count.to_string(), at)
            }),
        ),
        Criterion::Name => {
            ("first by name of", list(candidates, |candidate, _| candidate.profile.name.clone()))
        }
    };
    format!("{what} {named}")
}

fn list(candidates: &[Candidate<'_>], show: impl Fn(&Candidate<'_>, usize) -> String) -> String {
    let shown: Vec<String> =
        candidates.iter().take(NAMED).enumerate().map(|(at, one)| show(one, at)).collect();
    let mut text = shown.join(", ");
    if candidates.len() > NAMED {
        // Writing into a string cannot fail.
        let _ = write!(text, " and {} more", candidates.len() - NAMED);
    }
    text
}

/// Whose failure made this one's turn come. What vanished was not given up: then it may be the same one
/// again.
fn failure_before(task: &Task, chosen: &Executor) -> Option<String> {
    if task.given_up.is_empty() {
        return None;
    }
    let before = task.attempts.iter().rev();
    let failed = before.into_iter().find(|attempt| attempt.started.executor != *chosen)?;
    let end = failed.ended.as_ref().map_or("failed", |end| end.summary.as_str());
    let end: String = end.lines().next().unwrap_or_default().chars().take(QUOTED).collect();
    Some(format!(", after {} {end}", failed.started.executor))
}
