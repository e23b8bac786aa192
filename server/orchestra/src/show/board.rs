//! The board: a run and its tasks as they stand, drawn as a few lines of text.

use crate::show::style::{bold, dim, mark, one_line, plain, taken};
use orchestra_core::{
    ids::{AttemptId, TaskId},
    state::{Run, TaskPhase},
    time::Timestamp,
    view::{DecisionView, TaskStatus, TaskView},
};
use orchestra_protocol::stream::AttemptProgress;
use std::collections::BTreeMap;

/// Draws the run in at most `height` lines.
pub(crate) fn draw(
    run: &Run,
    progress: &BTreeMap<AttemptId, AttemptProgress>,
    trouble: Option<&str>,
    now: Timestamp,
    height: usize,
) -> String {
    let view = run.view();
    let mut lines = vec![format!(
        "{} {}  {}/{} tasks  {}",
        bold(&view.id.to_string()),
        view.name,
        view.tasks_ended,
        view.tasks,
        dim(&view.ended.unwrap_or(now).since(view.created).to_string()),
    )];
    if let Some(trouble) = trouble {
        lines.push(format!("  waiting: {trouble}"));
    }
    for decision in &view.decisions {
        lines.push(format!("  ? {}: orchestra decide {}", question(decision), decision.id));
    }
    if !view.detail.is_empty() {
        lines.push(format!("  {}: {}", view.status, plain(&view.detail)));
    }
    let room = height.saturating_sub(lines.len() + 1).max(1);
    let shown = most_interesting(run, room);
    let hidden = run.tasks.len() - shown.len();
    let width = shown
        .iter()
        .filter_map(|id| Some(run.task_view(*id)?.step.as_str().len()))
        .max()
        .unwrap_or(0);
    for id in shown {
        let Some(task) = run.task_view(id) else { continue };
        lines.push(task_line(&task, run, progress, now, width));
    }
    if hidden > 0 {
        lines.push(dim(&format!("  … and {hidden} more")));
    }
    lines.join("\n")
}

fn question(decision: &DecisionView) -> &str {
    decision.question.trim().lines().next().unwrap_or_default()
}

/// All tasks in the order of the plan if there is room; else those under way, then those that went
/// wrong, then what ended last, then what comes next.
fn most_interesting(run: &Run, room: usize) -> Vec<TaskId> {
    if run.tasks.len() <= room {
        return run.tasks.iter().map(|task| task.id).collect();
    }
    let rank = |phase: &TaskPhase| match TaskStatus::from(phase) {
        TaskStatus::Running | TaskStatus::Stopping | TaskStatus::AwaitingApproval => 0,
        TaskStatus::Failed | TaskStatus::TimedOut => 1,
        TaskStatus::Delayed | TaskStatus::Ready => 2,
        TaskStatus::Succeeded => 3,
        TaskStatus::Waiting | TaskStatus::Cancelled | TaskStatus::Skipped => 4,
    };
    let ended = |phase: &TaskPhase| match phase {
        TaskPhase::Ended { at, .. } => -at.0,
        _ => 0,
    };
    let mut tasks: Vec<_> =
        run.tasks.iter().map(|task| (rank(&task.phase), ended(&task.phase), task.id)).collect();
    tasks.sort_unstable();
    tasks.truncate(room);
    let mut ids: Vec<TaskId> = tasks.into_iter().map(|(_, _, id)| id).collect();
    ids.sort_unstable();
    ids
}

fn task_line(
    task: &TaskView,
    run: &Run,
    progress: &BTreeMap<AttemptId, AttemptProgress>,
    now: Timestamp,
    width: usize,
) -> String {
    let last = task.attempts.last();
    let mut detail = match (task.status, last) {
        (TaskStatus::Running | TaskStatus::Stopping, Some(attempt)) => {
            let mut text = format!("{}  {}", attempt.executor, taken(attempt, now));
            if let Some(progress) = progress.get(&attempt.id) {
                text.push_str("  ");
                text.push_str(&progress_text(progress));
            }
            text
        }
        (TaskStatus::Waiting, _) => {
            let open = |id: &&TaskId| run.task(**id).is_some_and(|need| !need.phase.has_ended());
            let count = task.needs.iter().filter(open).count();
            match (count, task.needs.iter().find(open).and_then(|id| run.task_view(*id))) {
                (1, Some(need)) => format!("waits for {}", need.step),
                (count, Some(need)) => format!("waits for {} and {} more", need.step, count - 1),
                _ => String::new(),
            }
        }
        (status, Some(attempt)) if status.has_ended() => {
            format!("{}  {}", plain(&task.detail), dim(&taken(attempt, now).to_string()))
        }
        (status, _) if task.detail.is_empty() => status.to_string(),
        _ => plain(&task.detail),
    };
    if task.attempts.len() > 1 {
        detail.push_str(&format!("  (attempt {})", task.attempts.len()));
    }
    format!("  {} {:width$}  {}", mark(task.status), task.step.as_str(), detail.trim_end())
}

pub(crate) fn progress_text(progress: &AttemptProgress) -> String {
    let message = one_line(&progress.message);
    match progress.total {
        Some(total) if total > 0 => {
            format!("{}% {message}", progress.done.saturating_mul(100) / total)
        }
        _ => format!("{} {message}", progress.done),
    }
}
