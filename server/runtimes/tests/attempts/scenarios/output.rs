//! What agents write, and what the log keeps of it.

use super::{
    Scenario,
    bench::{Bench, pid, wait_readable},
};
use orchestra_core::{
    agent::Prints,
    outcome::{AttemptOutcome, Usage},
};
use orchestra_runtimes::attempt::End;
use rustix::{
    pipe::fcntl_setpipe_size,
    process::{PidfdFlags, Signal, kill_process, pidfd_open},
};
use std::{fs, io::Write as _, time::Instant};

pub(crate) const SCENARIOS: &[Scenario] = &[
    ("both_streams_are_in_the_log", both_streams),
    ("a_flood_is_drained_and_cut", flood),
    ("invalid_utf8_passes_as_it_is", invalid_utf8),
    ("a_secret_that_comes_in_pieces_is_masked", secret_in_pieces),
    ("events_become_text_without_secrets", events),
    ("what_the_agent_logs_itself_is_appended", own_log),
    ("a_log_that_is_one_large_hole_is_not_read_through", own_log_without_end),
    ("a_log_that_leads_elsewhere_is_not_followed", own_log_elsewhere),
    ("an_end_of_the_pipe_that_is_held_elsewhere_keeps_nothing_waiting", held_elsewhere),
    ("what_is_in_the_pipe_at_the_end_is_in_the_log", rest_of_the_pipe),
    ("output_can_be_read_while_the_agent_runs", while_it_runs),
];

fn both_streams() {
    let mut bench = Bench::new("echo out; echo err >&2");
    bench.run();
    let log = bench.log();
    let mut lines: Vec<&str> = log.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["err", "out"]);
}

fn flood() {
    const MEBIBYTES: u64 = 1_000;
    let script = format!("echo first; head -c {MEBIBYTES}M /dev/zero; echo; echo last");
    let mut bench = Bench::new(&script);
    bench.spec.log_limit = 256 * 1024;
    let start = Instant::now();
    let result = bench.run();
    println!("{MEBIBYTES} MiB in {:?}", start.elapsed());
    assert_eq!(result.end, End::Exited { code: 0 });
    assert_eq!(result.log.bytes, MEBIBYTES * 1024 * 1024 + 12);
    assert!(result.log.cut > result.log.bytes - 256 * 1024);
    assert_eq!(result.log.last_lines.last().unwrap(), "last");
    let log = bench.log();
    assert!(log.len() <= 256 * 1024);
    assert!(log.starts_with("first\n"));
    assert!(log.ends_with("\nlast\n"));
    assert!(log.contains(&format!("[orchestra: {} bytes are left out here", result.log.cut)));
}

fn invalid_utf8() {
    let mut bench = Bench::new(r"printf 'a\377\376\000b\n'; exit 3");
    let result = bench.run();
    assert_eq!(fs::read(bench.attempt.log_path()).unwrap(), b"a\xff\xfe\0b\n");
    assert_eq!(result.log.last_lines, ["a\u{fffd}\u{fffd}b"]);
}

fn secret_in_pieces() {
    let mut bench = Bench::new(
        "printf 'key sk-live-'; echo 1 > $ready; read line < $go; printf '0123456789'; \
         printf ' and sk-li'; echo $MY_TOKEN >&2; echo \"it is $MY_TOKEN\" > $ORCHESTRA_DIR/tasks/r1.2.error; \
         echo \"own: $MY_TOKEN\" > $ORCHESTRA_DIR/log; exit 3",
    );
    bench.set("MY_TOKEN", "sk-live-0123456789");
    bench.spec.secrets = vec!["MY_TOKEN".to_owned(), "NOT_SET".to_owned()];
    let go = bench.pipe("go");
    bench.start_until("1");
    fs::write(go, "1\n").unwrap();
    let result = bench.result();
    let log = bench.log();
    assert!(!log.contains("0123456789"), "{log}");
    assert!(log.starts_with("key ***"), "{log}");
    // What only began like the secret comes late, and whole.
    assert!(log.contains(" and ") && log.contains("sk-li"), "{log}");
    assert!(log.ends_with("own: ***\n"), "{log}");
    assert_eq!(result.claims.error.unwrap(), "it is ***\n");
    let everything = fs::read_to_string(bench.attempt.path().join("result.json")).unwrap()
        + &fs::read_to_string(bench.attempt.path().join("spec.json")).unwrap();
    assert!(!everything.contains("sk-live-0123456789"), "{everything}");
}

fn events() {
    // The secret has a quote in it, and comes in two pieces; the last event does not end its line.
    let script = r#"echo warning >&2
printf '%s\n' '{"type":"message","role":"assistant","content":"key s3\"cr","delta":true}'
printf '%s\n' '{"type":"message","role":"assistant","content":"et-0123 is used","delta":true}'
printf '%s' '{"type":"result","stats":{"input_tokens":7,"cached":2,"output_tokens":1}}'"#;
    let mut bench = Bench::new(script);
    bench.set("API_KEY", "s3\"cret-0123");
    bench.spec.secrets = vec!["API_KEY".to_owned()];
    bench.spec.prints = Prints::GeminiEvents;
    let AttemptOutcome::Succeeded { output } = bench.outcome() else { panic!() };
    let usage = Usage { input_tokens: 7, cached_tokens: 2, output_tokens: 1 };
    assert_eq!((output.summary.as_str(), output.usage), ("key *** is used", Some(usage)));
    let log = bench.log();
    let mut lines: Vec<&str> = log.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["key *** is used", "warning"]);
}

fn own_log() {
    let mut bench = Bench::new("echo own > $ORCHESTRA_DIR/log; echo to the stream");
    bench.run();
    assert_eq!(bench.log(), "to the stream\nown\n");
}

/// With a secret at each end, where it is masked as anywhere else.
fn own_log_without_end() {
    let mut bench = Bench::new(
        "cd $ORCHESTRA_DIR; echo to the stream; echo \"first $MY_TOKEN\" > log; truncate -s 1T log; \
         echo \"last $MY_TOKEN\" >> log",
    );
    bench.set("MY_TOKEN", "sk-live-0123456789");
    bench.spec.secrets = vec!["MY_TOKEN".to_owned()];
    let result = bench.run();
    let log = bench.log();
    assert!(log.starts_with("to the stream\nfirst ***\n\0"), "{:?}", &log[..40]);
    assert!(log.ends_with("\0last ***\n"), "{:?}", &log[log.len() - 40..]);
    assert!(log.contains(&format!("[orchestra: {} bytes are left out here", result.log.cut)));
    // All that was written, less what the masks are shorter by.
    assert_eq!(result.log.bytes, (1 << 40) + 14 + 24 - 2 * 15);
    assert!(log.len() <= 1 << 20, "{}", log.len());
}

fn own_log_elsewhere() {
    for script in [
        "ln -s /proc/self/environ $ORCHESTRA_DIR/log",
        "mkfifo $ORCHESTRA_DIR/log",
        "ln -s /dev/zero $ORCHESTRA_DIR/tasks/r1.2.done; mkfifo $ORCHESTRA_DIR/tasks/r1.2.error",
    ] {
        let mut bench = Bench::new(script);
        let result = bench.run();
        assert_eq!(result.end, End::Exited { code: 0 });
        assert_eq!(result.log.bytes, 0, "{script}");
        assert!(result.claims.done.is_none_or(|text| text.contains("cannot be read")), "{script}");
    }
}

fn held_elsewhere() {
    // We take the agent's end of the pipe and keep it, as a service that it talks to could. The brackets
    // leave the agent's own output where it is while the word is written.
    let mut bench = Bench::new("echo before; (echo up > $ready); read line < $go; echo after");
    let go = bench.pipe("go");
    bench.start_until("up");
    let agent = bench.attempt.claim().unwrap().unwrap().agent.unwrap();
    let held =
        fs::OpenOptions::new().write(true).open(format!("/proc/{}/fd/1", agent.pid)).unwrap();
    fs::write(go, "1\n").unwrap();
    let result = bench.result();
    drop(held);
    assert_eq!(result.end, End::Exited { code: 0 });
    assert_eq!(bench.log(), "before\nafter\n");
}

fn rest_of_the_pipe() {
    const SIZE: usize = 1 << 20;
    let mut bench = Bench::new("(echo up > $ready); read line < $go; exit 0");
    let go = bench.pipe("go");
    bench.start_until("up");
    let agent = bench.attempt.claim().unwrap().unwrap().agent.unwrap();
    let pidfd = pidfd_open(pid(agent.pid), PidfdFlags::empty()).unwrap();
    // More than the shim takes at a time, all there before it looks again.
    kill_process(pid(bench.shim_pid()), Signal::STOP).unwrap();
    let path = format!("/proc/{}/fd/1", agent.pid);
    let mut stdout = fs::OpenOptions::new().write(true).open(path).unwrap();
    fcntl_setpipe_size(&stdout, SIZE).unwrap();
    stdout.write_all(&vec![b'x'; SIZE / 2]).unwrap();
    drop(stdout);
    fs::write(go, "1\n").unwrap();
    wait_readable(pidfd, "the end of the agent");
    kill_process(pid(bench.shim_pid()), Signal::CONT).unwrap();
    let result = bench.result();
    assert_eq!(result.log.bytes, SIZE as u64 / 2, "{result:#?}");
    assert_eq!(bench.log().len(), SIZE / 2);
}

fn while_it_runs() {
    let mut bench = Bench::new("echo one; echo up > $ready; read line < $go; echo two");
    let go = bench.pipe("go");
    bench.create();
    let inotify = rustix::fs::inotify::init(rustix::fs::inotify::CreateFlags::CLOEXEC).unwrap();
    let flags = rustix::fs::inotify::WatchFlags::MODIFY;
    fs::write(bench.attempt.log_path(), "").unwrap();
    rustix::fs::inotify::add_watch(&inotify, bench.attempt.log_path(), flags).unwrap();
    bench.spawn();
    bench.wait_for("up");
    while bench.log() != "one\n" {
        wait_readable(&inotify, "the first line in the log");
        let _ = rustix::io::read(&inotify, &mut [0; 4096]).unwrap();
    }
    fs::write(go, "1\n").unwrap();
    bench.result();
    assert_eq!(bench.log(), "one\ntwo\n");
}
