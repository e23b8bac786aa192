//! What an agent may do to files, and what a user may have done to them meanwhile.

use crate::support::{
    Sandbox, Wish, bytes, commit, conflicts, mode, ready, refusal, set_mode, write,
};
use orchestra_vcs::apply::Prepared;
use std::{fs, os::unix::fs::symlink};

const TEXT: &str = "one\ntwo\nthree\nfour\nfive\nsix\nseven\n";

#[test]
fn a_change_comes_to_the_files_and_goes_again() {
    let sandbox = Sandbox::with(&[("a", "old\n"), ("d/b", "b\n"), ("gone/deep/c", "c\n")]);
    let work = sandbox.work(|agent| {
        write(agent, "a", "new\n");
        write(agent, "new/deep/x", "x\n");
        fs::remove_dir_all(agent.join("gone")).unwrap();
    });
    sandbox.there_and_back(&work, |sandbox| {
        assert_eq!(sandbox.read("a"), "new\n");
        assert_eq!(sandbox.read("new/deep/x"), "x\n");
        assert!(!sandbox.user().join("gone").exists());
        assert_eq!(sandbox.read("d/b"), "b\n");
    });
}

#[test]
fn what_is_kept_is_a_history_of_before_and_after() {
    let sandbox = Sandbox::with(&[("a", "old\n")]);
    sandbox.write("mine", "not committed\n");
    let work = sandbox.work(|agent| write(agent, "a", "new\n"));
    let head = sandbox.git(&["rev-parse", "HEAD"]);
    let done = sandbox.apply(1, &work);

    let parents = |commit: &str| sandbox.git(&["show", "-s", "--format=%P", commit]);
    assert_eq!(parents(&done.before), head);
    assert_eq!(parents(&done.after), format!("{} {}", done.before, work.theirs));
    let held = |name: &str| {
        sandbox.git(&["rev-parse", &format!("refs/orchestra/abcdefgh/backup/o1/{name}")])
    };
    assert_eq!((held("before"), held("after")), (done.before.clone(), done.after.clone()));
    let files = |a: &str| {
        [("a", a), ("mine", "not committed\n")]
            .map(|(path, text)| (path.into(), text.into()))
            .into()
    };
    assert_eq!(sandbox.shown(&done.before), files("old\n"));
    assert_eq!(sandbox.shown(&done.after), files("new\n"));
}

#[test]
fn preparing_again_gives_the_same_while_nothing_has_changed() {
    let sandbox = Sandbox::with(&[("a", "old\n"), ("b", "b\n")]);
    let work = sandbox.work(|agent| write(agent, "a", "new\n"));
    let first = ready(sandbox.prepare(1, &work, &Wish::default()));
    assert_eq!(ready(sandbox.prepare(1, &work, &Wish::default())), first);

    sandbox.write("b", "changed\n");
    let second = ready(sandbox.prepare(1, &work, &Wish::default()));
    assert_ne!(second.before, first.before);
    assert_eq!(sandbox.shown(&second.before)["b"], "changed\n");
}

#[test]
fn what_the_user_has_already_is_nothing_to_do() {
    let sandbox = Sandbox::with(&[("a", "old\n")]);
    let work = sandbox.work(|agent| write(agent, "a", "new\n"));
    sandbox.write("a", "new\n");
    assert_eq!(sandbox.prepare(1, &work, &Wish::default()), Prepared::Nothing);
    assert_eq!(sandbox.git(&["for-each-ref", "refs/orchestra/abcdefgh/backup"]), "");
}

#[test]
fn the_user_has_edited_the_same_file_elsewhere() {
    let sandbox = Sandbox::with(&[("a", TEXT)]);
    let work = sandbox.work(|agent| write(agent, "a", TEXT.replace("one", "ONE")));
    sandbox.write("a", TEXT.replace("seven", "SEVEN"));
    sandbox.there_and_back(&work, |sandbox| {
        assert_eq!(sandbox.read("a"), TEXT.replace("one", "ONE").replace("seven", "SEVEN"));
    });
}

#[test]
fn the_user_has_edited_the_same_lines() {
    let sandbox = Sandbox::with(&[("a", TEXT), ("b", "b\n")]);
    let work = sandbox.work(|agent| {
        write(agent, "a", TEXT.replace("one", "ONE"));
        write(agent, "b", "changed\n");
    });
    sandbox.write("a", TEXT.replace("one", "eins"));
    // Nothing is written, not even what would fit.
    assert_eq!(conflicts(sandbox.prepare(1, &work, &Wish::default())), ["a"]);
}

#[test]
fn the_user_has_renamed_the_file() {
    let sandbox = Sandbox::with(&[("a", TEXT)]);
    let work = sandbox.work(|agent| write(agent, "a", TEXT.replace("one", "ONE")));
    fs::create_dir(sandbox.user().join("d")).unwrap();
    fs::rename(sandbox.user().join("a"), sandbox.user().join("d/b")).unwrap();
    sandbox.there_and_back(&work, |sandbox| {
        assert_eq!(sandbox.read("d/b"), TEXT.replace("one", "ONE"));
        assert!(!sandbox.user().join("a").exists());
    });
}

#[test]
fn the_user_has_deleted_the_file() {
    let sandbox = Sandbox::with(&[("a", TEXT), ("b", "b\n")]);
    let work = sandbox.work(|agent| write(agent, "a", TEXT.replace("one", "ONE")));
    fs::remove_file(sandbox.user().join("a")).unwrap();
    assert_eq!(conflicts(sandbox.prepare(1, &work, &Wish::default())), ["a"]);
}

#[test]
fn the_user_has_switched_the_branch_committed_and_rebased() {
    let sandbox = Sandbox::with(&[("a", TEXT)]);
    let work = sandbox.work(|agent| write(agent, "a", TEXT.replace("one", "ONE")));
    sandbox.git(&["switch", "-q", "-c", "other"]);
    sandbox.write("a", TEXT.replace("seven", "SEVEN"));
    commit(&sandbox.user(), "on other");
    sandbox.git(&["switch", "-q", "main"]);
    sandbox.write("b", "b\n");
    commit(&sandbox.user(), "on main");
    sandbox.git(&["switch", "-q", "other"]);
    sandbox.git(&["rebase", "-q", "main"]);
    sandbox.there_and_back(&work, |sandbox| {
        assert_eq!(sandbox.read("a"), TEXT.replace("one", "ONE").replace("seven", "SEVEN"));
        assert_eq!(sandbox.git(&["symbolic-ref", "HEAD"]), "refs/heads/other");
    });
}

#[test]
fn in_the_middle_of_a_merge_only_what_is_not_merged_is_left_alone() {
    let sandbox = Sandbox::with(&[("a", "one\n"), ("b", "one\n")]);
    let both = sandbox.work(|agent| {
        write(agent, "a", "agent\n");
        write(agent, "b", "agent\n");
    });
    let only_b = sandbox.work(|agent| write(agent, "b", "agent\n"));
    sandbox.git(&["switch", "-q", "-c", "other"]);
    sandbox.write("a", "other\n");
    commit(&sandbox.user(), "other");
    sandbox.git(&["switch", "-q", "main"]);
    sandbox.write("a", "main\n");
    commit(&sandbox.user(), "main");
    let merge = crate::support::try_git(&sandbox.user(), &["merge", "-q", "other"]);
    assert!(!merge.status.success());

    assert_eq!(conflicts(sandbox.prepare(1, &both, &Wish::default())), ["a"]);
    sandbox.there_and_back(&only_b, |sandbox| assert_eq!(sandbox.read("b"), "agent\n"));
    assert_eq!(sandbox.git(&["diff", "--name-only", "--diff-filter=U"]), "a");
}

#[test]
fn a_file_becomes_a_folder_and_a_folder_a_file() {
    let sandbox = Sandbox::with(&[("file", "file\n"), ("folder/x/y", "y\n"), ("folder/z", "z\n")]);
    let work = sandbox.work(|agent| {
        fs::remove_file(agent.join("file")).unwrap();
        write(agent, "file/inner/a", "a\n");
        fs::remove_dir_all(agent.join("folder")).unwrap();
        write(agent, "folder", "now a file\n");
    });
    set_mode(&sandbox.user().join("folder/x"), 0o700);
    // Git knows nothing of it, but it is the user's.
    fs::create_dir_all(sandbox.user().join("folder/empty/deep")).unwrap();
    sandbox.there_and_back(&work, |sandbox| {
        assert_eq!(sandbox.read("file/inner/a"), "a\n");
        assert_eq!(sandbox.read("folder"), "now a file\n");
    });
}

#[test]
fn an_empty_folder_of_the_users_stays_when_what_came_into_it_goes() {
    let sandbox = Sandbox::with(&[("a", "a\n")]);
    let work = sandbox.work(|agent| write(agent, "d/e/x", "x\n"));
    fs::create_dir(sandbox.user().join("d")).unwrap();
    set_mode(&sandbox.user().join("d"), 0o750);
    sandbox.there_and_back(&work, |sandbox| assert_eq!(sandbox.read("d/e/x"), "x\n"));
    assert!(sandbox.user().join("d").is_dir());
}

#[test]
fn modes_links_and_odd_names_come_and_go() {
    let sandbox = Sandbox::with(&[("script", "run\n"), ("private", "p\n"), ("file", "f\n")]);
    let user = sandbox.user();
    symlink("file", user.join("link")).unwrap();
    symlink("nowhere", user.join("dangling")).unwrap();
    commit(&user, "links");
    set_mode(&user.join("script"), 0o640);
    set_mode(&user.join("private"), 0o600);
    let work = sandbox.work(|agent| {
        set_mode(&agent.join("script"), 0o755);
        write(agent, "private", "q\n");
        fs::remove_file(agent.join("link")).unwrap();
        symlink("other", agent.join("link")).unwrap();
        fs::remove_file(agent.join("dangling")).unwrap();
        write(agent, "dangling", "a file\n");
        fs::remove_file(agent.join("file")).unwrap();
        symlink("/etc/passwd", agent.join("file")).unwrap();
        for name in [&b"line\nbreak"[..], b"\xff\xfe", b" \"quoted\\ ", b"-option", b"tab\t:x"] {
            fs::write(agent.join(bytes(name)), name).unwrap();
        }
    });
    sandbox.there_and_back(&work, |sandbox| {
        let user = sandbox.user();
        assert_eq!(mode(&user.join("script")), 0o750);
        assert_eq!((mode(&user.join("private")), sandbox.read("private")), (0o600, "q\n".into()));
        assert_eq!(fs::read_link(user.join("link")).unwrap().to_str(), Some("other"));
        assert_eq!(sandbox.read("dangling"), "a file\n");
        assert_eq!(fs::read_link(user.join("file")).unwrap().to_str(), Some("/etc/passwd"));
        assert_eq!(fs::read(user.join(bytes(b"line\nbreak"))).unwrap(), b"line\nbreak");
        assert_eq!(fs::read(user.join(bytes(b"\xff\xfe"))).unwrap(), b"\xff\xfe");
    });
}

#[test]
fn binary_files_and_files_without_a_final_newline() {
    let sandbox = Sandbox::with(&[("text", "a\nb"), ("empty", "")]);
    let binary: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    write(&sandbox.user(), "binary", &binary);
    commit(&sandbox.user(), "binary");
    let work = sandbox.work(|agent| {
        write(agent, "binary", binary.iter().rev().copied().collect::<Vec<u8>>());
        write(agent, "text", "a\nb\nc");
        write(agent, "empty", "full");
        write(agent, "also-empty", "");
    });
    sandbox.there_and_back(&work, |sandbox| {
        assert_eq!(sandbox.read("text"), "a\nb\nc");
        assert_eq!(sandbox.read("also-empty"), "");
    });

    let other = sandbox.work(|agent| write(agent, "binary", b"\0other"));
    write(&sandbox.user(), "binary", b"\0mine");
    assert_eq!(conflicts(sandbox.prepare(9, &other, &Wish::default())), ["binary"]);
}

#[test]
fn a_name_changes_by_the_case_of_letters_alone() {
    let sandbox = Sandbox::with(&[("Readme", TEXT), ("src/Mod.rs", "x\n")]);
    let work = sandbox.work(|agent| {
        fs::rename(agent.join("Readme"), agent.join("README")).unwrap();
        fs::rename(agent.join("src"), agent.join("Src")).unwrap();
    });
    sandbox.there_and_back(&work, |sandbox| {
        assert_eq!(sandbox.read("README"), TEXT);
        assert!(!sandbox.user().join("Readme").exists());
        assert_eq!(sandbox.read("Src/Mod.rs"), "x\n");
        assert!(!sandbox.user().join("src").exists());
    });
}

#[test]
fn pointers_of_submodules_are_refused_by_name() {
    let sandbox = Sandbox::with(&[("a", "a\n")]);
    let head = sandbox.git(&["rev-parse", "HEAD"]);
    let base = sandbox.snapshot();
    let work = sandbox.work_on(&base, |agent| write(agent, "a", "b\n"));
    let index = sandbox.path("index");
    let with = |arguments: &[&str]| {
        let mut command = crate::support::command(&sandbox.user());
        let output = command.env("GIT_INDEX_FILE", &index).args(arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    with(&["read-tree", &work.theirs]);
    with(&["update-index", "--add", "--cacheinfo", &format!("160000,{head},vendor/sub")]);
    let tree = with(&["write-tree"]);
    let theirs = with(&["commit-tree", "-p", &base, "-m", "sub", &tree]);
    let work = crate::support::Work { base, theirs };
    let message = refusal(sandbox.prepare(1, &work, &Wish::default()));
    assert_eq!(
        message,
        "submodules point to other commits, which is not for files on the disk: vendor/sub"
    );
}
