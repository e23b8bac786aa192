//! What a shim tells the daemon at the end, and how it starts one.

use super::{
    Scenario,
    bench::{Bench, wait_readable},
};
use orchestra_core::time::Millis;
use orchestra_runtimes::attempt::{DaemonContact, End};
use std::{
    ffi::OsString,
    fs,
    io::{Read as _, Write as _},
    os::unix::net::UnixListener,
    process::ExitCode,
};

/// As a daemon this program writes down its environment and parents, see [`started`].
pub(crate) const STARTED: &str = "__daemon-was-started";

pub(crate) const SCENARIOS: &[Scenario] = &[
    ("the_daemon_is_poked_after_the_result", poked),
    ("a_daemon_is_started_when_none_answers", started_when_none_answers),
    ("a_daemon_that_hangs_up_is_none", hangs_up),
];

/// The daemon that a shim starts: says whose descendant it is and what it was given.
pub(crate) fn started(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let report = arguments.next().unwrap();
    let mut names: Vec<String> = std::env::vars().map(|(name, _)| name).collect();
    names.sort();
    fs::write(report, names.join(" ") + "\n").unwrap();
    ExitCode::SUCCESS
}

fn contact(bench: &mut Bench) -> std::path::PathBuf {
    let report = bench.path().join("ready");
    let socket = bench.path().join("socket");
    bench.spec.daemon = Some(DaemonContact {
        socket: socket.clone(),
        arguments: vec![STARTED.to_owned(), report.to_str().unwrap().to_owned()],
        patience: Millis(20_000),
    });
    bench.set("MY_TOKEN", "sk-live-0123456789");
    bench.set("TMPDIR", "/tmp");
    bench.set("XDG_STATE_HOME", "/state");
    socket
}

/// The names of the environment in which nothing of the agent is left.
const CLEAN: &str = "PATH XDG_STATE_HOME";

fn poked() {
    let mut bench = Bench::new("true");
    let socket = contact(&mut bench);
    let listener = UnixListener::bind(socket).unwrap();
    bench.start();
    wait_readable(&listener, "the poke");
    let (mut stream, _) = listener.accept().unwrap();
    let mut request = Vec::new();
    while !request.ends_with(b"}") {
        let mut bytes = [0; 1024];
        let size = stream.read(&mut bytes).unwrap();
        assert_ne!(size, 0);
        request.extend_from_slice(&bytes[..size]);
    }
    // The result is there before anybody is told.
    assert!(bench.attempt.result().unwrap().is_some());
    stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
    let request = String::from_utf8(request).unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /v1/poke HTTP/1.1\r\n"), "{head}");
    assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{head}");
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(body, serde_json::json!({"workspace": "abcdefgh", "attempt": "r1.2@1"}));
    assert_eq!(bench.result().end, End::Exited { code: 0 });
}

fn started_when_none_answers() {
    let mut bench = Bench::new("true");
    contact(&mut bench);
    bench.start();
    bench.wait_for(CLEAN);
    bench.result();
}

fn hangs_up() {
    let mut bench = Bench::new("true");
    let socket = contact(&mut bench);
    let listener = UnixListener::bind(socket).unwrap();
    bench.start();
    wait_readable(&listener, "the poke");
    drop(listener.accept().unwrap());
    bench.wait_for(CLEAN);
    bench.result();
}
