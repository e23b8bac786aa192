//! Whatever a user has done: a snapshot, checked out elsewhere, is what lies in his folder without what he
//! ignores, and nothing of his has changed.

use crate::support::{Sandbox, bytes, command, commit, git, try_git, write};
use orchestra_vcs::snapshot::Buffer;
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

/// Few names, so that steps meet one another; some are ignored, some are no text.
const NAMES: [&[u8]; 14] = [
    b"a",
    b"b",
    b"a/b",
    b"a/b/c",
    b"d/a",
    b"d/.gitignore",
    b"B",
    b"x.log",
    b"d/x.log",
    b"out/a",
    b"out/d/b",
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
    Stage { name: usize },
    StageAll,
    ForgetStaged { name: usize },
    IntendToAdd { name: usize },
    AssumeUnchanged { name: usize },
    Commit,
    Stash,
    Restore,
    Buffer { name: usize, content: u8 },
}

fn step() -> impl Strategy<Value = Step> {
    let name = || 0..NAMES.len();
    prop_oneof![
        6 => (name(), 0..4_u8).prop_map(|(name, content)| Step::Write { name, content }),
        2 => (name(), name()).prop_map(|(name, to)| Step::Link { name, to }),
        3 => name().prop_map(|name| Step::Remove { name }),
        2 => (name(), name()).prop_map(|(from, to)| Step::Rename { from, to }),
        2 => name().prop_map(|name| Step::FlipExecutable { name }),
        2 => name().prop_map(|name| Step::Stage { name }),
        1 => Just(Step::StageAll),
        1 => name().prop_map(|name| Step::ForgetStaged { name }),
        1 => name().prop_map(|name| Step::IntendToAdd { name }),
        1 => name().prop_map(|name| Step::AssumeUnchanged { name }),
        2 => Just(Step::Commit),
        1 => Just(Step::Stash),
        1 => Just(Step::Restore),
        1 => (name(), 0..4_u8).prop_map(|(name, content)| Step::Buffer { name, content }),
    ]
}

/// Does what a user may; what git or the system refuses is not done.
fn carry_out(step: &Step, user: &Path, buffers: &mut BTreeMap<Vec<u8>, Vec<u8>>) {
    let path = |name: usize| user.join(bytes(NAMES[name]));
    let on = |arguments: &[&str], name: usize| {
        let mut command = command(user);
        command.args(arguments).arg(bytes(NAMES[name]));
        command.env("GIT_LITERAL_PATHSPECS", "1").output().unwrap();
    };
    match *step {
        Step::Write { name, content } => {
            let _ = fs::create_dir_all(path(name).parent().unwrap());
            let _ = fs::write(path(name), text(content));
        }
        Step::Link { name, to } => {
            let _ = fs::create_dir_all(path(name).parent().unwrap());
            let _ = symlink(bytes(NAMES[to]), path(name));
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
        Step::Stage { name } => on(&["add", "-f", "--"], name),
        Step::StageAll => drop(try_git(user, &["add", "-A"])),
        Step::ForgetStaged { name } => on(&["rm", "-r", "-q", "-f", "--cached", "--"], name),
        Step::IntendToAdd { name } => on(&["add", "-f", "-N", "--"], name),
        Step::AssumeUnchanged { name } => on(&["update-index", "--assume-unchanged", "--"], name),
        Step::Commit => drop(try_git(user, &["commit", "-q", "--allow-empty", "-m", "more"])),
        Step::Stash => drop(try_git(user, &["stash", "-q"])),
        Step::Restore => drop(try_git(user, &["checkout", "-q", "--", "."])),
        Step::Buffer { name, content } => {
            // Editors have text of files, not of folders or links.
            if fs::symlink_metadata(path(name)).is_ok_and(|found| found.is_file()) {
                buffers.insert(NAMES[name].to_owned(), text(content));
            }
        }
    }
}

fn text(content: u8) -> Vec<u8> {
    // Two of them have the same length.
    [&b"one\n"[..], b"two\n", b"three\r\n\0", b""][usize::from(content)].to_owned()
}

type Files = BTreeMap<Vec<u8>, (&'static str, Vec<u8>)>;

/// All files below `folder`, with what they are and hold.
fn files(folder: &Path, below: &[u8], found: &mut Files) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        let path = [below, name.as_bytes()].concat();
        let (kind, file) = (entry.file_type().unwrap(), entry.path());
        if name == ".git" {
            continue;
        } else if kind.is_dir() {
            files(&file, &[&path[..], b"/"].concat(), found);
        } else if kind.is_symlink() {
            let target = fs::read_link(&file).unwrap();
            found.insert(path, ("link", target.as_os_str().as_bytes().to_owned()));
        } else {
            let mode = fs::metadata(&file).unwrap().permissions().mode();
            let kind = if mode & 0o100 == 0 { "file" } else { "program" };
            found.insert(path, (kind, fs::read(&file).unwrap()));
        }
    }
}

/// What a user sees who ignores `*.log` and `out/`, by git's word for what is known and ignored.
fn visible(user: &Path) -> Files {
    let mut found = Files::new();
    files(user, b"", &mut found);
    let listed = |options: &[&str]| -> BTreeSet<Vec<u8>> {
        let output = try_git(user, &[&["ls-files", "-z"][..], options].concat()).stdout;
        output.split(|&byte| byte == 0).map(<[u8]>::to_owned).collect()
    };
    let known = listed(&["--cached"]);
    let ignored = listed(&["--others", "--ignored", "--exclude-standard"]);
    found.retain(|path, _| known.contains(path) || !ignored.contains(path));
    found
}

fn checked_out(sandbox: &Sandbox, commit: &str) -> Files {
    let (user, elsewhere) = (sandbox.user(), sandbox.path("elsewhere"));
    fs::create_dir(&elsewhere).unwrap();
    for arguments in [&["read-tree", commit][..], &["checkout-index", "-a"]] {
        let output = command(&user)
            .env("GIT_INDEX_FILE", sandbox.path("elsewhere-index"))
            .env("GIT_WORK_TREE", &elsewhere)
            .env("GIT_DIR", user.join(".git"))
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let mut found = Files::new();
    files(&elsewhere, b"", &mut found);
    found
}

/// A repository with a little history and stash.
fn start() -> Sandbox {
    let sandbox =
        Sandbox::with(&[(".gitignore", "*.log\nout/\n"), ("a", "one\n"), ("d/a", "one\n")]);
    let user = sandbox.user();
    write(&user, "a", "stashed\n");
    git(&user, &["stash", "-q"]);
    write(&user, "b", "two\n");
    commit(&user, "second");
    sandbox
}

/// Few in the normal run; `PROPTEST_CASES` asks for more.
fn config() -> Config {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    Config { cases: cases.unwrap_or(24), max_shrink_iters: 200, ..Config::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_snapshot_is_what_the_user_sees(steps in prop::collection::vec(step(), 1..25)) {
        let sandbox = start();
        let user = sandbox.user();
        let mut buffers = BTreeMap::new();
        for step in &steps {
            carry_out(step, &user, &mut buffers);
        }
        let mut expected = visible(&user);
        // What became of a file after its text was changed decides whether it still has an editor.
        buffers.retain(|path, content| match expected.get_mut(path) {
            Some((kind, shown)) if *kind != "link" => {
                shown.clone_from(content);
                true
            }
            _ => false,
        });
        let buffers: Vec<Buffer> = buffers
            .into_iter()
            .map(|(path, content)| Buffer { path: bytes(&path).to_owned(), content })
            .collect();
        let mut request = sandbox.request(&user);
        request.buffers = &buffers;
        // Sees that nothing of the user's has changed.
        let snapshot = sandbox.take_this(&request).unwrap();
        prop_assert_eq!(checked_out(&sandbox, &snapshot.commit), expected);
    }
}
