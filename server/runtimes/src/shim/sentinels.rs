//! The sentinels of an agent, and the log that it writes itself: files that it may have made into
//! anything, so they are opened with care and read up to a limit.

use super::capped_log::CappedLog;
use crate::{
    attempt::{Claims, Spec},
    mask::{Secrets, Stream},
    mcp::wire::Finish,
};
use rustix::{
    fs::{
        Mode, OFlags,
        inotify::{self, CreateFlags, WatchFlags},
        open,
    },
    io::Errno,
};
use serde_json::json;
use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
    mem::MaybeUninit,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::Path,
};

/// A sentinel holds a few words, or a small result.
const LONGEST_SENTINEL: u64 = 64 * 1024;

/// Wakes the shim when something is put into the folder of sentinels.
#[derive(Debug)]
pub(super) struct SentinelWatch {
    inotify: OwnedFd,
}

impl SentinelWatch {
    pub(super) fn new(spec: &Spec) -> io::Result<Self> {
        let inotify = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        let flags = WatchFlags::CREATE | WatchFlags::CLOSE_WRITE | WatchFlags::MOVED_TO;
        inotify::add_watch(&inotify, spec.sentinels(), flags | WatchFlags::ONLYDIR)?;
        Ok(Self { inotify })
    }

    /// Forgets what woke it.
    pub(super) fn clear(&self) {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut reader = inotify::Reader::new(&self.inotify, &mut buffer);
        while !matches!(reader.next(), Err(error) if error != Errno::INTR) {}
    }
}

impl AsFd for SentinelWatch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inotify.as_fd()
    }
}

/// Whether the agent has written a sentinel.
pub(super) fn are_there(spec: &Spec) -> bool {
    spec.done_sentinel().symlink_metadata().is_ok()
        || spec.error_sentinel().symlink_metadata().is_ok()
}

/// What the sentinels say.
pub(super) fn read(spec: &Spec, secrets: &Secrets) -> Claims {
    let text = |path: &Path| {
        path.symlink_metadata().ok()?;
        let mut text = Vec::new();
        let unreadable = |error: io::Error| format!("{} cannot be read: {error}", path.display());
        let read =
            open_plainly(path).and_then(|file| file.take(LONGEST_SENTINEL).read_to_end(&mut text));
        Some(match read {
            Ok(_) => String::from_utf8_lossy(&secrets.mask(&text)).into_owned(),
            Err(error) => unreadable(error),
        })
    };
    let (done, error) = (text(&spec.done_sentinel()), text(&spec.error_sentinel()));
    Claims { done, error, by_tool: false }
}

impl Claims {
    /// What was said with the tool `finish_task` stands in for a sentinel.
    pub(super) fn add_finish(&mut self, finish: &Finish) {
        self.by_tool = true;
        match &finish.error {
            Some(error) => self.error = Some(error.clone()),
            None => {
                let said = json!({ "summary": finish.summary, "result": finish.result });
                self.done = Some(said.to_string());
            }
        }
    }
}

/// Appends what the agent has written into its own log. Of a file that is larger than both its ends together,
/// and may be a hole of any size, the middle is not read.
pub(super) fn append_own_log(spec: &Spec, secrets: &Secrets, log: &mut CappedLog) {
    let Ok(mut file) = open_plainly(&spec.own_log()) else { return };
    let Ok(size) = file.metadata().map(|metadata| metadata.len()) else { return };
    let end = log.limit();
    let skipped = size.saturating_sub(2 * end);
    if skipped > 0 {
        append(&mut (&file).take(end), secrets, log);
        log.skip(skipped);
        if file.seek(SeekFrom::Start(end + skipped)).is_err() {
            return;
        }
    }
    append(&mut file, secrets, log);
}

fn append(part: &mut impl io::Read, secrets: &Secrets, log: &mut CappedLog) {
    let mut stream = Stream::default();
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(size @ 1..) = part.read(&mut buffer) {
        stream.push(secrets, &buffer[..size], |text| log.write(text));
    }
    stream.finish(secrets, |text| log.write(text));
}

/// Opens a regular file: a link may lead to what the agent may not read, and a named pipe would wait
/// for a writer.
fn open_plainly(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(open(path, flags, Mode::empty())?);
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"))
    }
}
