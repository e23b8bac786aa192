//! Which sandbox holds an attempt, and what is said about it.

use super::real_tools::installed;
use crate::scenarios::bench::Bench;
use orchestra_core::{
    confinement::{Confinement, SandboxChoice},
    outcome::{AttemptOutcome, FailureKind},
};
use orchestra_runtimes::{
    attempt::{AttemptResult, End},
    confine::{self, OwnSandbox, Scope},
};
use std::{fs, os::unix::fs::symlink, os::unix::process::CommandExt as _, process::Command};

fn own(off: &[&str]) -> Option<OwnSandbox> {
    Some(OwnSandbox { off: off.iter().map(|&argument| argument.to_owned()).collect(), at: 2 })
}

fn held_by_kernel(result: &AttemptResult) -> bool {
    let held = result.confined.is_some_and(Confinement::is_kernel);
    if !held {
        eprintln!("this kernel does not hold agents: {:?}", result.confine_problem);
    }
    held
}

pub(super) fn own_is_off() {
    let mut bench = Bench::new("echo $0 $@");
    bench.spec.own_sandbox = own(&["--no-sandbox", "--trust-me"]);
    let result = bench.run();
    if held_by_kernel(&result) {
        assert_eq!(bench.log(), "--no-sandbox --trust-me\n");
    } else {
        assert_eq!((result.confined, bench.log()), (Some(Confinement::Agent), "sh\n".to_owned()));
    }
}

pub(super) fn own_stays_on() {
    let mut bench = Bench::new("echo $#");
    bench.spec.own_sandbox = own(&["--no-sandbox"]);
    bench.spec.scope.choice = SandboxChoice::Agent;
    let result = bench.run();
    assert_eq!((result.confined, result.confine_problem), (Some(Confinement::Agent), None));
    assert_eq!(bench.log(), "0\n");
    let mut without = Bench::new("true");
    without.spec.scope.choice = SandboxChoice::Agent;
    let result = without.run();
    let problem = "the agent's own sandbox was asked for, and it has none".to_owned();
    assert_eq!((result.confined, result.confine_problem), (Some(Confinement::None), Some(problem)));
}

pub(super) fn none() {
    let mut bench = Bench::new("grep -h -e NoNewPrivs -e CapEff /proc/self/status");
    bench.spec.scope.choice = SandboxChoice::None;
    let AttemptOutcome::Succeeded { output } = bench.outcome() else { panic!() };
    assert_eq!(output.confined, Some(Confinement::None));
    // What tells an agent from its user on the daemon's socket holds all the same.
    assert_eq!(bench.log(), "CapEff:\t0000000000000000\nNoNewPrivs:\t1\n");
}

fn in_bubblewrap(script: &str) -> Bench {
    let mut bench = Bench::new(script);
    bench.spec.scope.choice = SandboxChoice::Bubblewrap;
    bench
}

pub(super) fn missing_bubblewrap() {
    let mut bench = in_bubblewrap("echo must not run");
    bench.set("PATH", "/no/such/folder");
    let AttemptOutcome::Failed { failure, output } = bench.outcome() else { panic!() };
    assert_eq!((failure.kind, output.confined), (FailureKind::Environment, None));
    let expected = "the sandbox bwrap was asked for, and there is no program bwrap on PATH";
    assert!(failure.message.ends_with(expected), "{failure}");
    let hint = "install bubblewrap, or set `attempt.sandbox` to `auto`";
    assert_eq!(failure.hint.as_deref(), Some(hint));
    assert_eq!(bench.log(), "");
}

pub(super) fn bubblewrap() {
    let Some(program) = installed("bwrap") else {
        eprintln!("bubblewrap is not installed, so it holds nobody here");
        return;
    };
    let mut bench = in_bubblewrap(
        "echo x > mine; cat ../../user; (echo x > ../../user) 2> /dev/null || echo refused; \
         ls ../../run",
    );
    bench.set("PATH", &format!("{}:/usr/bin:/bin", program.parent().unwrap().display()));
    let root = bench.path().to_owned();
    fs::write(root.join("user"), "theirs\n").unwrap();
    fs::create_dir(root.join("run")).unwrap();
    fs::write(root.join("run/secret"), "").unwrap();
    bench.spec.scope.write = ["src", "out"].map(|part| bench.spec.slot.join(part)).into();
    bench.spec.scope.hidden = vec![root.join("run")];
    let result = bench.run();
    assert_eq!(result.end, End::Exited { code: 0 }, "{}", bench.log());
    assert_eq!(result.confined, Some(Confinement::Bubblewrap));
    assert_eq!(bench.log(), "theirs\nrefused\n");
    assert_eq!(fs::read_to_string(bench.spec.slot.join("src/mine")).unwrap(), "x\n");
}

pub(super) fn link_in_the_scope() {
    let mut bench = Bench::new("echo must not run");
    let (tmp, user) = (bench.spec.slot.join("tmp"), bench.path().join("user"));
    fs::create_dir(&user).unwrap();
    fs::remove_dir(&tmp).unwrap();
    // As an agent without a sandbox could have left it in a slot that is used again.
    symlink(&user, &tmp).unwrap();
    bench.spec.scope = Scope { write: vec![tmp], ..Scope::default() };
    let result = bench.run();
    match result.end {
        End::NotStarted { errno: None, message, .. } => {
            assert!(message.contains("/tmp: it is a symbolic link"), "{message}");
        }
        end => assert!(!held_by_kernel(&AttemptResult { end, ..result }), "{}", bench.log()),
    }
}

/// The helper's code, and what it said.
fn help(scope: &Scope, require: bool, script: &str) -> (Option<i32>, String) {
    let (program, zero, arguments) = confine::command(scope, require).unwrap();
    let mut command = Command::new(program);
    command.arg0(zero).args(arguments).args(["/bin/sh", "-c", script]);
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

pub(super) fn helper() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    for name in ["mine", "theirs", "hidden"] {
        fs::create_dir(at(name)).unwrap();
    }
    fs::write(at("hidden/secret"), "secret").unwrap();
    let mut scope = Scope {
        write: vec![at("mine").into()],
        hidden: vec![at("hidden").into()],
        ..Scope::default()
    };
    let script = format!(
        "echo x > '{}/a'; (echo x > '{}/a') 2> /dev/null || echo refused; \
         cat '{}/secret' 2> /dev/null || echo hidden; exit 7",
        at("mine"),
        at("theirs"),
        at("hidden")
    );
    match help(&scope, true, &script) {
        (Some(126), said) => eprintln!("this kernel does not hold helpers: {said}"),
        held => {
            assert_eq!(held, (Some(7), "refused\nhidden\n".to_owned()));
            assert!(fs::exists(at("mine/a")).unwrap());
        }
    }
    scope.choice = SandboxChoice::None;
    let refused = "orchestra __sandbox: /bin/sh does not run unconfined: the sandbox is `none`\n";
    assert_eq!(help(&scope, true, "true"), (Some(126), refused.to_owned()));
    assert_eq!(help(&scope, false, "echo runs"), (Some(0), "runs\n".to_owned()));
}
