//! `inbox/`: what the daemon has to say to a running shim, as numbered files, and a bell.
//!
//! The bell is a named pipe and not inotify, of which a user has 128 instances by default: fewer than
//! there may be attempts. It rings after the message is in place; a shim opens it before it looks into
//! the folder for the first time, so no message is missed.

use super::{AttemptDir, Reply, claim, format};
use orchestra_core::{decision::AnsweredBy, ids::DecisionId, outcome::StopReason, time::Millis};
use rustix::{
    fs::{CWD, Mode, OFlags, mkfifoat, open},
    io::Errno,
};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

/// What the daemon has to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum InboxMessage {
    /// End the process tree.
    Cancel { reason: StopReason },
    /// The agent's time, from its start, is another one now.
    Timeout { timeout: Millis },
    /// The question that the agent asked under this key needs no answer any more; `None`: nobody gave
    /// one in time.
    Answer { decision: DecisionId, key: String, answer: Option<GivenAnswer> },
    /// To what the agent has said under this number.
    Reply { number: u32, reply: Reply },
}

/// An answer to a question of the agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenAnswer {
    /// The id of a choice, or a free text.
    pub choice: String,
    pub by: AnsweredBy,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// It lies in the inbox under this number.
    Delivered { number: u32 },
    /// There was no shim yet, and now none will ever run: the attempt was never started.
    NeverStarts,
}

/// Sends a message to the attempt's shim. Sending the last message once more only rings again, so a
/// daemon that does not know whether it has sent it may do so.
pub fn send(attempt: &AttemptDir, message: &InboxMessage) -> io::Result<Sent> {
    let inbox = attempt.inbox();
    let number = loop {
        let last = numbers(&inbox)?.into_iter().max();
        if let Some(number) = last
            && read(&inbox, number).is_ok_and(|last| last == *message)
        {
            break number;
        }
        let number = last.unwrap_or(0) + 1;
        if format::publish_new(&path(&inbox, number), &format::encode(message)?)? {
            break number;
        }
    };
    // After the message, so that a shim which is faster than the tombstone finds it.
    if matches!(message, InboxMessage::Cancel { .. }) && claim::bury(&attempt.claim_path())? {
        return Ok(Sent::NeverStarts);
    }
    ring(attempt)?;
    Ok(Sent::Delivered { number })
}

pub(super) fn create(inbox: &Path) -> io::Result<()> {
    fs::create_dir(inbox).map_err(format::at(inbox))?;
    let bell = bell(inbox);
    let made = mkfifoat(CWD, &bell, Mode::RUSR | Mode::WUSR);
    made.map_err(|error| format::at(&bell)(error.into()))
}

/// Has the shim look into its inbox, if there is one.
pub(super) fn ring(attempt: &AttemptDir) -> io::Result<()> {
    let bell = bell(&attempt.inbox());
    let opened = OpenOptions::new().write(true).custom_flags(nonblocking()).open(&bell);
    let rung = opened.and_then(|mut bell| bell.write_all(b"!"));
    match rung {
        // Full: it is ringing already.
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
        // Nobody listens: the shim looks before it listens, or has ended.
        Err(error) if error.raw_os_error() == Some(Errno::NXIO.raw_os_error()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        rung => rung.map_err(format::at(&bell)),
    }
}

/// The shim's end of the bell: readable when it rings. Open for writing, too, so that it never ends.
pub(crate) fn open_bell(attempt: &AttemptDir) -> io::Result<File> {
    let bell = bell(&attempt.inbox());
    let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
    match open(&bell, flags, Mode::empty()) {
        Ok(file) => Ok(file.into()),
        Err(error) => Err(format::at(&bell)(error.into())),
    }
}

/// The messages with higher numbers than `last`, in order. One that cannot be read keeps no other back.
pub(crate) fn messages_after(
    attempt: &AttemptDir,
    last: u32,
) -> io::Result<Vec<(u32, io::Result<InboxMessage>)>> {
    let inbox = attempt.inbox();
    let mut numbers: Vec<u32> =
        numbers(&inbox)?.into_iter().filter(|&number| number > last).collect();
    numbers.sort_unstable();
    Ok(numbers.into_iter().map(|number| (number, read(&inbox, number))).collect())
}

/// Removes a message that was taken up. The last one stays: the next one is counted from it.
pub(crate) fn forget(attempt: &AttemptDir, number: u32) {
    // What stays is only in the way.
    let _ = fs::remove_file(path(&attempt.inbox(), number));
}

fn read(inbox: &Path, number: u32) -> io::Result<InboxMessage> {
    let path = path(inbox, number);
    format::decode(&path, &fs::read(&path).map_err(format::at(&path))?)
}

fn numbers(inbox: &Path) -> io::Result<Vec<u32>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(inbox).map_err(format::at(inbox))? {
        let name = entry.map_err(format::at(inbox))?.file_name();
        // The bell and unfinished messages have other names.
        let number = name.to_str().and_then(|name| name.strip_suffix(".json"));
        numbers.extend(number.and_then(|number| number.parse::<u32>().ok()));
    }
    Ok(numbers)
}

fn path(inbox: &Path, number: u32) -> PathBuf {
    inbox.join(format!("{number:06}.json"))
}

fn bell(inbox: &Path) -> PathBuf {
    inbox.join("bell")
}

fn nonblocking() -> i32 {
    // The bits of flags fit: they come from the system's own integer.
    OFlags::NONBLOCK.bits() as i32
}
