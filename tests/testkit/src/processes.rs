//! Which processes belong to a sandbox, and ending them.

use std::{
    path::Path,
    process::Child,
    time::{Duration, Instant},
};

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
use linux as system;

#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(not(target_os = "linux"))]
use elsewhere as system;

/// How long the end of a killed process is waited for.
const LONGEST_DEATH: Duration = Duration::from_secs(1);

/// A living process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    pub pid: i32,
    pub command_line: String,
}

impl Process {
    /// As `kill -9` does; returns when it has ended.
    pub fn kill(&self) {
        system::kill(self.pid);
        system::wait_for_end(self.pid, LONGEST_DEATH);
    }
}

/// The living processes that belong to the sandbox in this folder: a variable of their environment
/// holds its path (all its `XDG_*` variables do, and those of the marker), or they work inside it.
///
/// This process does not count. Only Linux shows other processes' environments without more
/// rights; elsewhere none are found.
pub fn processes_with_marker(folder: &Path) -> Vec<Process> {
    system::of_sandbox(folder)
}

/// Returns when a child has ended, or some time before that: after `limit` at the latest.
pub(crate) fn wait_for_end(child: &Child, limit: Duration) {
    // Ids are positive and fit: the kernel's own limit is 2^22.
    system::wait_for_end(child.id().cast_signed(), limit);
}

/// Waits for the end of the sandbox's processes, at most for `grace`; kills those that are left,
/// and returns them.
pub(crate) fn end(folder: &Path, grace: Duration) -> Vec<Process> {
    let deadline = Instant::now() + grace;
    loop {
        let living = processes_with_marker(folder);
        let Some(first) = living.first() else { return Vec::new() };
        let Some(left) = deadline.checked_duration_since(Instant::now()) else { break };
        system::wait_for_end(first.pid, left);
    }
    let mut killed: Vec<Process> = Vec::new();
    // Again and again, since what dies may have started something just before.
    loop {
        let living = processes_with_marker(folder);
        if living.is_empty() {
            return killed;
        }
        for process in living {
            process.kill();
            if !killed.iter().any(|known| known.pid == process.pid) {
                killed.push(process);
            }
        }
    }
}
