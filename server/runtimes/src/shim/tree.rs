//! Ending a process tree: everything that descends from this shim, and nothing else.
//!
//! The shim is a subreaper, so what is orphaned becomes its child and never escapes it: no `setsid`, no
//! double fork, no empty environment.

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

/// Asks everything to end: the agent's process group as a whole while the agent lives, and every
/// process outside it once. Not everybody twice, because many programs take a second request for
/// impatience and drop their work.
pub(super) fn terminate(agent: Option<Pid>) {
    if let Some(agent) = agent {
        for signal in [Signal::TERM, Signal::CONT] {
            ignore_gone(kill_process_group(agent, signal));
        }
    }
    let group = agent.map(|agent| agent.as_raw_pid().unsigned_abs());
    for pid in process::descendants(std::process::id()) {
        if process::stat(pid).is_ok_and(|stat| Some(stat.group) != group)
            && let Ok(pid) = as_pid(pid)
        {
            // A stopped process takes the signal only when it goes on.
            for signal in [Signal::TERM, Signal::CONT] {
                ignore_gone(kill_process(pid, signal));
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
