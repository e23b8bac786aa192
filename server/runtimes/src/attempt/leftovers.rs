//! Ending what dead shims have left: the one place where processes are looked for by what they are,
//! since there is nobody left whose children they are.

use super::{AttemptDir, Claim, Holder, Spec, spawn::as_pid};
use crate::{
    caller::has_a_shim,
    process::{self, Identity},
};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    process::{PidfdFlags, Signal, pidfd_open, pidfd_send_signal},
};
use std::{
    io,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// What [`end_leftovers`] found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Leftovers {
    /// How many processes were ended.
    pub ended: u32,
    /// Those that would not end in time.
    pub remaining: Vec<u32>,
}

/// Ends every process of attempts whose shims have died: those with the attempt's marker in their
/// environment, those that work inside its slot without a terminal, which a person looking around there
/// would have, and those that can gain no privileges and have a file open there. Nothing is touched that is older than the attempt's shim.
///
/// SIGTERM, `grace`, SIGKILL; returns when all are gone, `limit` after the first SIGKILL at the latest. All
/// of `/proc` is read for each round, so call it once for all dead attempts together.
pub fn end_leftovers(
    dead: &[AttemptDir],
    grace: Duration,
    limit: Duration,
) -> io::Result<Leftovers> {
    let boot_id = process::boot_id()?;
    let dead: Vec<Dead> = dead.iter().filter_map(|attempt| Dead::read(attempt, &boot_id)).collect();
    let mut ended = 0;
    if dead.is_empty() {
        return Ok(Leftovers::default());
    }
    let (mut signal, mut until) = (Signal::TERM, Instant::now() + grace);
    loop {
        let found = find(&dead)?;
        if found.is_empty() {
            return Ok(Leftovers { ended, remaining: Vec::new() });
        }
        if Instant::now() >= until {
            if signal == Signal::KILL {
                let remaining = found.iter().map(|leftover| leftover.pid).collect();
                return Ok(Leftovers { ended, remaining });
            }
            (signal, until) = (Signal::KILL, Instant::now() + limit);
        }
        for leftover in &found {
            leftover.signal(signal)?;
        }
        // Those that were forked meanwhile are found by the next round.
        ended += wait_for(found, until)?;
    }
}

/// An attempt whose shim has died in this boot.
struct Dead {
    marker: String,
    slot: PathBuf,
    /// Where the agent was started; others may have been, too.
    directory: PathBuf,
    shim: Identity,
}

impl Dead {
    /// `None` when it cannot have left anything: nothing survives a boot, and a tombstone ran nothing.
    fn read(attempt: &AttemptDir, boot_id: &str) -> Option<Self> {
        let Claim { holder: Holder::Shim(shim), .. } = attempt.claim().ok()?? else { return None };
        let spec = attempt.spec().ok()?;
        let marker = format!("{}={}", Spec::MARKER, spec.marker());
        // The kernel shows where folders really are.
        let slot = spec.slot.canonicalize().unwrap_or(spec.slot);
        let directory = spec.directory.canonicalize().unwrap_or(spec.directory);
        (shim.boot_id == boot_id).then_some(Self { marker, slot, directory, shim })
    }

    fn left(&self, pid: u32) -> bool {
        let Ok(stat) = process::stat(pid) else { return false };
        !stat.is_zombie
            && stat.start_time >= self.shim.start_time
            && (process::has_in_environment(pid, &self.marker)
                || (!stat.has_terminal && works_below(pid, &self.slot))
                || (process::has_no_new_privileges(pid).unwrap_or(false)
                    && process::has_open_below(pid, &self.slot))
                || self.left_where_others_work(pid, stat.has_terminal))
    }

    /// Agents that read share a tree: what works there, is held as agents are, and has no shim any more was
    /// left by one of those whose shims have died.
    fn left_where_others_work(&self, pid: u32, has_terminal: bool) -> bool {
        !has_terminal
            && works_below(pid, &self.directory)
            && process::has_no_new_privileges(pid).unwrap_or(false)
            && !has_a_shim(pid)
    }
}

fn works_below(pid: u32, slot: &Path) -> bool {
    process::working_directory(pid).is_some_and(|directory| directory.starts_with(slot))
}

struct Leftover {
    pid: u32,
    pidfd: OwnedFd,
}

impl Leftover {
    fn signal(&self, signal: Signal) -> io::Result<()> {
        match pidfd_send_signal(&self.pidfd, signal) {
            // It has ended, or belongs to another user now and stays for the report.
            Ok(()) | Err(Errno::SRCH | Errno::PERM) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

fn find(dead: &[Dead]) -> io::Result<Vec<Leftover>> {
    let mut found = Vec::new();
    let me = std::process::id();
    for pid in process::all()? {
        if pid == me || !dead.iter().any(|dead| dead.left(pid)) {
            continue;
        }
        let pidfd = match pidfd_open(as_pid(pid)?, PidfdFlags::empty()) {
            Ok(pidfd) => pidfd,
            Err(Errno::SRCH) => continue,
            Err(error) => return Err(error.into()),
        };
        // The number may have changed hands before it was opened.
        if dead.iter().any(|dead| dead.left(pid)) {
            found.push(Leftover { pid, pidfd });
        }
    }
    Ok(found)
}

/// How many of them are gone when all are, or at the deadline.
fn wait_for(mut found: Vec<Leftover>, deadline: Instant) -> io::Result<u32> {
    let mut ended = 0;
    loop {
        let now = Instant::now();
        if found.is_empty() || now >= deadline {
            return Ok(ended);
        }
        let mut fds: Vec<PollFd<'_>> =
            found.iter().map(|left| PollFd::new(&left.pidfd, PollFlags::IN)).collect();
        let timeout = Timespec::try_from(deadline - now).map_err(|_| Errno::INVAL)?;
        match poll(&mut fds, Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let gone: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        let mut gone = gone.into_iter();
        let before = found.len();
        found.retain(|_| !gone.next().unwrap_or(false));
        ended += u32::try_from(before - found.len()).unwrap_or(u32::MAX);
    }
}
