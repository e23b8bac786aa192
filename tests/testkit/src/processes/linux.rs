//! Processes by /proc and pidfd.

use super::Process;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, PidfdFlags, Signal, getpid, pidfd_open, pidfd_send_signal},
};
use std::{fs, path::Path, time::Duration};

pub(super) fn of_sandbox(folder: &Path) -> Vec<Process> {
    let own = getpid().as_raw_pid();
    let entries = fs::read_dir("/proc").expect("/proc is mounted");
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| *pid != own && belongs(*pid, folder))
        .map(|pid| Process { pid, command_line: command_line(pid) })
        .collect()
}

fn belongs(pid: i32, folder: &Path) -> bool {
    // A process that has ended, and one of another user, show neither.
    let works_inside =
        fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd.starts_with(folder));
    works_inside
        || fs::read(format!("/proc/{pid}/environ")).is_ok_and(|environment| {
            let path = folder.as_os_str().as_encoded_bytes();
            environment.windows(path.len()).any(|window| window == path)
        })
}

fn command_line(pid: i32) -> String {
    let bytes = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&bytes).trim_end_matches('\0').replace('\0', " ")
}

/// Returns when the process has ended, or after `limit`.
pub(super) fn wait_for_end(pid: i32, limit: Duration) {
    let Some(process) = Pid::from_raw(pid) else { return };
    // It has gone already when it cannot be opened.
    let Ok(process) = pidfd_open(process, PidfdFlags::empty()) else { return };
    let limit = Timespec::try_from(limit).expect("a limit in seconds");
    poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&limit)).ok();
}

pub(super) fn kill(pid: i32) {
    let Some(process) = Pid::from_raw(pid) else { return };
    if let Ok(process) = pidfd_open(process, PidfdFlags::empty()) {
        pidfd_send_signal(&process, Signal::KILL).ok();
    }
}
