//! Whatever an agent and a user have done: what is applied is what both have made or a conflict, what is taken
//! back is as it was, and nothing that the user had is lost.

use crate::support::{Sandbox, Wish, assert_applied, assert_same, bytes, git, set_mode, try_git};
use orchestra_vcs::apply::{Prepared, Transition};
use proptest::{prelude::*, test_runner::Config};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::{
        ffi::OsStrExt as _,
        fs::{PermissionsExt as _, symlink},
    },
    path::Path,
};

/// Few names, so that steps meet one another; some are ignored, some are no text, some differ by case alone.
const NAMES: [&[u8]; 12] = [
    b"a",
    b"b",
    b"a/b",
    b"a/b/c",
    b"d/a",
    b"d/e/f",
    b"A",
    b"x.log",
    b"out/a",
    b"line\nbreak",
    b"\xff",
    b"-q \"*",
];
const LINES: usize = 6;

#[derive(Debug, Clone)]
enum Step {
    Edit { name: usize, line: usize, text: u8 },
    Binary { name: usize, byte: u8 },
    Link { name: usize, to: usize },
    Remove { name: usize },
    Rename { from: usize, to: usize },
    FlipExecutable { name: usize },
    Private { name: usize },
    Folder { name: usize },
    // Those below are not for agents.
    Commit,
    Stage,
    Stash,
    Switch,
}

fn of_files() -> impl Strategy<Value = Step> {
    let name = || 0..NAMES.len();
    prop_oneof![
        8 => (name(), 0..LINES, 0..3_u8).prop_map(|(name, line, text)| Step::Edit { name, line, text }),
        1 => (name(), 0..3_u8).prop_map(|(name, byte)| Step::Binary { name, byte }),
        1 => (name(), name()).prop_map(|(name, to)| Step::Link { name, to }),
        2 => name().prop_map(|name| Step::Remove { name }),
        2 => (name(), name()).prop_map(|(from, to)| Step::Rename { from, to }),
        1 => name().prop_map(|name| Step::FlipExecutable { name }),
        1 => name().prop_map(|name| Step::Private { name }),
        1 => name().prop_map(|name| Step::Folder { name }),
    ]
}

fn of_users() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => of_files(),
        1 => Just(Step::Commit),
        1 => Just(Step::Stage),
        1 => Just(Step::Stash),
        1 => Just(Step::Switch),
    ]
}

/// Does what is possible in a folder; what git or the system refuses is not done.
fn carry_out(step: &Step, folder: &Path) {
    let path = |name: usize| folder.join(bytes(NAMES[name]));
    let parents = |name: usize| fs::create_dir_all(path(name).parent().unwrap());
    match *step {
        Step::Edit { name, line, text } => {
            let _ = parents(name);
            let known = fs::symlink_metadata(path(name)).is_ok_and(|found| found.is_file());
            let known = if known { fs::read_to_string(path(name)).ok() } else { None };
            let known =
                known.unwrap_or_else(|| (0..LINES).map(|line| format!("line {line}\n")).collect());
            let mut lines: Vec<String> = known.lines().map(str::to_owned).collect();
            lines.resize(lines.len().max(line + 1), String::new());
            lines[line] = format!("changed {line} {text}");
            let end = if text == 2 { "" } else { "\n" };
            let _ = fs::write(path(name), lines.join("\n") + end);
        }
        Step::Binary { name, byte } => {
            let _ = parents(name).and_then(|()| fs::write(path(name), [0, byte, b'\r', b'\n']));
        }
        Step::Link { name, to } => {
            let _ = parents(name).and_then(|()| symlink(bytes(NAMES[to]), path(name)));
        }
        Step::Remove { name } => {
            let _ = fs::remove_file(path(name)).or_else(|_| fs::remove_dir_all(path(name)));
        }
        Step::Rename { from, to } => {
            let _ = parents(to).and_then(|()| fs::rename(path(from), path(to)));
        }
        Step::FlipExecutable { name } => mode(&path(name), |mode| mode ^ 0o111),
        Step::Private { name } => mode(&path(name), |mode| mode & 0o700),
        Step::Folder { name } => drop(fs::create_dir_all(path(name))),
        Step::Commit => {
            try_git(folder, &["add", "-A"]);
            try_git(folder, &["commit", "-q", "-m", "more"]);
        }
        Step::Stage => drop(try_git(folder, &["add", "-A"])),
        Step::Stash => drop(try_git(folder, &["stash", "-q", "-u"])),
        Step::Switch => drop(try_git(folder, &["switch", "-q", "other"])),
    }
}

fn mode(path: &Path, change: impl Fn(u32) -> u32) {
    if let Ok(found) = fs::symlink_metadata(path)
        && found.is_file()
    {
        set_mode(path, change(found.permissions().mode() & 0o777));
    }
}

/// Kind and bytes of all files that git does not ignore.
type Files = BTreeMap<Vec<u8>, (String, Vec<u8>)>;

fn on_disk(user: &Path) -> Files {
    let listed = try_git(user, &["ls-files", "-z", "-c", "-o", "--exclude-standard"]).stdout;
    let mut found = Files::new();
    for path in listed.split(|&byte| byte == 0).filter(|path| !path.is_empty()) {
        let file = user.join(bytes(path));
        // Through a link to a folder lies nothing of the user's.
        let is_below_link =
            file.ancestors().skip(1).take_while(|above| *above != user).any(Path::is_symlink);
        let Ok(metadata) = fs::symlink_metadata(&file) else { continue };
        if is_below_link || metadata.is_dir() {
            continue;
        }
        let entry = if metadata.is_symlink() {
            ("120000".to_owned(), fs::read_link(&file).unwrap().as_os_str().as_bytes().to_owned())
        } else {
            let is_program = metadata.permissions().mode() & 0o100 != 0;
            (if is_program { "100755" } else { "100644" }.to_owned(), fs::read(&file).unwrap())
        };
        found.insert(path.to_owned(), entry);
    }
    found
}

fn in_commit(user: &Path, commit: &str) -> Files {
    let listed = try_git(user, &["ls-tree", "-r", "-z", commit]).stdout;
    let records = listed.split(|&byte| byte == 0).filter(|record| !record.is_empty());
    records
        .map(|record| {
            let tab = record.iter().position(|&byte| byte == b'\t').unwrap();
            let about = String::from_utf8(record[..tab].to_owned()).unwrap();
            let mut about = about.split(' ');
            let (mode, id) = (about.next().unwrap(), about.nth(1).unwrap());
            let content = try_git(user, &["cat-file", "blob", id]).stdout;
            (record[tab + 1..].to_owned(), (mode.to_owned(), content))
        })
        .collect()
}

/// What of `had` is neither on the disk, nor in the index, nor kept by us or by the user's own history.
fn lost(user: &Path, had: &Files) -> Vec<String> {
    let on_disk: BTreeSet<Vec<u8>> =
        on_disk(user).into_values().map(|(_, content)| content).collect();
    let reachable = git(user, &["rev-list", "--objects", "--all", "--indexed-objects"]);
    let reachable: BTreeSet<&str> =
        reachable.lines().map(|line| line.split(' ').next().unwrap()).collect();
    let is_kept = |content: &Vec<u8>| {
        let file = user.join(".git/hashed");
        fs::write(&file, content).unwrap();
        let id = git(user, &["hash-object", "--no-filters", file.to_str().unwrap()]);
        fs::remove_file(file).unwrap();
        reachable.contains(id.as_str())
    };
    let lost =
        had.iter().filter(|(_, (_, content))| !on_disk.contains(content) && !is_kept(content));
    lost.map(|(path, _)| path.escape_ascii().to_string()).collect()
}

fn start() -> Sandbox {
    let sandbox = Sandbox::with(&[(".gitignore", "*.log\nout/\n")]);
    let user = sandbox.user();
    for (name, line) in [(0, 0), (1, 1), (4, 2), (5, 3)] {
        carry_out(&Step::Edit { name, line, text: 0 }, &user);
    }
    carry_out(&Step::Commit, &user);
    sandbox.git(&["branch", "other"]);
    sandbox
}

/// Carries out what is prepared, and sees that the files are what the commit says.
fn write(sandbox: &Sandbox, number: u32, transition: &Transition) {
    let user = sandbox.user();
    let had = on_disk(&user);
    assert_applied(&sandbox.carry_out(number, &transition.files));
    assert_eq!(lost(&user, &had), [""; 0]);
    // What git ignores or a new ignore file hides is on the disk all the same.
    let (disk, commit) = (on_disk(&user), in_commit(&user, &transition.after));
    for (path, wanted) in &commit {
        let shown = path.escape_ascii().to_string();
        match disk.get(path) {
            Some(found) => assert_eq!(found, wanted, "{shown}"),
            None => {
                assert!(fs::symlink_metadata(user.join(bytes(path))).is_ok(), "{shown} is missing")
            }
        }
    }
    for path in disk.keys() {
        assert!(commit.contains_key(path), "{} is too much", path.escape_ascii());
    }
}

fn config() -> Config {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    Config { cases: cases.unwrap_or(10), max_shrink_iters: 100, ..Config::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn apply_and_undo_lose_nothing(
        before in prop::collection::vec(of_users(), 0..6),
        work in prop::collection::vec(of_files(), 1..8),
        meanwhile in prop::collection::vec(of_users(), 0..5),
        since in prop::collection::vec(of_users(), 0..4),
    ) {
        let sandbox = start();
        let user = sandbox.user();
        before.iter().for_each(|step| carry_out(step, &user));
        let work = sandbox.work(|agent| work.iter().for_each(|step| carry_out(step, agent)));
        meanwhile.iter().for_each(|step| carry_out(step, &user));

        // Sees that nothing of the user's changes while it is prepared.
        let Prepared::Ready(done) = sandbox.prepare(1, &work, &Wish::default()) else { return Ok(()) };
        let untouched = sandbox.all();
        write(&sandbox, 1, &done);
        let Prepared::Ready(undo) = sandbox.prepare_undo(2, 1, &done) else {
            return Err(TestCaseError::fail("nobody has changed anything since"));
        };
        write(&sandbox, 2, &undo);
        assert_same(&untouched, &sandbox.all());

        let Prepared::Ready(redo) = sandbox.prepare_undo(3, 2, &undo) else {
            return Err(TestCaseError::fail("nobody has changed anything since"));
        };
        write(&sandbox, 3, &redo);
        since.iter().for_each(|step| carry_out(step, &user));
        if let Prepared::Ready(back) = sandbox.prepare_undo(4, 3, &redo) {
            write(&sandbox, 4, &back);
        }
    }
}
