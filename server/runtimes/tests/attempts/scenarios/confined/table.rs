//! Running all attacks as somebody, and comparing what became of them with what has to.

use super::attacks::{ATTACK, ATTACKS, RefusedBy};
use crate::scenarios::bench::Bench;
use orchestra_core::confinement::{Confinement, SandboxChoice};
use orchestra_runtimes::{attempt::End, confine::Scope};
use rustix::{
    fs::{Gid, Uid, chown},
    process::{getuid, umask},
};
use std::{
    collections::BTreeMap,
    env,
    ffi::OsString,
    fs::{self, Permissions},
    os::{
        linux::net::SocketAddrExt as _,
        unix::{
            fs::PermissionsExt as _,
            net::{SocketAddr, UnixListener},
            process::CommandExt as _,
        },
    },
    path::Path,
    process::{Command, ExitCode},
};

/// As a process of its own this program runs the table, see [`run`].
pub(crate) const TABLE: &str = "__table-of-attacks";

/// A user with no rights and no files.
const NOBODY: u32 = 65_534;

/// What no attack may change.
const VICTIMS: [(&str, &str); 11] = [
    ("user/file", "the user's text"),
    ("user/chmod", "the user's text"),
    ("user/.git/config", "[core]\n\tbare = false\n"),
    ("user/.git/hooks/README", "hooks"),
    ("other-slot/src/file", "the work of another"),
    ("other-slot/src/file.2", "the work of another"),
    ("state/attempts/r1.1-1/result.json", "the result of another"),
    ("state/trust.json", "{\"version\":1}"),
    ("state/orchestra.db", "the journal"),
    ("state/workspace.json", "{}"),
    ("run/env/secret.json", "{\"API_KEY\":\"sk-live-0123456789\"}"),
];

pub(super) fn as_root() {
    if getuid().is_root() {
        check("root", "auto", &all_attacks(Command::new("/proc/self/exe"), "auto", None));
    } else {
        eprintln!("this user is not root, so nothing is attacked by root");
    }
}

pub(super) fn as_ordinary_user() {
    check("user", "auto", &ordinary_user_attacks("auto"));
}

pub(super) fn without_a_sandbox() {
    check("user", "none", &ordinary_user_attacks("none"));
}

/// By this user, or by one without rights if this user is root.
fn ordinary_user_attacks(choice: &str) -> BTreeMap<String, String> {
    let mut command = Command::new("/proc/self/exe");
    if !getuid().is_root() {
        return all_attacks(command, choice, None);
    }
    // Where nobody may go there is none of root's own folders on the way.
    let folder = tempfile::tempdir_in("/tmp").unwrap();
    chown(folder.path(), Some(Uid::from_raw(NOBODY)), Some(Gid::from_raw(NOBODY))).unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let setuid = folder.path().join("setuid-id");
    fs::copy("/usr/bin/id", &setuid).unwrap();
    fs::set_permissions(&setuid, Permissions::from_mode(0o4755)).unwrap();
    command.uid(NOBODY).gid(NOBODY).env("TMPDIR", folder.path());
    all_attacks(command, choice, Some(&setuid))
}

pub(super) fn in_a_namespace() {
    let may = Command::new("unshare").args(["-r", "true"]).output();
    if !may.is_ok_and(|output| output.status.success()) {
        eprintln!("this machine gives no user namespaces, so nothing is attacked inside of one");
        return;
    }
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--"]).arg(env::current_exe().unwrap());
    check("namespace", "auto", &all_attacks(command, "auto", None));
}

/// What became of each attack, and what held the agent, by a process that was started like this.
fn all_attacks(
    mut command: Command,
    choice: &str,
    setuid: Option<&Path>,
) -> BTreeMap<String, String> {
    command.arg(TABLE).arg(choice).args(setuid);
    let output = command.output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{printed}{}", String::from_utf8_lossy(&output.stderr));
    let pair = |line: &str| {
        let (what, outcome) = line.split_once('\t')?;
        Some((what.to_owned(), outcome.to_owned()))
    };
    printed.lines().filter_map(pair).collect()
}

/// Prints the table, and fails when something in it is not as it has to be.
#[track_caller]
fn check(who: &str, choice: &str, table: &BTreeMap<String, String>) {
    let confined = &table["confined"];
    println!("as {who}, {confined}\n\n| attack | outcome | refused by |\n|---|---|---|");
    let mut wrong = Vec::new();
    for attack in ATTACKS {
        let outcome = table.get(attack.what).map_or("not tried", String::as_str);
        println!("| {} | {outcome} | {:?} |", attack.what, attack.refused_by);
        let is_refused = matches!(outcome, "EACCES" | "EPERM" | "EXDEV");
        let has_to_be = match attack.refused_by {
            RefusedBy::Landlock if choice == "none" && is_no_proof(attack.what, outcome) => None,
            RefusedBy::Landlock if choice == "none" => Some(false),
            RefusedBy::Scope if choice == "none" => Some(false),
            // Older kernels do not limit it.
            RefusedBy::Scope if !confined.ends_with("v6") && !confined.ends_with("v7") => None,
            RefusedBy::Landlock | RefusedBy::Scope | RefusedBy::Privileges => Some(true),
            RefusedBy::Nobody | RefusedBy::Allowed => Some(false),
        };
        if has_to_be.is_some_and(|refused| refused != is_refused || (!refused && outcome != "done"))
        {
            wrong.push(format!("{}: {outcome}", attack.what));
        }
    }
    if choice == "auto" && confined == "none" {
        eprintln!("this kernel has no landlock, so nothing but privileges was checked");
        return;
    }
    assert_eq!(wrong, [""; 0], "as {who}, {confined}");
}

/// What the kernel refuses as well without a sandbox, and what an attack before has spoiled: two of them
/// take away the file that later ones want.
fn is_no_proof(what: &str, outcome: &str) -> bool {
    ["block device", "namespace of its own"].iter().any(|other| what.contains(other))
        || outcome.contains("os error")
}

/// Sets everything up, runs the agent, prints its lines, and fails when a victim has changed.
pub(crate) fn run(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    umask(rustix::fs::Mode::WGRP | rustix::fs::Mode::WOTH);
    let is_held = arguments.next().unwrap() == "auto";
    let setuid = arguments.next();
    let me = std::process::id();
    let mut bench = Bench::of_program(Path::new("/proc/self/exe"), &[]);
    let root = bench.path().canonicalize().unwrap();
    bench.spec.arguments =
        vec![ATTACK.to_owned(), root.to_str().unwrap().to_owned(), me.to_string()];
    let slot = &bench.spec.slot;
    bench.spec.scope = Scope {
        write: ["src", "tmp", "out"].map(|part| slot.join(part)).into(),
        hidden: vec![root.join("run")],
        choice: if is_held { SandboxChoice::Auto } else { SandboxChoice::None },
    };
    for (name, text) in VICTIMS {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    if let Some(setuid) = setuid {
        std::os::unix::fs::symlink(setuid, root.join("setuid-id")).unwrap();
    } else {
        // With nobody to become root from, it cannot succeed.
        std::os::unix::fs::symlink("/bin/false", root.join("setuid-id")).unwrap();
    }
    let _named = UnixListener::bind(root.join("named.sock")).unwrap();
    let name = SocketAddr::from_abstract_name(format!("orchestra-test-{me}")).unwrap();
    let _abstract = UnixListener::bind_addr(&name).unwrap();

    let result = bench.run();
    let log = bench.log();
    assert_eq!(result.end, End::Exited { code: 0 }, "{log}");
    assert_eq!(result.confine_problem, None);
    println!("confined\t{}", result.confined.unwrap());
    print!("{log}");
    if result.confined.is_some_and(Confinement::is_kernel) {
        for (name, text) in VICTIMS {
            assert_eq!(fs::read_to_string(root.join(name)).unwrap(), text, "{name} has changed");
        }
        assert!(!root.join("user/new").exists() && !root.join("user/folder").exists());
    }
    ExitCode::SUCCESS
}
