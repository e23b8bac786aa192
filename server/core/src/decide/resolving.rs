//! What an agent is asked that puts right what git could not merge.

use super::starts::render;
use crate::{
    ids::TaskId,
    merge::{Conflict, Unmerged},
    state::{Run, Task, TaskPhase},
};
use std::fmt::Write as _;

/// How much of what a task was asked is told, in characters.
const LONGEST_PROMPT: usize = 4_000;

/// Writing into a string cannot fail, so those results are dropped.
pub(super) fn prompt(run: &Run, left: &Unmerged) -> String {
    let mut text =
        "Several tasks have worked on the same files at the same time, and their works have to \
                    become one. Git has merged them as far as it can; the rest is yours.\n\n"
            .to_owned();
    if left.conflicts.is_empty() {
        text.push_str(
            "Their texts fit together, but the checks say that the whole does not work. Make it work, so that it \
             does what each of them was asked to do.\n",
        );
    } else {
        text.push_str("Where they do not fit together:\n\n");
        for conflict in &left.conflicts {
            let _ = writeln!(text, "- {}", line(conflict));
        }
        if left.more > 0 {
            let _ = writeln!(text, "- and {} more", left.more);
        }
        text.push_str(
            "\nIn these files both sides stand between the markers `<<<<<<<`, `=======` and `>>>>>>>`. Make one text \
             of them that does what each side was asked to do, and leave no marker behind. Of a file that is no text, \
             or that one side has deleted, there is one version only; keep it, change it or delete it. `git show \
             HEAD^1:<file>` and `HEAD^2:<file>` print the two sides whole. Change nothing that this does not need.\n",
        );
    }
    let mut works = Vec::new();
    left.works.iter().for_each(|&task| collect(run, task, &mut works));
    for task in works {
        about(run, task, &mut text);
    }
    text
}

/// A file, with the places on both sides.
fn line(conflict: &Conflict) -> String {
    let (path, kind) = (conflict.shown_path(), conflict.kind);
    let [ours, theirs] = [&conflict.ours, &conflict.theirs].map(Conflict::shown_lines);
    match (ours.as_str(), theirs.as_str()) {
        ("", "") => format!("`{path}`: {kind}"),
        _ => format!("`{path}`: {kind} ({ours} of one, {theirs} of the other)"),
    }
}

/// The tasks that have written, where the work of one is that of others, merged before.
fn collect<'a>(run: &'a Run, id: TaskId, works: &mut Vec<&'a Task>) {
    let Some((position, task)) = run.position(id).map(|at| (at, &run.tasks[at])) else { return };
    if run.plan.tasks[position].is_merge() {
        run.works_for(id).iter().for_each(|work| collect(run, work.task, works));
    } else if !works.iter().any(|known| known.id == id) {
        works.push(task);
    }
}

fn about(run: &Run, task: &Task, text: &mut String) {
    let Some(planned) = run.position(task.id).and_then(|at| run.plan.tasks.get(at)) else { return };
    let _ = write!(text, "\n## What {} ({}) was asked to do\n\n", planned.step, task.id);
    // As it was told: what its templates name has ended, and does not change.
    let asked = render(run, task, planned).ok().and_then(|(prompt, _)| prompt);
    let asked = asked.or_else(|| planned.prompt.clone()).unwrap_or_default();
    match asked.char_indices().nth(LONGEST_PROMPT) {
        Some((end, _)) => drop(writeln!(text, "{} …", asked[..end].trim())),
        None => drop(writeln!(text, "{}", asked.trim())),
    }
    if let TaskPhase::Ended { outcome, .. } = &task.phase
        && let Some(output) = outcome.output().filter(|output| !output.summary.is_empty())
    {
        let _ = writeln!(text, "\nIt says of its work: {}", output.summary);
    }
}
