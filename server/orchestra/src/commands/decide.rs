//! `orchestra decide`: what waits for a person's answer. Reads the journal, and needs no daemon.

use crate::{
    commands::Done,
    failure::{Class, Failure},
    session::{Session, unreadable},
    show::{decision, table::Table},
};
use orchestra_core::{ids::DecisionId, view::DecisionView};
use orchestra_store::{Reader, RunFilter};
use serde_json::json;

/// Everything that waits, of all runs, oldest first.
pub(crate) fn list(session: &Session) -> Result<Done, Failure> {
    let open = match session.reader()? {
        Some(reader) => open(&reader)?,
        None => Vec::new(),
    };
    if session.json {
        anstream::println!("{}", json!({ "decisions": open }));
        return Ok(Done::Well);
    }
    if open.is_empty() {
        anstream::println!("nothing waits for an answer");
        return Ok(Done::Well);
    }
    let mut table = Table::new(&["decision", "about", "asked", "choices", "question"]);
    for one in &open {
        table.row([
            one.id.to_string(),
            decision::subject(one),
            one.asked.to_string(),
            decision::choices(one),
            one.question.clone(),
        ]);
    }
    table.print();
    Ok(Done::Well)
}

fn open(reader: &Reader) -> Result<Vec<DecisionView>, Failure> {
    let filter = RunFilter { open: true, limit: u32::MAX, ..RunFilter::default() };
    let runs = reader.runs(&filter).map_err(unreadable)?;
    let mut open: Vec<DecisionView> = runs.into_iter().flat_map(|run| run.decisions).collect();
    open.sort_by_key(|one| (one.asked, one.id));
    Ok(open)
}

/// One question in full, answered or not.
pub(crate) fn show(session: &Session, id: DecisionId) -> Result<Done, Failure> {
    let missing = || {
        Failure::new(
            Class::Usage,
            format!("show {id}: there is no such decision in this workspace"),
            "`orchestra decide` lists what waits for an answer",
        )
    };
    let reader = session.reader()?.ok_or_else(missing)?;
    let found = reader.decision(id).map_err(unreadable)?.ok_or_else(missing)?;
    if session.json {
        anstream::println!("{}", json!(found));
    } else {
        anstream::println!("{}", decision::in_full(&found));
    }
    Ok(Done::Well)
}
