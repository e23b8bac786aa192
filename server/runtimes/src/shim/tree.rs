//! Ending a process tree: everything that descends from this shim, and nothing else.
//!
//! The shim is a subreaper, so what is orphaned becomes its child and never escapes it: no `setsid`, no
//! double fork, no empty environment.

use super::boot_time::{self, BootTime};
use crate::{attempt::as_pid, process};
use rustix::{
    io::Errno,
    process::{Pid, Signal, kill_process, kill_process_group},
};
use std::collections::BTreeSet;

/// How often the list of processes is read anew while it grows under our hands.
const PASSES: u32 = 16;

/// How many processes there are below this one that have not ended yet.
pub(super) fn size() -> usize {
    let descendants = process::descendants(std::process::id());
    descendants.into_iter().filter(|&pid| process::is_running(pid)).count()
}

/// The request to end, to everybody who is there when it is made, and once to each: many programs
/// take a second one for impatience and drop their work, and what they start to clean up must run.
#[derive(Debug)]
pub(super) struct Request {
    /// The agent's process group, if the agent lived. The system asks it as a whole.
    group: Option<u32>,
    made_at: BootTime,
    asked: BTreeSet<u32>,
}

impl Request {
    pub(super) fn make(agent: Option<Pid>) -> Self {
        let made_at = boot_time::now();
        if let Some(agent) = agent {
            for signal in [Signal::TERM, Signal::CONT] {
                ignore_gone(kill_process_group(agent, signal));
            }
        }
        let group = agent.map(|agent| agent.as_raw_pid().unsigned_abs());
        let mut request = Self { group, made_at, asked: BTreeSet::new() };
        request.ask_the_missed();
        request
    }

    /// Asks those who could not be seen before: when a parent ends, its children belong to nobody for
    /// a moment. To be called whenever a child has ended.
    pub(super) fn ask_the_missed(&mut self) {
        for _ in 0..PASSES {
            let mut found_new = false;
            for pid in process::descendants(std::process::id()) {
                let Ok(stat) = process::stat(pid) else { continue };
                let was_there = boot_time::of_ticks(stat.start_time) <= self.made_at;
                if stat.is_zombie || !was_there || !self.asked.insert(pid) {
                    continue;
                }
                found_new = true;
                if Some(stat.group) != self.group
                    && let Ok(pid) = as_pid(pid)
                {
                    // A stopped process takes the signal only when it goes on.
                    for signal in [Signal::TERM, Signal::CONT] {
                        ignore_gone(kill_process(pid, signal));
                    }
                }
            }
            if !found_new {
                return;
            }
        }
    }
}

/// Kills everything that is there now. What is forked meanwhile is killed by the next round, and
/// whole groups at once, in which nothing can be forked meanwhile.
pub(super) fn kill() {
    let me = std::process::id();
    let mut seen = BTreeSet::new();
    for _ in 0..PASSES {
        let mut found_new = false;
        let mut groups = BTreeSet::new();
        for pid in process::descendants(me) {
            if !seen.insert(pid) {
                continue;
            }
            let Ok(stat) = process::stat(pid) else { continue };
            if stat.is_zombie {
                continue;
            }
            found_new = true;
            // A descendant may have joined our own group.
            if stat.group != me
                && groups.insert(stat.group)
                && let Ok(group) = as_pid(stat.group)
            {
                ignore_gone(kill_process_group(group, Signal::KILL));
            }
            if let Ok(pid) = as_pid(pid) {
                ignore_gone(kill_process(pid, Signal::KILL));
            }
        }
        if !found_new {
            return;
        }
    }
}

fn ignore_gone(signalled: Result<(), Errno>) {
    // It has ended meanwhile, or it has become another user: then it is waited for as long as it takes.
    let _ = signalled;
}
