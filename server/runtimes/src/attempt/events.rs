//! `events.jsonl`: what the shim has to tell while the attempt runs, a line each.

use super::{Said, SaidProgress, format};
use crate::clock;
use orchestra_core::{ids::DecisionId, time::Timestamp};
use serde::{Deserialize, Serialize};
use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

/// Something that happened under a shim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum ShimEvent {
    /// The agent's program runs.
    Started { pid: u32 },
    /// The message of this number in the inbox was taken up.
    Acknowledged {
        number: u32,
        /// Of which decision it told, if it was one.
        #[serde(default)]
        decision: Option<DecisionId>,
    },
    /// The agent says something that is to be answered with its number.
    Said { number: u32, said: Said },
    /// How far the agent has come, by its own word.
    Progress(SaidProgress),
    /// The process tree is being ended.
    Stopping { cause: super::StopCause },
    /// Nothing of the process tree is left; the result follows.
    Ended,
}

/// A line of `events.jsonl`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventLine {
    pub at: Timestamp,
    pub event: ShimEvent,
}

/// The shim's end of the file.
#[derive(Debug)]
pub(crate) struct EventWriter {
    file: File,
}

impl EventWriter {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(path)
            .map_err(format::at(path))?;
        Ok(Self { file })
    }

    pub(crate) fn write(&mut self, event: ShimEvent) -> io::Result<()> {
        let mut line = format::encode(&EventLine { at: clock::now(), event })?;
        line.push(b'\n');
        self.file.write_all(&line)
    }
}

/// Some lines of the file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventChunk {
    pub lines: Vec<EventLine>,
    /// Lines that this build cannot read: of a newer one, or damaged.
    pub skipped: usize,
    /// Where to go on reading.
    pub next: u64,
    /// Whether there was no more when it was read, but for a partial last line.
    pub is_last: bool,
}

/// The lines from the byte `from` on, as far as they fit into `most` bytes. A partial last line waits
/// for the next call; a line that is longer than that is skipped.
pub(super) fn read(path: &Path, from: u64, most: usize) -> io::Result<EventChunk> {
    let nothing = EventChunk { next: from, is_last: true, ..EventChunk::default() };
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(nothing),
        Err(error) => return Err(format::at(path)(error)),
    };
    let mut text = Vec::new();
    file.seek(SeekFrom::Start(from)).map_err(format::at(path))?;
    file.take(most as u64).read_to_end(&mut text).map_err(format::at(path))?;
    let is_last = text.len() < most;
    let whole = match text.iter().rposition(|&byte| byte == b'\n') {
        Some(end) => end + 1,
        None if is_last => return Ok(nothing),
        None => text.len(),
    };
    let mut chunk = EventChunk { next: from + whole as u64, is_last, ..EventChunk::default() };
    let lines = text[..whole].split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    for line in lines {
        match format::decode(path, line) {
            Ok(line) => chunk.lines.push(line),
            Err(_) => chunk.skipped += 1,
        }
    }
    Ok(chunk)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_once_each_and_a_partial_one_waits() {
        let read =
            |path: &Path, from| read(path, from, 1 << 20).map(|chunk| (chunk.lines, chunk.next));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        assert_eq!(read(&path, 0).unwrap(), (vec![], 0));
        let mut writer = EventWriter::open(&path).unwrap();
        writer.write(ShimEvent::Started { pid: 7 }).unwrap();
        writer.file.write_all(b"{\"version\":1,").unwrap();
        let (lines, offset) = read(&path, 0).unwrap();
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].event, ShimEvent::Started { pid: 7 });
        assert_eq!(read(&path, offset).unwrap(), (vec![], offset));
        writer.file.write_all(b"\"body\":{\"at\":1,\"event\":{\"type\":\"ended\"}}}\n").unwrap();
        let (lines, end) = read(&path, offset).unwrap();
        assert_eq!(lines, [EventLine { at: Timestamp(1), event: ShimEvent::Ended }]);
        assert_eq!(end, path.metadata().unwrap().len());
    }

    #[test]
    fn what_cannot_be_read_is_skipped_and_counted_and_a_flood_is_read_in_pieces() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        let mut writer = EventWriter::open(&path).unwrap();
        let newer = r#"{"version":1,"body":{"at":1,"event":{"type":"from-the-future"}}}"#;
        writer.file.write_all(format!("{newer}\nnoise\n").as_bytes()).unwrap();
        writer.write(ShimEvent::Ended).unwrap();
        let chunk = read(&path, 0, 1 << 20).unwrap();
        assert_eq!((chunk.lines.len(), chunk.skipped, chunk.is_last), (1, 2, true));

        let ended = chunk.next;
        writer.file.write_all(&[b'x'; 1_000]).unwrap();
        writer.file.write_all(b"\n").unwrap();
        writer.write(ShimEvent::Ended).unwrap();
        let (mut from, mut lines, mut reads) = (ended, 0, 0);
        loop {
            let chunk = read(&path, from, 300).unwrap();
            (from, lines, reads) = (chunk.next, lines + chunk.lines.len(), reads + 1);
            if chunk.is_last {
                break;
            }
        }
        assert_eq!((lines, reads), (1, 4));
        assert_eq!(from, path.metadata().unwrap().len());
    }
}
