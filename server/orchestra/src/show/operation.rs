//! What was done to the user's files, in words.

use crate::show::style::{bold, counted, one_line};
use orchestra_core::{
    merge::{Conflict, Side},
    operation::{FileState, OperationEnd, OperationKind, Target},
    view::OperationView,
};

/// How many lines of each side of a conflict are shown.
const EXCERPT: usize = 8;

/// What an operation does, in a few words.
pub(crate) fn what(kind: &OperationKind) -> String {
    match kind {
        OperationKind::Apply { target: Target::Files, .. } => "apply to your files".to_owned(),
        OperationKind::Apply { target, .. } => one_line(&format!("apply to {target}")),
        OperationKind::Undo { of } => format!("undo {of}"),
        OperationKind::Discard => "discard".to_owned(),
        OperationKind::Clean => "clean up".to_owned(),
    }
}

/// How it ended, in a word or two.
pub(crate) fn end_in_short(end: Option<&OperationEnd>) -> &'static str {
    match end {
        None => "under way",
        Some(OperationEnd::Applied) => "done",
        Some(OperationEnd::Nothing) => "nothing to do",
        Some(OperationEnd::Partly { .. }) => "partly done",
        Some(OperationEnd::Conflict { .. }) => "conflict",
        Some(OperationEnd::Refused { .. }) => "refused",
    }
}

/// What happened, file by file, and what can be done next.
pub(crate) fn in_full(view: &OperationView) -> Vec<String> {
    let id = view.id;
    let short = end_in_short(view.end.as_ref());
    let mut lines = vec![format!("{} {}: {short}", bold(&id.to_string()), what(&view.kind))];
    match &view.end {
        None | Some(OperationEnd::Nothing) => {}
        Some(OperationEnd::Applied) => lines.extend(of_success(view)),
        Some(OperationEnd::Partly { files }) => {
            for file in files {
                lines.push(one_line(&format!("  {}: {}", file.path, state(&file.state))));
            }
            lines.push(format!(
                "take it back with `orchestra undo {id}`, or repair these files and apply again"
            ));
        }
        Some(OperationEnd::Conflict { conflicts }) => {
            conflicts.iter().for_each(|conflict| of_conflict(conflict, &mut lines));
            lines.push("nothing was changed; --ours keeps what you have there, --theirs takes what comes in".to_owned());
        }
        Some(OperationEnd::Refused { message, hint }) => {
            lines.push(one_line(&format!("  {message}")));
            if !hint.is_empty() {
                lines.push(one_line(&format!("hint: {hint}")));
            }
        }
    }
    lines
}

fn of_success(view: &OperationView) -> Vec<String> {
    let id = view.id;
    let mut lines: Vec<String> =
        view.files.iter().map(|path| one_line(&format!("  {path}"))).collect();
    match &view.kind {
        OperationKind::Apply { target: Target::Branch { .. } | Target::Commit, .. } => {
            let commit = view.after.as_deref().unwrap_or("not known");
            lines.push(format!("it is commit {commit}"));
        }
        OperationKind::Apply { target: Target::Files, .. } | OperationKind::Undo { .. }
            if !view.files.is_empty() =>
        {
            let files = counted(view.files.len(), "file");
            lines.push(format!("{files} changed and not committed"));
        }
        // What touches no file of the user.
        OperationKind::Apply { target: Target::Files, .. }
        | OperationKind::Undo { .. }
        | OperationKind::Discard
        | OperationKind::Clean => {}
    }
    lines.push(format!("`orchestra undo {id}` takes it back"));
    lines
}

fn state(state: &FileState) -> String {
    match state {
        FileState::Applied => "changed".to_owned(),
        FileState::ChangedMeanwhile => {
            "you have changed it meanwhile, so it was left alone".to_owned()
        }
        FileState::Failed { problem } => format!("could not be written: {problem}"),
        FileState::Unanswered => "its editor has not said that it has taken it".to_owned(),
    }
}

/// Both sides of a conflict.
fn of_conflict(conflict: &Conflict, lines: &mut Vec<String>) {
    lines.push(one_line(&format!("  {}: {}", conflict.path, conflict.kind)));
    for (name, side) in [("you have", &conflict.ours), ("what comes in", &conflict.theirs)] {
        of_side(name, side, lines);
    }
}

fn of_side(name: &str, side: &Side, lines: &mut Vec<String>) {
    let Some(excerpt) = &side.excerpt else { return };
    let places: Vec<String> = side.lines.iter().map(ToString::to_string).collect();
    lines.push(format!("    {name}, line {}:", places.join(", ")));
    let all = excerpt.lines().count();
    for line in excerpt.lines().take(EXCERPT) {
        lines.push(format!("    | {}", one_line(line)));
    }
    if all > EXCERPT {
        lines.push(format!("    … and {}", counted(all - EXCERPT, "more line")));
    }
}
