//! `events.jsonl`: what the shim has to tell while the attempt runs, a line each.

use super::format;
use crate::clock;
use orchestra_core::time::Timestamp;
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
    Acknowledged { number: u32 },
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

/// The lines from the byte `from` on, and the offset behind the last of them. A partial last line
/// waits for the next call.
pub(super) fn read(path: &Path, from: u64) -> io::Result<(Vec<EventLine>, u64)> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Vec::new(), from)),
        Err(error) => return Err(format::at(path)(error)),
    };
    let mut text = Vec::new();
    file.seek(SeekFrom::Start(from)).map_err(format::at(path))?;
    file.read_to_end(&mut text).map_err(format::at(path))?;
    let whole = text.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
    let lines = text[..whole].split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    let lines = lines.map(|line| format::decode(path, line)).collect::<io::Result<_>>()?;
    Ok((lines, from + whole as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_once_each_and_a_partial_one_waits() {
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
}
