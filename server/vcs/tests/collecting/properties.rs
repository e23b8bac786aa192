//! Whatever an agent has done: the result is what lies in its tree without what is ignored, and nothing
//! of the user's has changed.

use crate::support::{REFERENCE, Sandbox, commit, git, try_git, write};
use proptest::{prelude::*, test_runner::Config};
use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    os::unix::{
        ffi::OsStrExt as _,
        fs::{MetadataExt as _, PermissionsExt as _, symlink},
    },
    path::{Path, PathBuf},
};

/// Few names, so that steps meet one another; some are ignored, some are no text.
const NAMES: [&[u8]; 12] = [
    b"a",
    b"b",
    b"a/b",
    b"a/b/c",
    b"d/a",
    b"B",
    b"x.log",
    b"d/x.log",
    b"out/a",
    b"line\nbreak",
    b"\xff",
    b"-q \"*",
];

#[derive(Debug, Clone)]
enum Step {
    Write { name: usize, content: u8 },
    Link { name: usize, to: usize },
    Remove { name: usize },
    Rename { from: usize, to: usize },
    FlipExecutable { name: usize },
    Commit,
    CommitTracked,
    Amend,
    OtherBranch,
    Stash,
    Restore,
}

fn step() -> impl Strategy<Value = Step> {
    let name = || 0..NAMES.len();
    prop_oneof![
        6 => (name(), 0..4_u8).prop_map(|(name, content)| Step::Write { name, content }),
        2 => (name(), name()).prop_map(|(name, to)| Step::Link { name, to }),
        3 => name().prop_map(|name| Step::Remove { name }),
        2 => (name(), name()).prop_map(|(from, to)| Step::Rename { from, to }),
        2 => name().prop_map(|name| Step::FlipExecutable { name }),
        2 => Just(Step::Commit),
        1 => Just(Step::CommitTracked),
        1 => Just(Step::Amend),
        1 => Just(Step::OtherBranch),
        1 => Just(Step::Stash),
        1 => Just(Step::Restore),
    ]
}

/// Does what anybody may in a working tree; what git or the system refuses is not done.
fn carry_out(step: &Step, place: &Path) {
    let path = |name: usize| place.join(OsStr::from_bytes(NAMES[name]));
    match *step {
        Step::Write { name, content } => {
            let _ = fs::create_dir_all(path(name).parent().unwrap());
            // Two of them have the same length.
            let text = [&b"one\n"[..], b"two\n", b"three\r\n\0", b""][usize::from(content)];
            let _ = fs::write(path(name), text);
        }
        Step::Link { name, to } => {
            let _ = fs::create_dir_all(path(name).parent().unwrap());
            let _ = symlink(OsStr::from_bytes(NAMES[to]), path(name));
        }
        Step::Remove { name } => {
            let _ = fs::remove_file(path(name)).or_else(|_| fs::remove_dir_all(path(name)));
        }
        Step::Rename { from, to } => {
            let _ = fs::create_dir_all(path(to).parent().unwrap());
            let _ = fs::rename(path(from), path(to));
        }
        Step::FlipExecutable { name } => {
            if let Ok(found) = fs::symlink_metadata(path(name))
                && found.is_file()
            {
                let mode = found.permissions().mode() ^ 0o111;
                fs::set_permissions(path(name), fs::Permissions::from_mode(mode)).unwrap();
            }
        }
        Step::Commit => commit(place, "more"),
        Step::CommitTracked => drop(try_git(place, &["commit", "-q", "-a", "-m", "some"])),
        Step::Amend => {
            drop(try_git(place, &["commit", "-q", "--amend", "--allow-empty", "-m", "x"]))
        }
        Step::OtherBranch => drop(try_git(place, &["checkout", "-q", "-b", "other"])),
        Step::Stash => drop(try_git(place, &["stash", "-q"])),
        Step::Restore => drop(try_git(place, &["checkout", "-q", "--", "."])),
    }
}

/// What is in a tree and not ignored, as `ls-tree` and `cat-file` would show it.
fn expected(folder: &Path, below: &[u8], found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        let path = [below, name.as_bytes()].concat();
        let (kind, file) = (entry.file_type().unwrap(), entry.path());
        if name == ".git" || path.ends_with(b".log") || kind.is_dir() && name == "out" {
            continue;
        } else if kind.is_dir() {
            expected(&file, &[&path[..], b"/"].concat(), found);
            continue;
        }
        let content = if kind.is_symlink() {
            let target = fs::read_link(&file).unwrap();
            format!("120000 {}", target.display())
        } else {
            let is_program = fs::metadata(&file).unwrap().mode() & 0o100 != 0;
            let mode = if is_program { "100755" } else { "100644" };
            format!("{mode} {}", String::from_utf8_lossy(&fs::read(&file).unwrap()))
        };
        found.push((String::from_utf8_lossy(&path).into_owned(), content));
    }
}

/// Every file of the user's, with content and time; without objects and our references.
fn users_files(folder: &Path, found: &mut BTreeMap<PathBuf, (Vec<u8>, i64, i64)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with(".git/objects") || path.ends_with(".git/refs/orchestra") {
            continue;
        }
        let metadata = fs::symlink_metadata(&path).unwrap();
        let content = if metadata.is_dir() {
            users_files(&path, found);
            Vec::new()
        } else if metadata.is_symlink() {
            fs::read_link(&path).unwrap().as_os_str().as_bytes().to_owned()
        } else {
            fs::read(&path).unwrap()
        };
        // The time of `.git/refs` changes with the first of our references.
        if !path.ends_with(".git/refs") {
            found.insert(path, (content, metadata.mtime(), metadata.mtime_nsec()));
        }
    }
}

/// Few in the normal run; `PROPTEST_CASES` asks for more.
fn config() -> Config {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    Config { cases: cases.unwrap_or(12), max_shrink_iters: 200, ..Config::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_result_is_what_the_agent_left(
        before in prop::collection::vec(step(), 0..8),
        users in prop::collection::vec(step(), 0..6),
        agents in prop::collection::vec(step(), 1..20),
        with_index in any::<bool>(),
    ) {
        let mut sandbox = Sandbox::with(|user| {
            write(user, ".gitignore", "*.log\nout/\n");
            write(user, "a", "one\n");
            before.iter().for_each(|step| carry_out(step, user));
        });
        let (user, src) = (sandbox.user(), sandbox.src());
        if with_index {
            sandbox.keep_index();
        }
        write(&user, "stashed", "by the user\n");
        git(&user, &["add", "stashed"]);
        git(&user, &["stash", "-q"]);
        // No commits of the user's: the agent has the last one.
        let is_edit = |step: &&Step| !matches!(step, Step::Commit | Step::CommitTracked | Step::Amend);
        users.iter().filter(is_edit).for_each(|step| carry_out(step, &user));
        agents.iter().for_each(|step| carry_out(step, &src));
        let (mut before, mut after) = (BTreeMap::new(), BTreeMap::new());
        let mut files = Vec::new();
        users_files(&user, &mut before);
        expected(&src, b"", &mut files);
        files.sort();

        let collected = sandbox.collect().unwrap();

        users_files(&user, &mut after);
        prop_assert_eq!(before, after);
        let result = match &collected.commit {
            Some(commit) => {
                prop_assert_eq!(commit, &git(&user, &["rev-parse", REFERENCE]));
                crate::support::files_of(&user, commit)
            }
            None => crate::support::files_of(&user, &sandbox.base),
        };
        let mut result = result;
        result.sort();
        prop_assert_eq!(result, files);
        let problems = try_git(&user, &["fsck", "--strict", "--no-dangling"]);
        prop_assert!(problems.status.success());
        // The same, told again.
        if collected.commit.is_some() {
            prop_assert_eq!(sandbox.collect().unwrap(), collected);
        }
    }
}
