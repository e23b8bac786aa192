//! The lock of one journal: held by the one process that may write it, and naming that process.

use crate::error::OpenError;
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    fs::{File, OpenOptions, TryLockError},
    io::{Seek as _, Write as _},
    path::Path,
    thread,
    time::Duration,
};

/// Who holds a journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    pub pid: u32,
    /// Where it can be asked for things.
    pub socket: String,
    /// Which build it is, to decide on a handover.
    pub build: String,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {} (orchestra {})", self.pid, self.build)
    }
}

impl Holder {
    /// Who holds the journal in `dir` right now.
    ///
    /// `None` when nobody does, and also in the moment between taking the lock and signing it.
    pub fn of(dir: &Path) -> Option<Self> {
        let path = dir.join(Lock::NAME);
        let holder = serde_json::from_slice(&std::fs::read(&path).ok()?).ok()?;
        // A holder that was killed leaves its name behind, but not its lock.
        match File::open(path).ok()?.try_lock_shared() {
            Err(TryLockError::WouldBlock) => Some(holder),
            Ok(()) | Err(TryLockError::Error(_)) => None,
        }
    }
}

/// Holds the journal until it is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
}

impl Lock {
    const NAME: &str = "lock";
    /// [`Holder::of`] holds a dead process's lock for some microseconds.
    const PROBES: u32 = 5;
    const PROBE_LASTS: Duration = Duration::from_millis(1);

    pub(crate) fn take(dir: &Path, holder: &Holder) -> Result<Self, OpenError> {
        let path = dir.join(Self::NAME);
        let io = |error: std::io::Error| OpenError::io(&path, &error);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(io)?;
        let mut probes = 0;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if probes < Self::PROBES => {
                    probes += 1;
                    thread::sleep(Self::PROBE_LASTS);
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(OpenError::Locked { dir: dir.to_owned(), holder: Holder::of(dir) });
                }
                Err(TryLockError::Error(error)) => return Err(io(error)),
            }
        }
        let text = serde_json::to_vec(holder).map_err(|error| io(error.into()))?;
        file.set_len(0).and_then(|()| file.rewind()).map_err(io)?;
        file.write_all(&text).map_err(io)?;
        Ok(Self { file })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // The name goes first: an empty file is known to be free without probing it. If that
        // fails, the probe finds out, so the error does not matter.
        let _ = self.file.set_len(0);
        let _ = self.file.unlock();
    }
}
