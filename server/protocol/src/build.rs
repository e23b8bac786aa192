//! Which build a process is: daemon and client compare theirs.

use orchestra_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::{fmt, fs::File, io, time::UNIX_EPOCH};

/// A build of the binary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    pub version: String,
    /// When the executable was written. During development the version stays and this changes.
    pub written: Timestamp,
}

impl Build {
    /// The build of this very process, also when the file has been replaced since it started.
    pub fn current() -> io::Result<Self> {
        #[cfg(target_os = "linux")]
        let file = File::open("/proc/self/exe")?;
        #[cfg(not(target_os = "linux"))]
        let file = File::open(std::env::current_exe()?)?;
        let written = file.metadata()?.modified()?;
        let millis = written.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        Ok(Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            written: Timestamp(i64::try_from(millis).unwrap_or(i64::MAX)),
        })
    }

    /// Whether a daemon of build `other` should make way for this one.
    pub fn is_newer_than(&self, other: &Self) -> bool {
        self.written > other.written
    }
}

impl fmt::Display for Build {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.version, self.written)
    }
}
