//! Telling the daemon that an attempt has ended, and starting a daemon when none answers.

use crate::{
    attempt::{DaemonContact, this_program},
    cli,
};
use orchestra_core::ids::{AttemptId, WorkspaceId};
use rustix::{
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

/// `Ok` when a daemon answers, whatever it says.
fn ask(daemon: &DaemonContact, workspace: &WorkspaceId, attempt: AttemptId) -> io::Result<()> {
    let patience = Duration::from(daemon.patience).max(Duration::from_millis(1));
    let socket = socket_with(
        AddressFamily::UNIX,
        SocketType::STREAM,
        SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
        None,
    )?;
    // Not blocking: a daemon that hangs has a full queue, and would keep us for ever.
    connect(&socket, &SocketAddrUnix::new(&daemon.socket)?)?;
    let mut stream = UnixStream::from(socket);
    stream.set_nonblocking(false)?;
    stream.set_write_timeout(Some(patience))?;
    stream.set_read_timeout(Some(patience))?;
    let body = json!({ "workspace": workspace, "attempt": attempt }).to_string();
    write!(
        stream,
        "POST /v1/poke HTTP/1.1\r\nhost: orchestra\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )?;
    stream.read_exact(&mut [0; 4])
}
