//! Telling the daemon that an attempt has ended, and starting a daemon when none answers.

use crate::{
    attempt::{DaemonContact, Spec, this_program},
    cli,
};
use orchestra_core::ids::{AttemptId, WorkspaceId};
use rustix::{
    event::{PollFd, PollFlags},
    net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with},
    process::set_child_subreaper,
};
use serde_json::json;
use std::{
    io::{self, Read as _, Write as _},
    os::unix::net::UnixStream,
    process::Stdio,
    time::Duration,
};

/// The daemon looks into the folder then. The result is durable already, so nothing depends on this but
/// how soon it is seen.
pub(super) fn poke(
    daemon: &DaemonContact,
    workspace: &WorkspaceId,
    attempt: AttemptId,
) -> io::Result<()> {
    if ask(daemon, workspace, attempt).is_ok() {
        return Ok(());
    }
    // The daemon must not be a descendant of a shim: by that it tells agents from people.
    set_child_subreaper(None)?;
    let mut command = this_program()?;
    command
        .args(&daemon.arguments)
        .env_clear()
        // Neither the agent's secrets nor the mark of an agent, with which it would not start.
        .envs(std::env::vars_os().filter(|(name, _)| {
            name.to_str().is_some_and(|name| name != "TMPDIR" && cli::is_always_passed(name))
        }))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.spawn()?;
    Ok(())
}

/// Telling a daemon that there is news, without waiting for it. Where there is no daemon, the next one
/// finds the news when it starts: one is started by whoever comes next, and by the shim at its end.
#[derive(Debug)]
pub(super) struct Knock {
    daemon: Option<(DaemonContact, WorkspaceId, AttemptId)>,
    /// Open until the daemon has answered.
    stream: Option<UnixStream>,
    /// There has been more news meanwhile.
    again: bool,
}

impl Knock {
    pub(super) fn new(spec: &Spec) -> Self {
        let daemon = spec.daemon.clone();
        let daemon = daemon.map(|daemon| (daemon, spec.workspace.clone(), spec.attempt));
        Self { daemon, stream: None, again: false }
    }

    /// To be done as soon as the daemon has taken the last one.
    pub(super) fn ask(&mut self) {
        self.again = true;
    }

    pub(super) fn interest(&self) -> Option<PollFd<'_>> {
        self.stream.as_ref().map(|stream| PollFd::new(stream, PollFlags::IN))
    }

    pub(super) fn work(&mut self) {
        if let Some(stream) = &mut self.stream {
            match stream.read(&mut [0; 1024]) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // Whatever it says, or that it has gone.
                _ => self.stream = None,
            }
        }
        if std::mem::take(&mut self.again)
            && let Some((daemon, workspace, attempt)) = &self.daemon
        {
            self.stream = connected(daemon).ok().and_then(|mut stream| {
                request(&mut stream, workspace, *attempt).ok().map(|()| stream)
            });
        }
    }
}

/// `Ok` when a daemon answers, whatever it says.
fn ask(daemon: &DaemonContact, workspace: &WorkspaceId, attempt: AttemptId) -> io::Result<()> {
    let patience = Duration::from(daemon.patience).max(Duration::from_millis(1));
    let mut stream = connected(daemon)?;
    stream.set_nonblocking(false)?;
    stream.set_write_timeout(Some(patience))?;
    stream.set_read_timeout(Some(patience))?;
    request(&mut stream, workspace, attempt)?;
    stream.read_exact(&mut [0; 4])
}

/// Not blocking: a daemon that hangs has a full queue, and would keep us for ever.
fn connected(daemon: &DaemonContact) -> io::Result<UnixStream> {
    let socket = socket_with(
        AddressFamily::UNIX,
        SocketType::STREAM,
        SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
        None,
    )?;
    connect(&socket, &SocketAddrUnix::new(&daemon.socket)?)?;
    Ok(UnixStream::from(socket))
}

fn request(stream: &mut UnixStream, workspace: &WorkspaceId, attempt: AttemptId) -> io::Result<()> {
    let body = json!({ "workspace": workspace, "attempt": attempt }).to_string();
    write!(
        stream,
        "POST /v1/poke HTTP/1.1\r\nhost: orchestra\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}
