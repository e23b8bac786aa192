//! What is in a snapshot: what the user sees, and nothing that he ignores.

use crate::support::{Sandbox, bytes, commit, files, git, make_executable, shown, write};
use std::{
    fs::{self, File, FileTimes},
    os::unix::fs::symlink,
    time::{Duration, SystemTime},
};

#[test]
fn everything_that_is_not_committed_is_in_it() {
    let sandbox = Sandbox::with(&[
        (".gitignore", "*.log\nout/\n"),
        ("changed", "old\n"),
        ("deleted", "old\n"),
        ("kept", "same\n"),
        ("moved/old", "content of some length\n"),
        ("script", "#!/bin/sh\n"),
        ("staged", "old\n"),
        ("staged-then-changed", "old\n"),
        ("unlinked", "old\n"),
    ]);
    let user = sandbox.user();
    write(&user, "changed", "new\n");
    fs::remove_file(user.join("deleted")).unwrap();
    git(&user, &["mv", "moved/old", "moved/new"]);
    make_executable(&user.join("script"));
    write(&user, "staged", "new\n");
    write(&user, "staged-then-changed", "between\n");
    write(&user, "added", "new\n");
    git(&user, &["add", "staged", "staged-then-changed", "added"]);
    write(&user, "staged-then-changed", "new\n");
    // Git knows it no more, but there it is.
    git(&user, &["rm", "-q", "--cached", "unlinked"]);
    write(&user, "fresh/deep/file", "new\n");
    write(&user, "fresh/empty", "");
    symlink("fresh/deep", user.join("link")).unwrap();
    symlink("/nowhere", user.join("dangling")).unwrap();
    write(&user, "noise.log", "ignored\n");
    write(&user, "out/a", "ignored\n");
    write(&user, "forced.log", "ignored, but known\n");
    git(&user, &["add", "-f", "forced.log"]);

    let head = git(&user, &["rev-parse", "HEAD"]);
    let snapshot = sandbox.take().unwrap();
    assert_eq!(
        sandbox.shown(&snapshot),
        files(&[
            (".gitignore", "*.log\nout/\n"),
            ("added", "new\n"),
            ("changed", "new\n"),
            ("dangling", "-> /nowhere"),
            ("forced.log", "ignored, but known\n"),
            ("fresh/deep/file", "new\n"),
            ("fresh/empty", ""),
            ("kept", "same\n"),
            ("link", "-> fresh/deep"),
            ("moved/new", "content of some length\n"),
            ("script", "x #!/bin/sh\n"),
            ("staged", "new\n"),
            ("staged-then-changed", "new\n"),
            ("unlinked", "old\n"),
        ])
    );
    assert_eq!(snapshot.head.as_deref(), Some(head.as_str()));
    assert_eq!((snapshot.left_out, snapshot.conflicted), (vec![], vec![]));
    assert_eq!(git(&user, &["rev-parse", &format!("{}^{{tree}}", snapshot.commit)]), snapshot.tree);
    assert_eq!(git(&user, &["fsck", "--strict", "--no-dangling"]), "");
}

#[test]
fn a_workspace_below_the_top_has_the_whole_repository_in_it() {
    let sandbox = Sandbox::with(&[("README", "old\n"), ("part/file", "old\n")]);
    let user = sandbox.user();
    write(&user, "README", "new\n");
    write(&user, "other/new", "");
    write(&user, "part/new", "");
    let snapshot = sandbox.take_at(&user.join("part"), |_| {}).unwrap();
    assert_eq!(
        sandbox.shown(&snapshot),
        files(&[("README", "new\n"), ("other/new", ""), ("part/file", "old\n"), ("part/new", "")])
    );
}

#[test]
fn names_are_kept_byte_for_byte() {
    let sandbox = Sandbox::with(&[("first", "")]);
    let user = sandbox.user();
    let names: [&[u8]; 7] =
        [b"line\nbreak", b"t\tab", b"\xff\xfe", b"dir \xe9/\"quoted\"", b"-n", b" ", b"*"];
    for (number, name) in names.iter().enumerate() {
        write(&user, bytes(name), "old");
        if number % 2 == 0 {
            git(&user, &["add", "-A"]);
            write(&user, bytes(name), "new");
        }
    }
    let snapshot = sandbox.take().unwrap();
    let listed =
        crate::support::try_git(&user, &["ls-tree", "-r", "-z", "--name-only", &snapshot.commit]);
    let mut expected: Vec<&[u8]> = names.to_vec();
    expected.push(b"first");
    expected.sort_unstable();
    let mut found: Vec<&[u8]> = listed.stdout.split(|&byte| byte == 0).collect();
    found.retain(|name| !name.is_empty());
    assert_eq!(found, expected);
}

#[test]
fn what_became_something_else_is_that() {
    let sandbox = Sandbox::with(&[
        ("file-to-folder", "old\n"),
        ("file-to-link", "old\n"),
        ("folder-to-file/a", "old\n"),
        ("folder-to-file/b/c", "old\n"),
        ("folder-to-link/a", "old\n"),
        ("folder-to-empty/a", "old\n"),
        ("file-to-empty-folder", "old\n"),
    ]);
    let user = sandbox.user();
    symlink("target", user.join("link-to-file")).unwrap();
    commit(&user, "with a link");
    for file in ["file-to-folder", "file-to-link", "file-to-empty-folder", "link-to-file"] {
        fs::remove_file(user.join(file)).unwrap();
    }
    fs::create_dir(user.join("file-to-empty-folder")).unwrap();
    write(&user, "file-to-folder/inside", "new\n");
    symlink("file-to-folder", user.join("file-to-link")).unwrap();
    write(&user, "link-to-file", "new\n");
    for folder in ["folder-to-file", "folder-to-link", "folder-to-empty"] {
        fs::remove_dir_all(user.join(folder)).unwrap();
    }
    write(&user, "folder-to-file", "new\n");
    symlink("file-to-folder", user.join("folder-to-link")).unwrap();
    fs::create_dir(user.join("folder-to-empty")).unwrap();
    let snapshot = sandbox.take().unwrap();
    assert_eq!(
        sandbox.shown(&snapshot),
        files(&[
            ("file-to-folder/inside", "new\n"),
            ("file-to-link", "-> file-to-folder"),
            ("folder-to-file", "new\n"),
            ("folder-to-link", "-> file-to-folder"),
            ("link-to-file", "new\n"),
        ])
    );
}

#[test]
fn a_folder_that_was_moved_behind_a_link_is_a_link() {
    let sandbox = Sandbox::with(&[("folder/a", "same\n"), ("folder/b/c", "same\n")]);
    let user = sandbox.user();
    // What is seen through the link looks, down to its inode, like what git knows.
    fs::rename(user.join("folder"), user.join("elsewhere")).unwrap();
    symlink("elsewhere", user.join("folder")).unwrap();
    let snapshot = sandbox.take().unwrap();
    assert_eq!(
        sandbox.shown(&snapshot),
        files(&[
            ("elsewhere/a", "same\n"),
            ("elsewhere/b/c", "same\n"),
            ("folder", "-> elsewhere")
        ])
    );
}

#[test]
fn an_ignored_link_in_place_of_a_folder_hides_what_was_in_it() {
    let sandbox = Sandbox::with(&[("kept", ""), ("folder/a", "same\n")]);
    let user = sandbox.user();
    fs::rename(user.join("folder"), sandbox.path("elsewhere")).unwrap();
    symlink(sandbox.path("elsewhere"), user.join("folder")).unwrap();
    write(&user, ".git/info/exclude", "/folder\n");
    let snapshot = sandbox.take().unwrap();
    assert_eq!(sandbox.shown(&snapshot), files(&[("kept", "")]));
}

#[test]
fn a_file_renamed_in_its_case_alone_has_its_new_name() {
    let sandbox = Sandbox::with(&[("readme", "hello\n")]);
    let user = sandbox.user();
    fs::rename(user.join("readme"), user.join("README")).unwrap();
    let snapshot = sandbox.take().unwrap();
    assert_eq!(sandbox.shown(&snapshot), files(&[("README", "hello\n")]));
}

#[test]
fn lines_end_in_it_as_they_would_when_committed() {
    let sandbox = Sandbox::with(&[(".gitattributes", "*.bin -text\n"), ("a.txt", "one\n")]);
    let user = sandbox.user();
    git(&user, &["config", "core.autocrlf", "true"]);
    git(&user, &["config", "core.safecrlf", "true"]);
    write(&user, "a.txt", "one\r\ntwo\r\n");
    write(&user, "new.txt", "one\r\n");
    write(&user, "mixed.txt", "one\r\ntwo\n");
    write(&user, "a.bin", "one\r\n");
    let snapshot = sandbox.take().unwrap();
    assert_eq!(
        sandbox.shown(&snapshot),
        files(&[
            (".gitattributes", "*.bin -text\n"),
            ("a.bin", "one\r\n"),
            ("a.txt", "one\ntwo\n"),
            ("mixed.txt", "one\ntwo\n"),
            ("new.txt", "one\n"),
        ])
    );
}

/// Git trusts the times of a file only when it is older than the index; a copy of the index that looks
/// newer than it is would lose this change.
#[test]
fn a_change_in_the_same_tick_and_of_the_same_length_is_seen() {
    let sandbox = Sandbox::with(&[("file", "one\n")]);
    let user = sandbox.user();
    git(&user, &["config", "core.trustctime", "false"]);
    git(&user, &["config", "core.checkStat", "minimal"]);
    let tick = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let date = |path: &str| {
        let file = File::options().write(true).open(user.join(path)).unwrap();
        file.set_times(FileTimes::new().set_modified(tick)).unwrap();
    };
    date("file");
    git(&user, &["update-index", "--refresh"]);
    date(".git/index");
    write(&user, "file", "two\n");
    date("file");
    let snapshot = sandbox.take().unwrap();
    assert_eq!(sandbox.shown(&snapshot), files(&[("file", "two\n")]));
}

#[test]
fn changes_at_which_git_was_told_not_to_look_are_in_it() {
    let sandbox = Sandbox::with(&[
        ("assumed", "old\n"),
        ("assumed-and-deleted", "old\n"),
        ("script", "#!/bin/sh\n"),
        ("skipped", "old\n"),
        ("skipped-and-absent", "old\n"),
        ("both", "old\n"),
    ]);
    let user = sandbox.user();
    make_executable(&user.join("script"));
    commit(&user, "executable");
    let assumed = ["assumed", "assumed-and-deleted", "script", "both"];
    git(&user, &[&["update-index", "--assume-unchanged"][..], &assumed].concat());
    let skipped = ["skipped", "skipped-and-absent", "both"];
    git(&user, &[&["update-index", "--skip-worktree"][..], &skipped].concat());
    for file in ["assumed", "skipped", "both"] {
        write(&user, file, "new\n");
    }
    for file in ["assumed-and-deleted", "skipped-and-absent"] {
        fs::remove_file(user.join(file)).unwrap();
    }
    let snapshot = sandbox.take().unwrap();
    assert_eq!(
        sandbox.shown(&snapshot),
        files(&[
            ("assumed", "new\n"),
            ("both", "new\n"),
            ("script", "x #!/bin/sh\n"),
            ("skipped", "new\n"),
            // As in a sparse checkout.
            ("skipped-and-absent", "old\n"),
        ])
    );
}

#[test]
fn files_that_are_only_intended_to_be_added_are_in_it() {
    let sandbox = Sandbox::with(&[("first", "")]);
    let user = sandbox.user();
    write(&user, "intended", "new\n");
    write(&user, "intended-and-gone", "new\n");
    git(&user, &["add", "-N", "intended", "intended-and-gone"]);
    fs::remove_file(user.join("intended-and-gone")).unwrap();
    let snapshot = sandbox.take().unwrap();
    assert_eq!(sandbox.shown(&snapshot), files(&[("first", ""), ("intended", "new\n")]));
}

#[test]
fn where_git_keeps_no_modes_the_known_ones_stay() {
    let sandbox = Sandbox::with(&[("script", "#!/bin/sh\n")]);
    let user = sandbox.user();
    git(&user, &["update-index", "--chmod=+x", "script"]);
    git(&user, &["commit", "-q", "-m", "executable"]);
    git(&user, &["config", "core.fileMode", "false"]);
    write(&user, "script", "#!/bin/sh\necho\n");
    write(&user, "new", "");
    make_executable(&user.join("new"));
    let snapshot = sandbox.take().unwrap();
    assert_eq!(
        shown(&user, &snapshot.commit),
        files(&[("new", ""), ("script", "x #!/bin/sh\necho\n")])
    );
}

#[test]
fn a_name_that_git_takes_for_its_own_is_refused_rather_than_lost() {
    let sandbox = Sandbox::with(&[("first", "")]);
    let user = sandbox.user();
    write(&user, "part/git~1", "");
    let error = sandbox.take().unwrap_err();
    assert_eq!(
        error.to_string(),
        "git takes the name of part/git~1 for one of its own, and commits no such file"
    );
    write(&user, ".gitignore", "git~1\n");
    let snapshot = sandbox.take().unwrap();
    assert_eq!(sandbox.shown(&snapshot), files(&[(".gitignore", "git~1\n"), ("first", "")]));
}
