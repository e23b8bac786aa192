//! The log file: it only grows, and never beyond its limit.
//!
//! The first half of the limit goes straight into the file. After that the newest output goes round and
//! round in a file of a quarter beside it, which is appended at the end, behind a line that says how much is
//! missing. So it takes no memory, and never more disk than the limit. The ring is overwritten in place:
//! files that are truncated or replaced are flushed by some file systems, and a flood would wait for it.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufReader, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::{FileExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

/// The text behind the cut is shortened to begin with a whole line, if that is not longer.
const LONGEST_PARTIAL_LINE: usize = 4096;

/// The log of an attempt that runs.
#[derive(Debug)]
pub(super) struct CappedLog {
    path: PathBuf,
    head: Option<File>,
    head_size: u64,
    head_limit: u64,
    tail: Option<Ring>,
    tail_limit: u64,
    total: u64,
    problem: Option<String>,
}

/// What became of all that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LogEnd {
    pub(super) total: u64,
    pub(super) cut: u64,
    pub(super) problem: Option<String>,
}

impl CappedLog {
    /// A log at `path` of `limit` bytes at most. Nothing is created before something is written.
    pub(super) fn new(path: PathBuf, limit: u64) -> Self {
        Self {
            path,
            head: None,
            head_size: 0,
            head_limit: limit / 2,
            tail: None,
            tail_limit: limit / 4,
            total: 0,
            problem: None,
        }
    }

    /// Takes everything, and keeps what it can: whoever writes must never have to wait for a disk that
    /// is full.
    pub(super) fn write(&mut self, text: &[u8]) {
        self.total += text.len() as u64;
        if let Err(error) = self.try_write(text) {
            self.has_problem(&error);
        }
    }

    /// How much it holds at most.
    pub(super) fn limit(&self) -> u64 {
        self.head_limit * 2
    }

    /// Counts what is not even read: as much as [`CappedLog::limit`] has come before it and comes after it, so
    /// nothing of it could be kept.
    pub(super) fn skip(&mut self, size: u64) {
        self.total += size;
    }

    /// Keeps the first thing that went wrong, for the summary.
    pub(super) fn has_problem(&mut self, error: &io::Error) {
        self.problem.get_or_insert_with(|| error.to_string());
    }

    fn try_write(&mut self, text: &[u8]) -> io::Result<()> {
        let room = as_size(self.head_limit - self.head_size);
        let (head, tail) = text.split_at(text.len().min(room));
        if !head.is_empty() {
            let file = match &mut self.head {
                Some(file) => file,
                none => none.insert(create(&self.path)?),
            };
            write_counted(file, head, &mut self.head_size)?;
        }
        if !tail.is_empty() && self.tail_limit > 0 {
            let ring = match &mut self.tail {
                Some(ring) => ring,
                none => none.insert(Ring::create(&tail_of(&self.path), self.tail_limit)?),
            };
            ring.write(tail)?;
        }
        Ok(())
    }

    /// Puts the log together and has it on the disk.
    pub(super) fn finish(mut self) -> LogEnd {
        let cut = match self.try_finish() {
            Ok(cut) => cut,
            Err(error) => {
                self.has_problem(&error);
                self.total.saturating_sub(self.head_size)
            }
        };
        LogEnd { total: self.total, cut, problem: self.problem }
    }

    fn try_finish(&mut self) -> io::Result<u64> {
        let kept = self.head_size + self.tail.as_ref().map_or(0, Ring::size);
        let mut cut = self.total.saturating_sub(kept);
        let Some(mut head) = self.head.take() else { return Ok(cut) };
        if let Some(ring) = self.tail.take() {
            let mut tail = BufReader::new(ring.into_reader()?);
            if cut > 0 {
                cut += skip_partial_line(&mut tail)?;
                let why = "because the log has a limit";
                writeln!(head, "\n[orchestra: {cut} bytes are left out here, {why}]")?;
            }
            io::copy(&mut tail, &mut head)?;
            fs::remove_file(tail_of(&self.path))?;
        }
        head.sync_data()?;
        Ok(cut)
    }
}

/// A file that keeps the last bytes of what is written to it.
#[derive(Debug)]
struct Ring {
    file: File,
    capacity: u64,
    /// All that was ever written.
    written: u64,
}

impl Ring {
    fn create(path: &Path, capacity: u64) -> io::Result<Self> {
        Ok(Self { file: create(path)?, capacity, written: 0 })
    }

    fn size(&self) -> u64 {
        self.written.min(self.capacity)
    }

    fn write(&mut self, text: &[u8]) -> io::Result<()> {
        // What would be overwritten by the same text need not be written.
        let skipped = text.len().saturating_sub(as_size(self.capacity));
        self.written += skipped as u64;
        let mut rest = &text[skipped..];
        while !rest.is_empty() {
            let at = self.written % self.capacity;
            let (now, later) = rest.split_at(rest.len().min(as_size(self.capacity - at)));
            self.file.write_all_at(now, at)?;
            self.written += now.len() as u64;
            rest = later;
        }
        Ok(())
    }

    /// What it has kept, oldest first.
    fn into_reader(mut self) -> io::Result<impl io::Read> {
        let oldest = if self.written > self.capacity { self.written % self.capacity } else { 0 };
        let from_start = self.file.try_clone()?;
        self.file.seek(SeekFrom::Start(oldest))?;
        let older = self.file.take(self.capacity - oldest);
        // The same file and so the same position: it is read from the start when `older` is through.
        Ok(older.chain(Rewound { file: from_start, is_rewound: false }.take(oldest)))
    }
}

/// A file that is read from its start, whatever its position was.
struct Rewound {
    file: File,
    is_rewound: bool,
}

impl io::Read for Rewound {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.is_rewound {
            self.file.rewind()?;
            self.is_rewound = true;
        }
        self.file.read(buffer)
    }
}

fn skip_partial_line(tail: &mut impl io::BufRead) -> io::Result<u64> {
    let buffered = tail.fill_buf()?;
    let beginning = &buffered[..buffered.len().min(LONGEST_PARTIAL_LINE)];
    let skipped = beginning.iter().position(|&byte| byte == b'\n').map_or(0, |end| end + 1);
    tail.consume(skipped);
    Ok(skipped as u64)
}

/// `write_all` that knows how much it has written when it fails.
fn write_counted(file: &mut File, mut text: &[u8], size: &mut u64) -> io::Result<()> {
    while !text.is_empty() {
        match file.write(text) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                *size += written as u64;
                text = &text[written..];
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(true).mode(0o600).open(path)
}

fn tail_of(log: &Path) -> PathBuf {
    log.with_extension("tail")
}

fn as_size(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log_of(limit: u64, parts: &[&[u8]]) -> (LogEnd, Vec<u8>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut log = CappedLog::new(path.clone(), limit);
        for part in parts {
            log.write(part);
            let on_disk: u64 = fs::read_dir(folder.path())
                .unwrap()
                .map(|entry| entry.unwrap().metadata().unwrap().len())
                .sum();
            assert!(on_disk <= limit, "{on_disk} of {limit}");
        }
        let end = log.finish();
        assert!(fs::read_dir(folder.path()).unwrap().count() <= 1);
        (end, fs::read(path).unwrap_or_default())
    }

    #[test]
    fn what_fits_is_kept_as_it_came() {
        let text: Vec<u8> = (0..900_u32).map(|n| (n % 251) as u8).collect();
        for size in [1, 7, 100, 900] {
            let parts: Vec<&[u8]> = text.chunks(size).collect();
            let (end, kept) = log_of(1_200, &parts);
            assert_eq!(end, LogEnd { total: 900, cut: 0, problem: None });
            assert_eq!(kept, text);
        }
        assert_eq!(log_of(1_200, &[]), (LogEnd { total: 0, cut: 0, problem: None }, vec![]));
    }

    #[test]
    fn what_does_not_fit_keeps_head_and_tail() {
        let text: String = (0..10_000).map(|n| format!("line {n}\n")).collect();
        for size in [7, 1_000, 1_500, 1_501, 70_000, text.len()] {
            let parts: Vec<&[u8]> = text.as_bytes().chunks(size).collect();
            let (end, kept) = log_of(6_000, &parts);
            let kept = String::from_utf8(kept).unwrap();
            assert!(kept.len() <= 6_000, "{size}");
            let (head, rest) = kept.split_once("\n[orchestra: ").unwrap();
            let (cut, tail) = rest
                .split_once(" bytes are left out here, because the log has a limit]\n")
                .unwrap();
            assert_eq!(head, &text[..3_000], "{size}");
            assert!(text.ends_with(&format!("\n{tail}")), "{size}: {tail}");
            assert!((1_490..=1_500).contains(&tail.len()), "{size}: {}", tail.len());
            let cut = cut.parse().unwrap();
            let total = text.len() as u64;
            assert_eq!(end, LogEnd { total, cut, problem: None }, "{size}");
            assert_eq!(cut, total - 3_000 - tail.len() as u64, "{size}");
        }
    }

    #[test]
    fn a_limit_of_nothing_keeps_nothing() {
        let (end, kept) = log_of(0, &[b"text"]);
        assert_eq!(end, LogEnd { total: 4, cut: 4, problem: None });
        assert_eq!(kept, b"");
    }
}
