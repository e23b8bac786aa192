//! `orchestra undo --list`: what was done to the user's files, the last one first.

use crate::{
    commands::Done,
    failure::Failure,
    session::{Session, unreadable},
    show::{operation, style::counted, table::Table},
};
use orchestra_core::view::OperationView;
use serde_json::json;

/// How many runs are looked through.
const RUNS: u32 = 1_000;

pub(crate) fn list(session: &Session) -> Result<Done, Failure> {
    let runs = match session.reader()? {
        Some(reader) => reader.operated(RUNS).map_err(unreadable)?,
        None => Vec::new(),
    };
    let mut all: Vec<OperationView> = runs.into_iter().flat_map(|run| run.operations).collect();
    all.sort_by_key(|operation| std::cmp::Reverse((operation.started, operation.id)));
    if session.json {
        anstream::println!("{}", json!({ "operations": all }));
        return Ok(Done::Well);
    }
    if all.is_empty() {
        anstream::println!("nothing was done to your files");
        return Ok(Done::Well);
    }
    let mut table = Table::new(&["operation", "what", "files", "when", "how it ended", ""]);
    for one in &all {
        table.row([
            one.id.to_string(),
            operation::what(&one.kind),
            counted(one.files.len(), "file"),
            one.started.to_string(),
            operation::end_in_short(one.end.as_ref()).to_owned(),
            match (one.undone_by, one.in_effect) {
                (Some(by), _) => format!("taken back by {by}"),
                (None, true) => "can be taken back".to_owned(),
                (None, false) => String::new(),
            },
        ]);
    }
    table.print();
    Ok(Done::Well)
}
