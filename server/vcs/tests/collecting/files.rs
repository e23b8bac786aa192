//! What lies in the tree: the result is exactly that, byte by byte.

use crate::support::{REFERENCE, Sandbox, flags, git, make_fifo, statuses, try_git, write};
use orchestra_core::change::{Change, ChangedFile, FileStatus, Flag, FlagKind, Held, HeldReason};
use orchestra_vcs::GitError;
use std::{
    ffi::OsStr,
    fs::{self, Permissions},
    os::unix::{
        ffi::OsStrExt as _,
        fs::{PermissionsExt as _, symlink},
        net::UnixListener,
    },
};

#[test]
fn a_changed_a_new_and_a_deleted_file_become_one_commit_of_the_agent() {
    let sandbox = Sandbox::new();
    write(&sandbox.src(), "README", "hello\nworld\n");
    write(&sandbox.src(), "docs/new.md", "one\ntwo\n");
    fs::remove_file(sandbox.src().join("src/lib.rs")).unwrap();

    let collected = sandbox.collected();

    let user = sandbox.user();
    let commit = git(&user, &["rev-parse", REFERENCE]);
    let file = |path: &str, status, added, removed| ChangedFile {
        path: path.to_owned(),
        status,
        added: Some(added),
        removed: Some(removed),
    };
    let expected = Change {
        base: sandbox.base.clone(),
        commit: Some(commit.clone()),
        tree: Some(git(&user, &["rev-parse", &format!("{commit}^{{tree}}")])),
        files: 3,
        added: 3,
        removed: 1,
        paths: vec![
            file("README", FileStatus::Modified, 1, 0),
            file("docs/new.md", FileStatus::Added, 2, 0),
            file("src/lib.rs", FileStatus::Deleted, 0, 1),
        ],
        held: vec![],
        flags: vec![],
        commits: 0,
        notes: vec![],
    };
    assert_eq!(collected.change, expected);
    assert_eq!(
        sandbox.result(),
        [
            ("README".to_owned(), "100644 hello\nworld\n".to_owned()),
            ("docs/new.md".to_owned(), "100644 one\ntwo\n".to_owned()),
        ]
    );
    let said = git(&user, &["log", "-1", "--format=%an|%ae|%cn|%ce|%P|%B", &commit]);
    let trailers = "Orchestra-Agent: coder\nOrchestra-Run: r12\nOrchestra-Task: r12.3\n\
        Orchestra-Attempt: r12.3-2\nOrchestra-Model: simulated";
    let who = "coder (orchestra)|coder@orchestra.localhost";
    let expected = format!("{who}|{who}|{}|r12.3: say hello\n\n{trailers}", sandbox.base);
    assert_eq!(said, expected);
}

#[test]
fn a_tree_in_which_nothing_changed_leaves_nothing() {
    let sandbox = Sandbox::new();
    let collected = sandbox.collected();
    assert_eq!(collected.commit, None);
    assert!(collected.change.is_empty());
    assert!(
        !try_git(&sandbox.user(), &["rev-parse", "--verify", "-q", REFERENCE]).status.success()
    );
}

#[test]
fn what_the_tree_or_the_user_ignores_is_not_collected() {
    let sandbox = Sandbox::with(|user| {
        write(user, ".gitignore", "target/\n");
        write(user, "kept/target", "committed\n");
    });
    write(&sandbox.user(), ".git/info/exclude", "*.swp\n");
    let ignored_by_all = sandbox.path("global-ignore");
    fs::write(&ignored_by_all, ".DS_Store\n").unwrap();
    let setting = ["config", "core.excludesFile", ignored_by_all.to_str().unwrap()];
    git(&sandbox.user(), &setting);
    write(&sandbox.src(), "target/out", "built\n");
    write(&sandbox.src(), "a.swp", "edited\n");
    write(&sandbox.src(), ".DS_Store", "seen\n");
    write(&sandbox.src(), "new", "collected\n");
    // What the agent's own repository ignores is the agent's opinion.
    write(&sandbox.src(), ".git/info/exclude", "new\n");

    assert_eq!(statuses(&sandbox.change()), [("new", FileStatus::Added)]);
}

#[test]
fn names_are_kept_byte_by_byte() {
    let sandbox = Sandbox::new();
    let odd = [b"line\nbreak".as_slice(), b"not \xff utf-8", b"-rf", b"\"quoted\"\\", b" "];
    for name in odd {
        fs::write(sandbox.src().join(OsStr::from_bytes(name)), name).unwrap();
    }
    let change = sandbox.change();
    assert_eq!(change.files, 5);
    let names = try_git(&sandbox.user(), &["ls-tree", "-z", "--name-only", REFERENCE]).stdout;
    for name in odd {
        let is_there = names.split(|&byte| byte == 0).any(|found| found == name);
        assert!(is_there, "{}", String::from_utf8_lossy(name));
    }
}

#[test]
fn links_modes_and_types_are_kept() {
    let sandbox = Sandbox::with(|user| {
        for name in ["becomes-link", "becomes-folder", "becomes-program", "folder/becomes-file"] {
            write(user, name, "content\n");
        }
        symlink("becomes-link", user.join("becomes-text")).unwrap();
    });
    let src = sandbox.src();
    fs::remove_file(src.join("becomes-link")).unwrap();
    symlink("elsewhere", src.join("becomes-link")).unwrap();
    fs::remove_file(src.join("becomes-folder")).unwrap();
    write(&src, "becomes-folder/file", "inside\n");
    fs::set_permissions(src.join("becomes-program"), Permissions::from_mode(0o755)).unwrap();
    fs::remove_dir_all(src.join("folder")).unwrap();
    write(&src, "folder", "file\n");
    fs::remove_file(src.join("becomes-text")).unwrap();
    write(&src, "becomes-text", "text\n");

    let change = sandbox.change();

    assert_eq!(
        statuses(&change),
        [
            ("becomes-folder", FileStatus::Deleted),
            ("becomes-folder/file", FileStatus::Added),
            ("becomes-link", FileStatus::TypeChanged),
            ("becomes-program", FileStatus::ModeChanged),
            ("becomes-text", FileStatus::TypeChanged),
            ("folder", FileStatus::Added),
            ("folder/becomes-file", FileStatus::Deleted),
        ]
    );
    assert_eq!(flags(&change), [("becomes-program", FlagKind::ExecutableBit)]);
    let expected = [
        ("becomes-folder/file", "100644 inside\n"),
        ("becomes-link", "120000 elsewhere"),
        ("becomes-program", "100755 content\n"),
        ("becomes-text", "100644 text\n"),
        ("folder", "100644 file\n"),
    ];
    assert_eq!(sandbox.result(), expected.map(|(path, text)| (path.to_owned(), text.to_owned())));
}

#[test]
fn a_folder_that_became_a_link_is_not_looked_through() {
    let mut sandbox = Sandbox::with(|user| write(user, "a/x", "content\n"));
    sandbox.keep_index();
    let src = sandbox.src();
    // The very same file, seen through the link: git takes it for unchanged.
    fs::rename(src.join("a"), src.join("b")).unwrap();
    symlink("b", src.join("a")).unwrap();
    // Nor does git see the link itself.
    write(&src, ".gitignore", "a\n");
    sandbox.change();
    let expected = [(".gitignore", "100644 a\n"), ("b/x", "100644 content\n")];
    assert_eq!(sandbox.result(), expected.map(|(path, text)| (path.to_owned(), text.to_owned())));
}

#[test]
fn special_files_are_named_and_not_opened() {
    let sandbox = Sandbox::with(|user| {
        write(user, ".gitignore", "*.sock\n");
        write(user, "becomes-fifo", "content\n");
    });
    let src = sandbox.src();
    make_fifo(&src.join("p"));
    fs::remove_file(src.join("becomes-fifo")).unwrap();
    make_fifo(&src.join("becomes-fifo"));
    let _listener = UnixListener::bind(src.join("s")).unwrap();
    let _ignored = UnixListener::bind(src.join("ignored.sock")).unwrap();

    let change = sandbox.change();

    assert_eq!(statuses(&change), [("becomes-fifo", FileStatus::Deleted)]);
    assert_eq!(
        change.notes,
        ["fifo becomes-fifo left out", "fifo p left out", "socket s left out"]
    );
}

#[test]
fn a_fifo_that_git_would_wait_for_is_an_error_at_once() {
    for name in [".gitignore", "src/.gitattributes", ".gitmodules"] {
        let sandbox = Sandbox::new();
        let fifo = sandbox.src().join(name);
        make_fifo(&fifo);
        let error = sandbox.collect().unwrap_err();
        assert!(matches!(&error, GitError::Special(path) if *path == fifo), "{error}");
    }
    let sandbox = Sandbox::new();
    let nested = sandbox.src().join("nested");
    fs::create_dir(&nested).unwrap();
    git(&nested, &["init", "-q"]);
    fs::remove_file(nested.join(".git/HEAD")).unwrap();
    make_fifo(&nested.join(".git/HEAD"));
    let error = sandbox.collect().unwrap_err();
    assert!(matches!(&error, GitError::Special(path) if path.ends_with(".git/HEAD")), "{error}");
}

#[test]
fn every_file_deleted_is_a_change_and_a_tree_that_is_gone_an_error() {
    let sandbox = Sandbox::new();
    for name in ["README", "src/lib.rs"] {
        fs::remove_file(sandbox.src().join(name)).unwrap();
    }
    let change = sandbox.change();
    assert_eq!(change.files, 2);
    assert_eq!(change.flags, [Flag { path: String::new(), kind: FlagKind::EverythingDeleted }]);

    let sandbox = Sandbox::new();
    fs::rename(sandbox.src(), sandbox.path("elsewhere")).unwrap();
    let error = sandbox.collect().unwrap_err();
    assert!(matches!(&error, GitError::NoTree(path) if *path == sandbox.src()), "{error}");
    symlink(sandbox.path("elsewhere"), sandbox.src()).unwrap();
    let error = sandbox.collect().unwrap_err();
    assert!(matches!(error, GitError::NoTree(_)), "{error}");
}

#[test]
fn names_that_git_refuses_are_left_out_and_named() {
    let sandbox = Sandbox::new();
    let src = sandbox.src();
    write(&src, "a/.GIT/hooks/post-checkout", "#!/bin/sh\n");
    write(&src, "git~1", "x\n");
    symlink("README", src.join(".gitmodules")).unwrap();
    write(&src, "new", "collected\n");
    let change = sandbox.change();
    assert_eq!(statuses(&change), [("new", FileStatus::Added)]);
    assert_eq!(
        change.notes,
        [".gitmodules", "a/.GIT/hooks/post-checkout", "git~1"]
            .map(|path| format!("{path} left out: git does not take files of that name"))
    );
}

#[test]
fn what_its_owner_may_not_read_is_left_as_it_was() {
    let sandbox = Sandbox::with(|user| {
        write(user, "closed/file", "content\n");
        write(user, "file", "content\n");
    });
    let src = sandbox.src();
    write(&src, "file", "changed\n");
    let set = |name: &str, mode| fs::set_permissions(src.join(name), Permissions::from_mode(mode));
    set("file", 0o000).unwrap();
    set("closed", 0o000).unwrap();
    write(&src, "new", "collected\n");
    let change = sandbox.change();
    set("closed", 0o700).unwrap();
    assert_eq!(statuses(&change), [("new", FileStatus::Added)]);
    assert_eq!(
        change.notes,
        [
            "folder closed cannot be read: it is left as it was given",
            "file cannot be read: it is left as it was given",
        ]
    );
}

#[test]
fn the_kept_index_saves_reading_and_is_not_deceived_by_forged_times() {
    let mut sandbox = Sandbox::new();
    sandbox.keep_index();
    let readme = sandbox.src().join("README");
    let before = fs::metadata(&readme).unwrap().modified().unwrap();
    write(&sandbox.src(), "README", "HELLO\n");
    let file = fs::File::options().write(true).open(&readme).unwrap();
    file.set_modified(before).unwrap();

    assert_eq!(statuses(&sandbox.change()), [("README", FileStatus::Modified)]);
}

#[test]
fn outside_of_a_sparse_checkout_nothing_was_deleted() {
    let mut sandbox = Sandbox::with(|user| {
        write(user, "in/file", "content\n");
        write(user, "out/file", "content\n");
    });
    git(&sandbox.src(), &["sparse-checkout", "set", "--cone", "in"]);
    assert!(!sandbox.src().join("out").exists());
    sandbox.keep_index();
    write(&sandbox.src(), "in/file", "changed\n");
    assert_eq!(statuses(&sandbox.change()), [("in/file", FileStatus::Modified)]);
}

#[test]
fn lines_end_as_the_user_has_them_committed() {
    let sandbox = Sandbox::with(|user| {
        git(user, &["config", "core.autocrlf", "true"]);
        write(user, "file", "one\n");
    });
    write(&sandbox.src(), "file", "one\r\ntwo\r\n");
    write(&sandbox.src(), "mixed", "one\r\ntwo\n");
    sandbox.change();
    let expected = [("file", "100644 one\ntwo\n"), ("mixed", "100644 one\ntwo\n")];
    assert_eq!(sandbox.result(), expected.map(|(path, text)| (path.to_owned(), text.to_owned())));
}

#[test]
fn a_name_that_git_would_take_for_a_pattern_is_a_name() {
    for with_index in [false, true] {
        let mut sandbox = Sandbox::new();
        if with_index {
            sandbox.keep_index();
        }
        let src = sandbox.src();
        write(&src, ".gitignore", "*.log\n");
        for name in [":!README", ":(top)new/a", ":x.log", "new/:/b"] {
            write(&src, name, "content\n");
        }
        make_fifo(&src.join(":(glob)fifo"));

        let change = sandbox.change();

        let names = [".gitignore", ":!README", ":(top)new/a", "new/:/b"];
        assert_eq!(statuses(&change), names.map(|name| (name, FileStatus::Added)));
        assert_eq!(change.notes, ["fifo :(glob)fifo left out"]);
    }
}

#[test]
fn a_file_that_was_only_touched_is_no_change() {
    let mut sandbox = Sandbox::with(|user| {
        write(user, "large", "x".repeat(5_000));
        write(user, "small", "y");
    });
    sandbox.limits.file = 1_000;
    sandbox.keep_index();
    for name in ["large", "small"] {
        let file = fs::File::options().write(true).open(sandbox.src().join(name)).unwrap();
        file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    }
    assert_eq!(sandbox.change(), no_change(&sandbox));

    // Something else is held back; they are not, still.
    write(&sandbox.src(), "new", "z".repeat(5_000));
    let held = Held { path: "new".to_owned(), reason: HeldReason::TooLarge { bytes: 5_000 } };
    assert_eq!(sandbox.change(), Change { held: vec![held], ..no_change(&sandbox) });
}

fn no_change(sandbox: &Sandbox) -> Change {
    Change {
        base: sandbox.base.clone(),
        commit: None,
        tree: None,
        files: 0,
        added: 0,
        removed: 0,
        paths: Vec::new(),
        held: Vec::new(),
        flags: Vec::new(),
        commits: 0,
        notes: Vec::new(),
    }
}

#[test]
fn what_an_ignored_folder_holds_is_not_collected_however_much_it_is() {
    let mut sandbox = Sandbox::with(|user| write(user, ".gitignore", "out/\n"));
    sandbox.limits.count = 10;
    sandbox.keep_index();
    for number in 0..50 {
        write(&sandbox.src(), format!("out/{number}"), "built\n");
    }
    write(&sandbox.src(), "new/a", "content\n");
    assert_eq!(statuses(&sandbox.change()), [("new/a", FileStatus::Added)]);
}
