//! Who is connected: commands are for the user, and no agent gives them.

use crate::{connections::CountingListener, handlers::App};
use axum::{extract::connect_info::Connected, serve::IncomingStream};
use orchestra_protocol::error::{ErrorBody, ErrorKind};
use std::time::Instant;

/// The process at the other end of a connection, where the system names it, and since when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caller {
    pid: Option<u32>,
    since: Instant,
}

impl Connected<IncomingStream<'_, CountingListener>> for Caller {
    fn connect_info(stream: IncomingStream<'_, CountingListener>) -> Self {
        Self { pid: stream.io().peer(), since: Instant::now() }
    }
}

impl Caller {
    /// Refuses agents. To be called when the request has been read: an answer that comes before
    /// would break the connection of a client that still writes.
    pub(crate) fn must_be_the_user(self, app: &App) -> Result<(), ErrorBody> {
        let Some(pid) = self.pid else { return Ok(()) };
        // A few reads of /proc, which wait for no disk.
        match app.engine.agent_behind(pid, self.since.elapsed()) {
            Ok(None) => Ok(()),
            Ok(Some(agent)) => Err(ErrorBody::new(
                ErrorKind::Refused,
                format!("this is {agent}, and agents do not command"),
                "end the task, and say in its result what should be done next",
            )),
            Err(error) => Err(ErrorBody::new(
                ErrorKind::Refused,
                format!("the process {pid} that asks cannot be looked at: {error}"),
                "ask again, as the same user, and wait for the answer",
            )),
        }
    }
}
