//! Who asks: whether a process works for the user or for an agent.

use crate::{
    attempt::{SHIM, Spec},
    process,
    shim::boot_time,
};
use orchestra_core::ids::AttemptId;
use std::{
    ffi::OsStr,
    fmt, fs,
    io::{self, ErrorKind},
    os::unix::ffi::OsStrExt as _,
    path::Path,
    time::Duration,
};

/// An agent, as whoever is asked by it knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agent {
    /// `None`: it is held as agents are, and nothing says any more for which attempt it works.
    pub attempt: Option<AttemptId>,
}

impl fmt::Display for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.attempt {
            Some(attempt) => write!(f, "the agent of {attempt}"),
            None => f.write_str("a process that is held as agents are"),
        }
    }
}

/// The agent behind a connection that was accepted so long ago; `None` when it is the user's. `state` as
/// for [`attempt_of`].
///
/// Beyond what that looks at, a process that can gain no privileges is an agent's: all agents are held like
/// that, whoever has adopted them. It says nothing where this process is held like that, too: then the user's
/// are as well.
///
/// Fails as well when the number of the process has been given to another one since.
pub fn agent_behind(pid: u32, connected_for: Duration, state: &Path) -> io::Result<Option<Agent>> {
    let started = boot_time::of_ticks(process::stat(pid)?.start_time);
    if boot_time::now().saturating_sub(started) < connected_for {
        return Err(io::Error::new(ErrorKind::NotFound, "the process that has connected is gone"));
    }
    if let Some(attempt) = attempt_of(pid, state)? {
        return Ok(Some(Agent { attempt: Some(attempt) }));
    }
    let me = std::process::id();
    let is_held = process::has_no_new_privileges(pid)? && !process::has_no_new_privileges(me)?;
    Ok(is_held.then_some(Agent { attempt: None }))
}

/// Whether a shim, whosever it is, is among the ancestors of the process; `true` when nobody knows.
pub(crate) fn has_a_shim(pid: u32) -> bool {
    among_ancestors(pid, Path::new("/")).map_or(true, |attempt| attempt.is_some())
}

/// How often the ancestors are looked at anew when one of them ends meanwhile.
const TRIES: u32 = 10;

/// The attempt for which the process works, of those with their folders below `state` (the user's
/// state folder); `None` when it works for none.
///
/// A process can leave its session and change its environment, but its shim adopts all that its agent
/// starts: while the shim lives, it is among the ancestors. Attempts of another state folder do not
/// count, so that an agent may test Orchestra with Orchestra.
///
/// Fails when the process has gone, or belongs to somebody else: then nobody knows.
pub fn attempt_of(pid: u32, state: &Path) -> io::Result<Option<AttemptId>> {
    let mut tries = 1;
    loop {
        match among_ancestors(pid, state) {
            // An ancestor has ended, and the process has another one now.
            Err(error)
                if error.kind() == ErrorKind::NotFound
                    && tries < TRIES
                    && process::is_running(pid) =>
            {
                tries += 1;
            }
            Ok(None) => return in_environment(pid),
            found => return found,
        }
    }
}

fn among_ancestors(pid: u32, state: &Path) -> io::Result<Option<AttemptId>> {
    let mut next = pid;
    // The parent of the first process of all has no number.
    while next != 0 {
        let arguments = fs::read(format!("/proc/{next}/cmdline"))?;
        if let Some(attempt) = shim_of(&arguments, state) {
            return Ok(Some(attempt));
        }
        next = process::stat(next)?.parent;
    }
    Ok(None)
}

/// The attempt of a shim, by its command line: `orchestra __shim <folder of the attempt>`.
fn shim_of(arguments: &[u8], state: &Path) -> Option<AttemptId> {
    let mut arguments = arguments.split(|&byte| byte == 0).skip(1);
    if arguments.next()? != SHIM.as_bytes() {
        return None;
    }
    let folder = Path::new(OsStr::from_bytes(arguments.next()?));
    if !folder.starts_with(state) {
        return None;
    }
    // Commands that check an attempt have folders of their own below its folder.
    folder.ancestors().find_map(|folder| folder.file_name()?.to_str()?.parse().ok())
}

/// What is left when a shim was killed and its agent has not ended yet.
fn in_environment(pid: u32) -> io::Result<Option<AttemptId>> {
    let environment = fs::read(format!("/proc/{pid}/environ"))?;
    let marker = environment
        .split(|&byte| byte == 0)
        .find_map(|entry| entry.strip_prefix(Spec::MARKER.as_bytes())?.strip_prefix(b"="));
    let attempt = marker.and_then(|marker| marker.split(|&byte| byte == b':').next());
    Ok(attempt.and_then(|attempt| std::str::from_utf8(attempt).ok()?.parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shim_is_known_by_its_command_line_and_its_state_folder() {
        let state = Path::new("/home/ada/.local/state/orchestra");
        let line =
            b"orchestra\0__shim\0/home/ada/.local/state/orchestra/abcd2345/attempts/r1.2-3\0";
        let attempt = shim_of(line, state).map(|attempt| attempt.to_string());
        assert_eq!(attempt.as_deref(), Some("r1.2@3"));
        let check = b"orchestra\0__shim\0/home/ada/.local/state/orchestra/abcd2345/attempts/r1.2-3/jobs/verify-1\0";
        assert_eq!(shim_of(check, state).map(|attempt| attempt.to_string()), Some("r1.2@3".into()));
        assert_eq!(shim_of(line, Path::new("/tmp/state/orchestra")), None);
        assert_eq!(shim_of(b"orchestra\0run\0__shim\0", state), None);
        assert_eq!(shim_of(b"orchestra\0__shim\0", state), None);
        assert_eq!(shim_of(b"", state), None);
    }

    #[test]
    fn these_tests_work_for_no_attempt_and_a_process_that_has_gone_for_nobody_knows_whom() {
        let nowhere = Path::new("/nowhere");
        let me = std::process::id();
        assert_eq!(attempt_of(me, nowhere).ok(), Some(None));
        assert_eq!(agent_behind(me, Duration::ZERO, nowhere).ok(), Some(None));
        // Nobody has connected before this process was there: the number has changed hands.
        assert!(agent_behind(me, Duration::from_secs(1 << 40), nowhere).is_err());
        let mut gone = std::process::Command::new("true").spawn().unwrap();
        gone.wait().unwrap();
        assert!(attempt_of(gone.id(), nowhere).is_err());
    }
}
