//! Processes as the kernel shows them: who they are beyond their number, and who descends from whom.

mod linux;

pub(crate) use linux::{
    all, boot_id, descendants, has_in_environment, has_no_new_privileges, has_open_below,
    is_running, stat, working_directory,
};

use serde::{Deserialize, Serialize};
use std::io;

/// Who a process is. Its number alone is given to another one some day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    pub pid: u32,
    /// In clock ticks since the boot.
    pub start_time: u64,
    /// Changes with each boot.
    pub boot_id: String,
}

impl Identity {
    /// The process that has this number now.
    pub(crate) fn of(pid: u32) -> io::Result<Self> {
        Ok(Self { pid, start_time: stat(pid)?.start_time, boot_id: boot_id()? })
    }

    /// Whether this very process still exists.
    pub(crate) fn exists(&self) -> bool {
        Self::of(self.pid).is_ok_and(|now| now == *self)
    }
}
