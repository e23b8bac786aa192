//! One process of the agent that calls: whole lines in, whole lines out, neither without bounds.

use crate::{attempt::Reply, mcp::wire::ReplyLine};
use rustix::event::{PollFd, PollFlags};
use std::{
    io::{ErrorKind, Read as _, Write as _},
    os::unix::net::UnixStream,
};

/// How much is read at once, so that no caller keeps the others waiting.
const CHUNK: usize = 16 * 1024;

/// What a caller that does not read may leave lying, in longest lines.
const MOST_UNREAD: usize = 4;

pub(super) struct Connection {
    stream: UnixStream,
    longest: usize,
    incoming: Vec<u8>,
    outgoing: Vec<u8>,
    /// Whether it has shown the token.
    pub(super) is_welcome: bool,
    is_open: bool,
}

impl Connection {
    /// `longest` is what a line may have, in bytes.
    pub(super) fn new(stream: UnixStream, longest: u64) -> Self {
        Self {
            stream,
            longest: usize::try_from(longest).unwrap_or(usize::MAX),
            incoming: Vec::new(),
            outgoing: Vec::new(),
            is_welcome: false,
            is_open: true,
        }
    }

    pub(super) fn interest(&self) -> PollFd<'_> {
        let waits = if self.outgoing.is_empty() { PollFlags::IN } else { PollFlags::OUT };
        PollFd::new(&self.stream, waits)
    }

    /// The lines that have come in whole. Nothing while there are answers that it has not taken.
    pub(super) fn read(&mut self) -> Vec<Vec<u8>> {
        if !self.is_open || !self.outgoing.is_empty() {
            return Vec::new();
        }
        let mut chunk = [0; CHUNK];
        match self.stream.read(&mut chunk) {
            Ok(0) => self.close(),
            Ok(size) => self.incoming.extend_from_slice(&chunk[..size]),
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(_) => self.close(),
        }
        let mut lines = Vec::new();
        while let Some(end) = memchr::memchr(b'\n', &self.incoming) {
            let rest = self.incoming.split_off(end + 1);
            let mut line = std::mem::replace(&mut self.incoming, rest);
            line.pop();
            lines.push(line);
        }
        if self.incoming.len() > self.longest || lines.iter().any(|line| line.len() > self.longest)
        {
            let message = format!("a call has more than {} bytes", self.longest);
            self.say(0, Reply::failed(message, "say less, and put the rest into files"));
            self.close();
            return Vec::new();
        }
        lines
    }

    pub(super) fn say(&mut self, id: u64, reply: Reply) {
        if let Ok(mut line) = serde_json::to_vec(&ReplyLine { id, reply }) {
            line.push(b'\n');
            self.outgoing.extend(line);
        }
        if self.outgoing.len() > self.longest.saturating_mul(MOST_UNREAD) {
            self.outgoing.clear();
            self.close();
        }
    }

    /// Says what is left to be said, and hears nothing more.
    pub(super) fn close(&mut self) {
        self.is_open = false;
        self.incoming = Vec::new();
    }

    /// Writes what can be written now. `false`: it is over.
    pub(super) fn flush(&mut self) -> bool {
        while !self.outgoing.is_empty() {
            match self.stream.write(&self.outgoing) {
                Ok(0) => return false,
                Ok(size) => {
                    self.outgoing.drain(..size);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
                Err(_) => return false,
            }
        }
        self.is_open
    }
}
