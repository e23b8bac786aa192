//! Taking in what shims tell: `events.jsonl` of each attempt, in pieces, each recorded before the next
//! one is read. So a flood of one attempt keeps nobody else waiting.

use super::{Shared, process::blocking};
use crate::{actor::Message, batch::AgentReply};
use orchestra_core::{ids::AttemptId, outcome::Artifact};
use orchestra_runtimes::attempt::Reply;
use std::{io, sync::Arc};
use tokio::sync::oneshot;

/// How much is taken in at once, if no single line may be longer.
const PIECE: usize = 256 * 1024;

/// How far the file of an attempt has been taken in.
pub(super) struct Ingest {
    attempt: AttemptId,
    /// `None`: the journal is yet to say.
    next: Option<u64>,
}

impl Ingest {
    /// `found` is an attempt that an earlier daemon started, and maybe heard of.
    pub(super) fn new(attempt: AttemptId, found: bool) -> Self {
        Self { attempt, next: (!found).then_some(0) }
    }

    /// Takes in everything that there is now. Returns when it is recorded.
    pub(super) async fn take_all(&mut self, shared: &Arc<Shared>) {
        loop {
            match self.take_some(shared).await {
                Ok(Taken::All) => return,
                Ok(Taken::Some) => {}
                Ok(Taken::NotRecorded) => tokio::time::sleep(shared.try_again_after).await,
                Err(error) => {
                    let attempt = self.attempt;
                    tracing::error!(%attempt, %error, "what its shim tells cannot be read");
                    return;
                }
            }
        }
    }

    async fn take_some(&mut self, shared: &Arc<Shared>) -> io::Result<Taken> {
        let (attempt, next, on_thread) = (self.attempt, self.next, Arc::clone(shared));
        let (from, chunk) = blocking(move || {
            let from = match next {
                Some(next) => next,
                None => on_thread.ingested(attempt)?,
            };
            Ok((from, on_thread.attempt_dir(attempt).events(from, on_thread.piece())?))
        })
        .await?;
        self.next = Some(from);
        if chunk.skipped > 0 {
            tracing::warn!(%attempt, from, lines = chunk.skipped, "its shim tells what is not known here");
        }
        if chunk.next == from {
            return Ok(Taken::All);
        }
        let (recorded, is_recorded) = oneshot::channel();
        let (lines, next) = (chunk.lines, chunk.next);
        if shared.sender.send(Message::Told { attempt, lines, next, recorded }).is_err() {
            // The actor has gone; the next one finds all of it.
            return Ok(Taken::All);
        }
        if is_recorded.await.is_err() {
            return Ok(Taken::NotRecorded);
        }
        self.next = Some(next);
        Ok(if chunk.is_last { Taken::All } else { Taken::Some })
    }
}

enum Taken {
    All,
    Some,
    /// The journal did not take it.
    NotRecorded,
}

impl Shared {
    fn ingested(&self, attempt: AttemptId) -> io::Result<u64> {
        match self.store.upgrade() {
            Some(store) => store.ingested(attempt).map_err(io::Error::other),
            None => Err(io::Error::other("the journal is closed")),
        }
    }

    /// The longest line that a shim lets pass has to fit in, as the JSON of its event.
    fn piece(&self) -> usize {
        let line = usize::try_from(self.mcp.max_line.0).unwrap_or(usize::MAX);
        PIECE.max(line.saturating_mul(2))
    }
}

/// How much of a file goes into one answer.
const LONGEST_PART: u64 = 256 * 1024;

impl AgentReply {
    /// Reads what is yet to be read.
    pub(super) fn complete(self, shared: &Shared) -> Reply {
        match self {
            Self::Given(reply) => reply,
            Self::Artifact { artifact, offset } => read_part(shared, &artifact, offset),
        }
    }
}

fn read_part(shared: &Shared, artifact: &Artifact, offset: u64) -> Reply {
    let path = &artifact.path;
    let content = match shared.artifacts.read(&artifact.sha256) {
        Ok(content) => content,
        Err(error) => {
            let hint = "go on without it, and say so";
            return Reply::failed(format!("{path} cannot be read: {error}"), hint);
        }
    };
    let bytes = content.len() as u64;
    let Ok(text) = std::str::from_utf8(&content) else {
        let hint = "read the file itself, below .orchestra/workspace/ of the workspace";
        return Reply::failed(format!("{path} is no text, it has {bytes} bytes"), hint);
    };
    // The system's sizes fit, since the content is in memory.
    let from = text.floor_char_boundary(usize::try_from(offset.min(bytes)).unwrap_or(text.len()));
    let to = (from as u64).saturating_add(LONGEST_PART).min(bytes);
    let to = text.floor_char_boundary(usize::try_from(to).unwrap_or(text.len()));
    let next = (to < text.len()).then_some(to as u64);
    Reply::Artifact { text: text[from..to].to_owned(), bytes, next }
}
