//! Starting the agent: `__confine` first, which becomes the agent when it may.

use super::output::Output;
use crate::{
    attempt::{HeldClaim, Identity, Spec, as_pid, this_program},
    confine::{CONFINE, GO},
};
use rustix::{io::Errno, process::Pid};
use std::{
    io::{self, Read as _, Write as _},
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::{net::UnixStream, process::CommandExt as _},
    },
    process::Stdio,
};

/// An agent whose process exists.
#[derive(Debug)]
pub(super) struct Agent {
    pub(super) pid: Pid,
    pub(super) stdout: Output,
    pub(super) stderr: Output,
    pub(super) gate: Gate,
}

/// The way to hear whether the agent's program runs.
#[derive(Debug)]
pub(super) struct Gate(UnixStream);

/// What the gate says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passage {
    /// Not known yet.
    Waiting,
    /// The program runs, or its process has ended before it did.
    Passed,
    /// The system refused to run the program.
    Refused(i32),
}

/// Starts the agent's process in a group of its own, records it in the claim, and lets it go on.
pub(super) fn start(spec: &Spec, claim: &mut HeldClaim) -> io::Result<Agent> {
    let (mut ours, theirs) = UnixStream::pair()?;
    let mut command = this_program()?;
    command
        .arg(CONFINE)
        .arg(std::process::id().to_string())
        .arg(&spec.program)
        .args(&spec.arguments)
        .current_dir(&spec.directory)
        .process_group(0)
        .stdin(OwnedFd::from(theirs))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    #[cfg(feature = "failpoints")]
    command.env_remove(super::FAILPOINTS);
    let mut child = command.spawn()?;
    // The command holds the other end of the gate.
    drop(command);
    let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(io::Error::other("the agent's output was not captured"));
    };
    claim.set_agent(Identity::of(child.id())?)?;
    // An end of the process at this point shows in its exit.
    if let Err(error) = ours.write_all(&[GO])
        && error.kind() != io::ErrorKind::BrokenPipe
    {
        return Err(error);
    }
    ours.set_nonblocking(true)?;
    Ok(Agent {
        pid: as_pid(child.id())?,
        stdout: Output::new(stdout.into())?,
        stderr: Output::new(stderr.into())?,
        gate: Gate(ours),
    })
}

impl Gate {
    pub(super) fn look(&mut self) -> Passage {
        let mut errno = [0; 4];
        match self.0.read(&mut errno) {
            Ok(4) => Passage::Refused(i32::from_ne_bytes(errno)),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
                ) =>
            {
                Passage::Waiting
            }
            _ => Passage::Passed,
        }
    }
}

impl AsFd for Gate {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// What a system error means, without its number.
pub(super) fn describe(errno: i32) -> String {
    match Errno::from_raw_os_error(errno) {
        Errno::NOENT => "no such file".to_owned(),
        Errno::ACCESS => "permission denied".to_owned(),
        Errno::NOEXEC => "not an executable format".to_owned(),
        _ => io::Error::from_raw_os_error(errno).to_string(),
    }
}
