//! `orchestra __confine`: the moment between the shim and the agent's program, in the agent's process.
//!
//! It holds itself, says so, waits until the shim has recorded it in the claim, and then becomes the agent.
//! Its standard input is a socket to the shim: one byte says go, an end says that the shim is gone. The
//! other way it carries [`Word`]s, a line each, and closes when the agent's program runs.

use super::{Held, OwnSandbox, Scope, hold};
use crate::shim::exit;
use orchestra_core::confinement::Confinement;
use rustix::{
    fs::{Mode, OFlags, open},
    process::{Pid, Signal, getppid, set_parent_process_death_signal},
    stdio::{dup2_stdin, stdin},
};
use serde::{Deserialize, Serialize};
use std::{
    ffi::OsString,
    io::{self, Read as _, Write as _},
    os::{fd::OwnedFd, unix::net::UnixStream, unix::process::CommandExt as _},
    process::ExitCode,
};

/// The first argument by which this program knows that it is to become an agent.
pub(crate) const CONFINE: &str = "__confine";

/// The shim's word to go on.
pub(crate) const GO: u8 = b'!';

/// How the agent is to be held.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Orders {
    pub(crate) scope: Scope,
    pub(crate) own_sandbox: Option<OwnSandbox>,
}

/// What the process tells the shim before it is the agent.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub(crate) enum Word {
    Held {
        confinement: Confinement,
        problem: Option<String>,
    },
    /// It must not run.
    NotHeld {
        message: String,
        hint: String,
    },
    /// The system refused to run the program.
    NotRun {
        errno: i32,
    },
}

/// Becomes the agent, so it returns only when that failed. The arguments: the shim's process number, the
/// orders, the agent's program, its arguments.
pub fn main(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let shim = arguments.next().and_then(|pid| pid.to_str()?.parse().ok()).and_then(Pid::from_raw);
    let orders = arguments.next();
    let orders: Option<Orders> =
        orders.and_then(|orders| serde_json::from_str(orders.to_str()?).ok());
    let (Some(shim), Some(orders), Some(program)) = (shim, orders, arguments.next()) else {
        return exit::USAGE.into();
    };
    // When this fails the shim is gone, and then nobody wants to know.
    let _ = become_agent(shim, &orders, program, arguments.collect());
    exit::NOT_STARTED.into()
}

/// `Ok` when it must not become the agent.
fn become_agent(
    shim: Pid,
    orders: &Orders,
    program: OsString,
    arguments: Vec<OsString>,
) -> io::Result<()> {
    let mut socket = take_socket()?;
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // The shim may have died before that was armed.
    if getppid() != Some(shim) {
        return Ok(());
    }
    let held = hold(&orders.scope, orders.own_sandbox.as_ref(), program, arguments);
    let mut command = match held {
        Ok((Held { confinement, problem }, command)) => {
            say(&mut socket, &Word::Held { confinement, problem })?;
            command
        }
        Err(refused) => {
            let (message, hint) = (refused.to_string(), refused.hint().to_owned());
            return say(&mut socket, &Word::NotHeld { message, hint });
        }
    };
    let mut word = [0];
    if socket.read(&mut word)? == 0 || word != [GO] {
        return Ok(());
    }
    let errno = command.exec().raw_os_error().unwrap_or(0);
    say(&mut socket, &Word::NotRun { errno })
}

/// Moves the socket away from standard input, to a descriptor that the agent does not inherit.
fn take_socket() -> io::Result<UnixStream> {
    let socket: OwnedFd = stdin().try_clone_to_owned()?;
    dup2_stdin(open("/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?)?;
    Ok(UnixStream::from(socket))
}

fn say(socket: &mut UnixStream, word: &Word) -> io::Result<()> {
    let mut line = serde_json::to_vec(word)?;
    line.push(b'\n');
    socket.write_all(&line)
}
