//! `orchestra __confine`: the moment between the shim and the agent's program, in the agent's process.
//!
//! It waits until the shim has recorded it in the claim, and then becomes the agent. Its standard input is a
//! socket to the shim: one byte says go, an end says that the shim is gone. The socket closes when the
//! agent's program runs; before that, the number of a system error may come back through it.

use crate::shim::exit;
use rustix::{
    fs::{Mode, OFlags, open},
    process::{Pid, Signal, getppid, set_parent_process_death_signal},
    stdio::{dup2_stdin, stdin},
};
use std::{
    ffi::OsString,
    io::{self, Read as _, Write as _},
    os::{fd::OwnedFd, unix::net::UnixStream, unix::process::CommandExt as _},
    process::{Command, ExitCode},
};

/// The first argument by which this program knows that it is to become an agent.
pub(crate) const CONFINE: &str = "__confine";

/// The shim's word to go on.
pub(crate) const GO: u8 = b'!';

/// Becomes the agent, so it returns only when that failed. The arguments: the shim's process number, the
/// agent's program, its arguments.
pub fn main(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let shim = arguments.next().and_then(|pid| pid.to_str()?.parse().ok()).and_then(Pid::from_raw);
    let (Some(shim), Some(program)) = (shim, arguments.next()) else { return exit::USAGE.into() };
    let Ok(mut socket) = take_socket() else { return exit::NOT_STARTED.into() };
    match become_agent(&mut socket, shim, program, arguments) {
        Ok(()) => exit::NOT_STARTED.into(),
        Err(error) => {
            let errno = error.raw_os_error().unwrap_or(0);
            // The shim is gone if this fails, and then nobody wants to know.
            let _ = socket.write_all(&errno.to_ne_bytes());
            exit::NOT_STARTED.into()
        }
    }
}

/// Moves the socket away from standard input, to a descriptor that the agent does not inherit.
fn take_socket() -> io::Result<UnixStream> {
    let socket: OwnedFd = stdin().try_clone_to_owned()?;
    dup2_stdin(open("/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?)?;
    Ok(UnixStream::from(socket))
}

/// `Ok` when the shim is gone.
fn become_agent(
    socket: &mut UnixStream,
    shim: Pid,
    program: OsString,
    arguments: impl Iterator<Item = OsString>,
) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // The shim may have died before that was armed.
    if getppid() != Some(shim) {
        return Ok(());
    }
    let mut word = [0];
    if socket.read(&mut word)? == 0 || word != [GO] {
        return Ok(());
    }
    Err(Command::new(program).args(arguments).exec())
}
