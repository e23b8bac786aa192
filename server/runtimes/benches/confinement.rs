//! What it costs to hold a process: a program by itself, the same held on its way, and whole attempts
//! with and without a sandbox, in turns. Prints one JSON object: the seconds of every round, by row; the
//! first round is there to warm up.
//!
//! Arguments: the folder to work in, and how many rounds are measured. A shim is this very program
//! started anew.

use orchestra_core::{
    agent::{Completion, Prints},
    confinement::SandboxChoice,
    time::Millis,
};
use orchestra_runtimes::{
    attempt::{AttemptDir, Found, Spec, new_nonce, probe, spawn_shim},
    confine::{self, Scope},
    shim,
};
use std::{
    collections::BTreeMap,
    env,
    error::Error,
    ffi::OsString,
    fs,
    io::Write as _,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::Instant,
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Does nothing, and soon.
const PROGRAM: &str = "/bin/true";

fn main() -> Result<ExitCode> {
    let mut arguments = env::args_os().skip(1);
    let first = arguments.next().unwrap_or_default();
    match first.to_str() {
        Some("__shim") => return Ok(shim::main(arguments)),
        Some("__confine") => return Ok(confine::main(arguments)),
        Some("__sandbox") => return Ok(confine::sandbox_main(arguments)),
        _ => {}
    }
    // Cargo adds an option of its own.
    let given = [first].into_iter().chain(arguments).filter(|argument| argument != "--bench");
    let given: Vec<OsString> = given.collect();
    let [folder, rounds] = given.as_slice() else {
        return Err("it takes a folder and a number of rounds".into());
    };
    let folder = PathBuf::from(folder).canonicalize()?;
    let rounds: usize = rounds.to_str().ok_or("a number is text")?.parse()?;
    let mut rows: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for round in 0..=rounds {
        let mut time = |row, work: &dyn Fn() -> Result<()>| {
            let began = Instant::now();
            work()?;
            rows.entry(row).or_default().push(began.elapsed().as_secs_f64());
            Ok::<_, Box<dyn Error>>(())
        };
        time("bare spawn", &|| run(&mut Command::new(PROGRAM)))?;
        time("held spawn", &|| run(&mut held(&folder)?))?;
        time("attempt, no sandbox", &|| attempt(&folder, round, SandboxChoice::None))?;
        time("attempt, sandbox", &|| attempt(&folder, round, SandboxChoice::Auto))?;
    }
    writeln!(std::io::stdout(), "{}", serde_json::to_string(&rows)?)?;
    Ok(ExitCode::SUCCESS)
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.status()?;
    if status.success() { Ok(()) } else { Err(format!("{command:?} ended with {status}").into()) }
}

/// As git is held where it looks at what an agent wrote.
fn held(folder: &Path) -> Result<Command> {
    let scope = Scope {
        write: vec![folder.join("scratch")],
        hidden: vec![folder.join("hidden")],
        choice: SandboxChoice::Auto,
    };
    let (program, zero, arguments) = confine::command(&scope, false)?;
    let mut command = Command::new(program);
    command.arg0(zero).args(arguments).arg(PROGRAM);
    Ok(command)
}

/// From the attempt's folder to the shim's end.
fn attempt(folder: &Path, round: usize, choice: SandboxChoice) -> Result<()> {
    let place = folder.join(format!("{round}-{choice}"));
    let slot = place.join("slot");
    for part in ["src", "tmp", "out/tasks"] {
        fs::create_dir_all(slot.join(part))?;
    }
    let spec = Spec {
        workspace: "abcdefgh".parse()?,
        attempt: "r1.1@1".parse()?,
        nonce: new_nonce()?,
        agent: "bench".to_owned(),
        program: PROGRAM.into(),
        arguments: Vec::new(),
        directory: slot.join("src"),
        scope: Scope { write: vec![slot.clone()], hidden: vec![folder.join("hidden")], choice },
        slot,
        own_sandbox: None,
        shared_state: Vec::new(),
        completion: Completion::Exit,
        prints: Prints::Text,
        timeout: Millis::minutes(1),
        grace: Millis::minutes(1),
        sentinel_wait: Millis::minutes(1),
        log_limit: 1 << 20,
        secrets: Vec::new(),
        daemon: None,
        broker: None,
    };
    let environment = BTreeMap::from([
        ("PATH".to_owned(), "/usr/bin:/bin".to_owned()),
        (Spec::MARKER.to_owned(), spec.marker()),
    ]);
    let attempt = AttemptDir::create(&place.join("attempt"), &spec)?;
    let mut shim = spawn_shim(&attempt, &environment)?;
    shim.child.wait()?;
    match probe(&attempt)? {
        Found::Ended(_) => Ok(()),
        found => Err(format!("the attempt has not ended: {found:?}").into()),
    }
}
