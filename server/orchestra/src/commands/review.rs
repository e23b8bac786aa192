//! `orchestra review`: what a run has made, hunk by hunk, and what a person says of it.

mod judging;
mod paging;
mod reading;

use crate::{
    arguments::reviews::Review as Arguments,
    commands::Done,
    failure::{Class, Failure},
    session::{Session, unreadable},
    show::{
        review::{Layout, coloured},
        style::plain,
    },
};
use orchestra_core::{
    ids::{HunkId, RunId},
    review::Review,
    view::RunView,
};
use orchestra_protocol::command::Command;
use orchestra_store::Reader;
use serde_json::json;
use std::io::{self, IsTerminal as _, Write as _};

pub(crate) use reading::{kept, view};

pub(crate) async fn run(session: &Session, arguments: Arguments) -> Result<Done, Failure> {
    let id = arguments.run;
    let review = reading::read(session, id).await?;
    if let Some(comment) = &arguments.send_back {
        let hunks = judging::hunks(&review.data, id, &arguments.hunk)?;
        return send_back(session, id, comment.clone(), hunks).await;
    }
    let judgements = judging::judgements(&review.data, &arguments)?;
    if !judgements.is_empty() {
        for command in judgements {
            session.command(&format!("judge {id}"), command).await?;
        }
        return judged(session, id);
    }
    if session.json {
        let value = json!({ "run": id, "review": review.run.review, "data": review.data });
        anstream::println!("{value}");
    } else if arguments.diff {
        print_patch(&review.data).map_err(|error| Failure::doing("print the patch", error))?;
    } else if io::stdin().is_terminal() && io::stdout().is_terminal() {
        return paging::page(session, review).await;
    } else {
        print(session, &review.run, &review.data)?;
    }
    Ok(Done::Well)
}

/// Byte for byte into a pipe, so that git takes it; on a terminal as text that steers none.
fn print_patch(review: &Review) -> io::Result<()> {
    let patch = review.unified(|_, _| String::new());
    let mut stdout = io::stdout().lock();
    let text = if stdout.is_terminal() { plain(&patch) } else { patch };
    stdout.write_all(text.as_bytes())
}

/// All of it as text.
fn print(session: &Session, run: &RunView, review: &Review) -> Result<(), Failure> {
    let Some(view) = &run.review else { return Ok(()) };
    for line in reading::head(session, run, review)? {
        anstream::println!("{line}");
    }
    anstream::println!("{}", reading::standing(view));
    let layout = Layout::of(review);
    for row in &layout.rows {
        let (tone, text) = layout.text(row, review, view);
        anstream::println!("{}", coloured(tone, &text));
    }
    Ok(())
}

/// What stands after verdicts were recorded.
fn judged(session: &Session, id: RunId) -> Result<Done, Failure> {
    let run = view(session, id)?;
    if session.json {
        anstream::println!("{}", json!({ "run": id, "review": run.review }));
    } else if let Some(review) = &run.review {
        anstream::println!("{id}: {}", reading::standing(review));
    }
    Ok(Done::Well)
}

/// An agent goes on from here: the run is open again.
async fn send_back(
    session: &Session,
    run: RunId,
    comment: String,
    hunks: Vec<HunkId>,
) -> Result<Done, Failure> {
    let command = Command::SendBack { run, comment, hunks };
    let answer = session.command(&format!("send {run} back"), command).await?;
    if session.json {
        anstream::println!("{}", json!(answer));
    } else {
        for note in &answer.notes {
            anstream::println!("note: {}", plain(note));
        }
        anstream::println!("{run} goes on; follow it with `orchestra watch {run}`");
    }
    Ok(Done::Well)
}

/// There is no such run.
fn missing(run: RunId) -> Failure {
    Failure::new(
        Class::Usage,
        format!("review {run}: there is no such run in this workspace"),
        "`orchestra status` lists them",
    )
}

/// The journal of the workspace, which a run must be in.
fn reader(session: &Session, run: RunId) -> Result<Reader, Failure> {
    session.reader()?.ok_or_else(|| missing(run))
}

/// How a run stands.
fn look(session: &Session, run: RunId) -> Result<RunView, Failure> {
    reader(session, run)?.run(run).map_err(unreadable)?.ok_or_else(|| missing(run))
}
