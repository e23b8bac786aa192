//! What a person should know of a run besides how its tasks stand, in words.

use crate::show::style::one_line;
use orchestra_core::{
    merge::{Conflict, Foreseen},
    snapshot::Snapshot,
};

/// How many files are named before the rest is only counted.
const NAMED: usize = 5;

/// A sentence for each thing that the user should know of a snapshot; none when all is in it.
pub(crate) fn of_snapshot(snapshot: &Snapshot) -> Vec<String> {
    let left_out: Vec<String> =
        snapshot.left_out.iter().map(|left| format!("{} ({})", left.path, left.reason)).collect();
    [
        listed("agents do not see", &left_out),
        listed("agents see conflict markers in", &snapshot.conflicted),
    ]
    .into_iter()
    .flatten()
    .map(|line| one_line(&line))
    .collect()
}

/// A sentence for each file in which two are about to collide.
pub(crate) fn of_foreseen(foreseen: &[Foreseen]) -> Vec<String> {
    let mut notes: Vec<String> = foreseen.iter().take(NAMED).map(collision).collect();
    if foreseen.len() > NAMED {
        notes.push(format!("and {} more files are about to conflict", foreseen.len() - NAMED));
    }
    notes
}

fn collision(foreseen: &Foreseen) -> String {
    let Foreseen { between: [ours, theirs], conflict } = foreseen;
    let place = Conflict::shown_lines(&conflict.ours);
    let place = if place.is_empty() { String::new() } else { format!(" ({place})") };
    let path = conflict.shown_path();
    one_line(&format!("{ours} and {theirs} are about to conflict in {path}{place}"))
}

fn listed(what: &str, names: &[String]) -> Option<String> {
    let named = names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    match names.len().checked_sub(NAMED) {
        _ if names.is_empty() => None,
        None | Some(0) => Some(format!("{what} {named}")),
        Some(more) => Some(format!("{what} {named} and {more} more")),
    }
}
