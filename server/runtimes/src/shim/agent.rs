//! Starting the agent: `__confine` first, which becomes the agent when it may.

use super::output::Output;
use crate::{
    attempt::{HeldClaim, Identity, Spec, as_pid, this_program},
    confine::{CONFINE, GO, Held, Orders, Word},
};
use orchestra_core::agent::Prints;
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

/// The way to hear what holds the agent, and whether its program runs.
#[derive(Debug)]
pub(super) struct Gate {
    socket: UnixStream,
    /// What has come and was not understood yet.
    heard: Vec<u8>,
    /// What holds the agent, once that was said.
    pub(super) held: Option<Held>,
}

/// What the gate says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Passage {
    /// Not known yet.
    Waiting,
    /// The program runs, or its process has ended before it did.
    Passed,
    /// The program does not run.
    Refused { errno: Option<i32>, message: String, hint: Option<String> },
}

/// Starts the agent's process in a group of its own, records it in the claim, and lets it go on.
pub(super) fn start(spec: &Spec, claim: &mut HeldClaim) -> io::Result<Agent> {
    let (mut ours, theirs) = UnixStream::pair()?;
    let orders = Orders { scope: spec.scope.clone(), own_sandbox: spec.own_sandbox.clone() };
    let mut command = this_program()?;
    command
        .arg(CONFINE)
        .arg(std::process::id().to_string())
        .arg(serde_json::to_string(&orders)?)
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
        stdout: Output::new(stdout.into(), spec.prints)?,
        stderr: Output::new(stderr.into(), Prints::Text)?,
        gate: Gate { socket: ours, heard: Vec::new(), held: None },
    })
}

impl Gate {
    pub(super) fn look(&mut self) -> Passage {
        let mut bytes = [0; 1024];
        loop {
            match self.socket.read(&mut bytes) {
                Ok(0) => return Passage::Passed,
                Ok(size) => self.heard.extend_from_slice(&bytes[..size]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Passage::Waiting,
                // As an end: nobody is there who could say more.
                Err(_) => return Passage::Passed,
            }
            while let Some(word) = self.word() {
                match word {
                    Word::Held { confinement, problem } => {
                        self.held = Some(Held { confinement, problem });
                    }
                    Word::NotHeld { message, hint } => {
                        return Passage::Refused { errno: None, message, hint: Some(hint) };
                    }
                    Word::NotRun { errno } => {
                        let message = describe(errno);
                        return Passage::Refused { errno: Some(errno), message, hint: None };
                    }
                }
            }
        }
    }

    /// The next whole word. It comes from this very program.
    fn word(&mut self) -> Option<Word> {
        let end = self.heard.iter().position(|&byte| byte == b'\n')?;
        let line: Vec<u8> = self.heard.drain(..=end).collect();
        serde_json::from_slice(&line).ok()
    }
}

impl AsFd for Gate {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
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
