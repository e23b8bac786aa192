//! `orchestra watch`: follow a run, or everything that happens in the workspace.

use crate::{
    commands::{Done, run::to_the_end, show::no_such},
    failure::Failure,
    session::{Session, unreadable},
    show::follow,
};
use orchestra_core::ids::RunId;

pub(crate) async fn run(session: &Session, run: Option<RunId>) -> Result<Done, Failure> {
    let reader = session.reader()?;
    let Some(id) = run else {
        let last = match &reader {
            Some(reader) => reader.last_seq().map_err(unreadable)?,
            None => 0,
        };
        follow::all(session, last + 1).await?;
        return Ok(Done::Well);
    };
    let first = match &reader {
        Some(reader) => reader.events(id, 0, 1).map_err(unreadable)?.first().map(|(seq, _)| *seq),
        None => None,
    };
    let first = first.ok_or_else(|| no_such("watch", &id.to_string()))?;
    to_the_end(session, id, first).await
}
