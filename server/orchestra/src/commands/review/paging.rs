//! The pager at work: what a person wants done is done at once.

use super::{reading::Read, send_back};
use crate::{
    commands::{Done, operations},
    failure::Failure,
    pager::{Action, Event, Pager, Screen},
    session::Session,
};
use orchestra_core::operation::{Favor, Target};
use orchestra_protocol::command::Command;
use std::io;

pub(super) async fn page(session: &Session, read: Read) -> Result<Done, Failure> {
    let Read { run, data } = read;
    let id = run.id;
    let head = super::reading::head(session, &run, &data)?;
    let Some(view) = run.review else { return Ok(Done::Well) };
    let mut screen = Screen::open().map_err(terminal)?;
    let size = Screen::size().map_err(terminal)?;
    let mut pager = Pager::new(data, view, head, size);
    loop {
        screen.show(&pager.draw(), pager.is_typing()).map_err(terminal)?;
        let action = match screen.event().await.map_err(terminal)? {
            Event::Ended => return Ok(Done::Well),
            Event::Resized(size) => {
                pager.resize(size);
                continue;
            }
            Event::Key(key) => pager.press(key),
        };
        match action {
            None => {}
            Some(Action::Quit) => return Ok(Done::Well),
            Some(Action::Judge { selection, verdict }) => {
                let command = Command::Judge { run: id, selection: selection.clone(), verdict };
                match session.command(&format!("judge {id}"), command).await {
                    Ok(_) => pager.judged(&selection, verdict),
                    Err(failure) => pager.say(failure.to_string()),
                }
            }
            Some(Action::SendBack { comment, hunks }) => {
                drop(screen);
                return send_back(session, id, comment, hunks).await;
            }
            Some(Action::Apply) => {
                drop(screen);
                let apply = Command::Apply {
                    run: id,
                    target: Target::Files,
                    favor: Favor::Neither,
                    all: false,
                    unsaved: Vec::new(),
                };
                return operations::carry_out(session, &format!("apply {id}"), apply, &[]).await;
            }
        }
    }
}

fn terminal(error: io::Error) -> Failure {
    Failure::doing("show the review on this terminal", error)
        .with_hint("without a terminal, as in `orchestra review … | cat`, it is printed")
}
