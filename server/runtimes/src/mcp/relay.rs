//! The connection to the shim: calls go out as they come, and each gets the reply with its number.

use super::{
    contact::Contact,
    wire::{Call, CallLine, Hello, ReplyLine, VERSION},
};
use crate::attempt::Reply;
use serde::Serialize;
use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    net::{
        UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{Mutex as AsyncMutex, oneshot},
};

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum RelayError {
    #[error(
        "this is not within a task of Orchestra: ORCHESTRA_MCP_SOCKET and ORCHESTRA_MCP_TOKEN are not set"
    )]
    NoTask,
    #[error("the shim of this task does not answer at {socket}: {source}")]
    NoShim { socket: String, source: io::Error },
    #[error("the shim of this task has hung up")]
    HungUp,
    #[error("{0}")]
    Refused(String),
}

type Waiting = Arc<Mutex<HashMap<u64, oneshot::Sender<Reply>>>>;

/// Relays calls, over a connection that is made when the first one comes.
pub(super) struct Relay {
    contact: Option<Contact>,
    connection: AsyncMutex<Option<Connection>>,
}

struct Connection {
    writer: OwnedWriteHalf,
    waiting: Waiting,
    last: u64,
}

impl Relay {
    /// `None`: every call says that there is no task.
    pub(super) fn new(contact: Option<Contact>) -> Self {
        Self { contact, connection: AsyncMutex::new(None) }
    }

    /// The shim's reply. How long that takes at most is the shim's to say.
    pub(super) async fn call(&self, call: Call) -> Result<Reply, RelayError> {
        let reply = {
            let mut place = self.connection.lock().await;
            let mut connection = match place.take() {
                Some(connection) => connection,
                None => self.connect().await?,
            };
            let reply = connection.send(call).await.map_err(|_| RelayError::HungUp)?;
            // One that has failed is made anew by the next call.
            *place = Some(connection);
            reply
        };
        match reply.await {
            Ok(reply) => Ok(reply),
            Err(_) => {
                *self.connection.lock().await = None;
                Err(RelayError::HungUp)
            }
        }
    }

    async fn connect(&self) -> Result<Connection, RelayError> {
        let Contact { socket, token } = self.contact.as_ref().ok_or(RelayError::NoTask)?;
        let no_shim = |source| RelayError::NoShim { socket: socket.display().to_string(), source };
        let stream = UnixStream::connect(socket).await.map_err(no_shim)?;
        let (reader, mut writer) = stream.into_split();
        let hello = Hello { version: VERSION, token: token.clone() };
        write(&mut writer, &hello).await.map_err(no_shim)?;
        let mut lines = BufReader::new(reader).lines();
        match read(&mut lines).await.map_err(no_shim)? {
            Some(ReplyLine { reply: Reply::Welcome { .. }, .. }) => {}
            Some(ReplyLine { reply: Reply::Failed { message, .. }, .. }) => {
                return Err(RelayError::Refused(message));
            }
            Some(_) | None => return Err(RelayError::HungUp),
        }
        let waiting = Waiting::default();
        let heard = Arc::clone(&waiting);
        tokio::spawn(async move {
            while let Ok(Some(ReplyLine { id, reply })) = read(&mut lines).await {
                if let Some(waiting) = lock(&heard).remove(&id) {
                    // Whoever called may have stopped waiting.
                    let _ = waiting.send(reply);
                }
            }
            // Nobody is answered any more.
            lock(&heard).clear();
        });
        Ok(Connection { writer, waiting, last: 0 })
    }
}

impl Connection {
    async fn send(&mut self, call: Call) -> io::Result<oneshot::Receiver<Reply>> {
        self.last += 1;
        let id = self.last;
        let (sender, reply) = oneshot::channel();
        lock(&self.waiting).insert(id, sender);
        write(&mut self.writer, &CallLine { id, call }).await?;
        Ok(reply)
    }
}

fn lock(waiting: &Waiting) -> std::sync::MutexGuard<'_, HashMap<u64, oneshot::Sender<Reply>>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn write(writer: &mut OwnedWriteHalf, line: &impl Serialize) -> io::Result<()> {
    let mut bytes = serde_json::to_vec(line)?;
    bytes.push(b'\n');
    writer.write_all(&bytes).await
}

/// `None` when the shim has hung up.
async fn read(lines: &mut Lines<BufReader<OwnedReadHalf>>) -> io::Result<Option<ReplyLine>> {
    let Some(line) = lines.next_line().await? else { return Ok(None) };
    Ok(Some(serde_json::from_str(&line)?))
}
