//! On Linux this program is a subreaper: whatever loses its parent becomes its child, so that the
//! children lists hold every process of a run, also those that left their session.

use super::Leftover;
use anyhow::Context as _;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    process::{
        Pid, PidfdFlags, Signal, WaitOptions, getpid, kill_process, pidfd_open,
        set_child_subreaper, wait,
    },
};
use std::{
    collections::BTreeMap,
    fs,
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

/// The variables that name a process's test: the testkit's, then nextest's.
const MARKERS: [&str; 3] = ["ORCHESTRA_TEST=", "NEXTEST_TEST_NAME=", "NEXTEST_ATTEMPT_ID="];

/// From now on, orphans among this program's descendants become its children.
pub(crate) fn adopt_orphans() -> anyhow::Result<()> {
    // Which process is named does not matter: some is what turns the attribute on.
    set_child_subreaper(Some(getpid())).context("become a subreaper")
}

/// Waits until every descendant has ended, at most for `grace`; names those that have not, and
/// kills them with all that they start meanwhile.
pub(crate) fn end_leftovers(grace: Duration) -> anyhow::Result<Vec<Leftover>> {
    let deadline = Instant::now() + grace;
    loop {
        reap();
        let Some(&pid) = descendants()?.first() else { return Ok(Vec::new()) };
        let Some(left) = deadline.checked_duration_since(Instant::now()) else { break };
        if let Some(process) = open(pid)? {
            wait_for_end(&process, left)?;
        }
    }
    let mut leftovers = BTreeMap::new();
    loop {
        reap();
        let pids = descendants()?;
        if pids.is_empty() {
            return Ok(leftovers.into_values().collect());
        }
        for pid in pids {
            leftovers.entry(pid.as_raw_pid()).or_insert_with(|| describe(pid));
            match kill_process(pid, Signal::KILL) {
                Ok(()) | Err(Errno::SRCH) => {}
                Err(error) => return Err(error).with_context(|| format!("kill {pid}")),
            }
            if let Some(process) = open(pid)? {
                wait_for_end(&process, grace)?;
            }
        }
    }
}

/// Every living descendant of this process.
fn descendants() -> anyhow::Result<Vec<Pid>> {
    let mut found = children(getpid())?;
    let mut next = 0;
    while let Some(&pid) = found.get(next) {
        found.extend(children(pid)?);
        next += 1;
    }
    Ok(found)
}

/// The children of every thread of a process that have not ended; none when it has gone itself.
fn children(parent: Pid) -> anyhow::Result<Vec<Pid>> {
    let mut found = Vec::new();
    let Ok(threads) = fs::read_dir(format!("/proc/{}/task", parent.as_raw_pid())) else {
        return Ok(found);
    };
    for thread in threads.flatten() {
        let listed = match fs::read_to_string(thread.path().join("children")) {
            Ok(listed) => listed,
            Err(_) if parent != getpid() => continue,
            Err(error) => return Err(error).context("read the children lists of /proc"),
        };
        for pid in listed.split_whitespace() {
            let pid = pid.parse().ok().and_then(Pid::from_raw);
            found.extend(pid.filter(|pid| !is_zombie(*pid)));
        }
    }
    Ok(found)
}

/// Whether a process has ended and only waits for its parent to notice.
fn is_zombie(pid: Pid) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_pid())) else {
        return true;
    };
    // The state follows the name, which is in parentheses and may hold some itself.
    stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with(['Z', 'X']))
}

/// Takes note of the end of every child that has ended.
fn reap() {
    while let Ok(Some(_)) = wait(WaitOptions::NOHANG) {}
}

fn open(pid: Pid) -> anyhow::Result<Option<OwnedFd>> {
    match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(process) => Ok(Some(process)),
        Err(Errno::SRCH) => Ok(None),
        Err(error) => Err(error).with_context(|| format!("watch process {pid}")),
    }
}

fn wait_for_end(process: &OwnedFd, limit: Duration) -> anyhow::Result<()> {
    let limit = Timespec::try_from(limit).context("wait for a process")?;
    match poll(&mut [PollFd::new(process, PollFlags::IN)], Some(&limit)) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(error) => Err(error).context("wait for a process"),
    }
}

fn describe(pid: Pid) -> Leftover {
    let raw = pid.as_raw_pid();
    let words = |name: &str| {
        let bytes = fs::read(format!("/proc/{raw}/{name}")).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        text.split_terminator('\0').map(str::to_owned).collect::<Vec<_>>()
    };
    let environment = words("environ");
    let test = MARKERS
        .iter()
        .find_map(|marker| environment.iter().find_map(|pair| pair.strip_prefix(marker)))
        .map_or_else(|| "an unknown test".to_owned(), str::to_owned);
    Leftover { pid: raw, command_line: words("cmdline").join(" "), test }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    /// The one test that adopts, since a process has one set of children: a grandchild in a
    /// session of its own, whose parent has ended, is found by its marker and gone afterwards.
    #[test]
    fn a_process_that_left_its_session_is_named_and_killed() {
        adopt_orphans().unwrap();
        assert!(end_leftovers(Duration::from_secs(5)).unwrap().is_empty());

        // It says when it is there: in the middle of an exec a process shows no environment.
        let script = "mkfifo up gate; setsid sh -c 'echo up > up; read -r _ < gate' 'sleep 1000' \
                      < /dev/null > /dev/null 2>&1 & read -r _ < up";
        let folder = tempfile::tempdir().unwrap();
        let status = Command::new("sh")
            .args(["-c", script])
            .current_dir(folder.path())
            .env("ORCHESTRA_TEST", "forgetful")
            .status()
            .unwrap();
        assert!(status.success());

        let leftovers = end_leftovers(Duration::ZERO).unwrap();
        let [leftover] = leftovers.as_slice() else { panic!("{} leftovers", leftovers.len()) };
        assert_eq!(leftover.test, "forgetful");
        assert!(leftover.command_line.contains("sleep 1000"), "{}", leftover.command_line);
        assert!(end_leftovers(Duration::ZERO).unwrap().is_empty());
        assert!(super::super::verdict(&leftovers).is_err());
    }
}
