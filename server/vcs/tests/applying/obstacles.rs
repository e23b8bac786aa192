//! What stands in the way is named beforehand, and then nothing is written at all.

use crate::support::{Sandbox, Wish, commit, refusal, set_mode, write};
use orchestra_vcs::apply::Prepared;
use std::{
    fs,
    os::unix::fs::{MetadataExt as _, symlink},
};

#[test]
fn a_read_only_file_is_refused() {
    let sandbox = Sandbox::with(&[("a", "a\n"), ("b", "b\n")]);
    let work = sandbox.work(|agent| {
        write(agent, "a", "new\n");
        fs::remove_file(agent.join("b")).unwrap();
    });
    set_mode(&sandbox.user().join("a"), 0o444);
    set_mode(&sandbox.user().join("b"), 0o400);
    let prepared = sandbox.prepare(1, &work, &Wish::default());
    let expected = Prepared::Refused {
        message: "files are read-only: a, b".to_owned(),
        hint: "make them writable by `chmod u+w`, or reject their changes".to_owned(),
    };
    assert_eq!(prepared, expected);
    assert_eq!(sandbox.git(&["for-each-ref", "refs/orchestra/abcdefgh/backup"]), "");
}

#[test]
fn a_read_only_folder_is_refused() {
    let sandbox = Sandbox::with(&[("d/a", "a\n"), ("e/x", "x\n"), ("b", "b\n")]);
    let work = sandbox.work(|agent| {
        write(agent, "d/a", "new\n");
        write(agent, "e/f/g", "new\n");
        write(agent, "b", "new\n");
    });
    set_mode(&sandbox.user().join("d"), 0o555);
    set_mode(&sandbox.user().join("e"), 0o500);
    let message = refusal(sandbox.prepare(1, &work, &Wish::default()));
    assert_eq!(message, "folders may not be written to: d, e");
    for folder in ["d", "e"] {
        set_mode(&sandbox.user().join(folder), 0o755);
    }
}

#[test]
fn files_that_no_snapshot_has_are_never_overwritten() {
    let sandbox = Sandbox::with(&[(".gitignore", "*.log\nbuild\n")]);
    let base = sandbox.snapshot();
    let large = "x".repeat(1_000_001);
    for (path, content) in [
        ("made.log", "mine\n"),
        ("large", large.as_str()),
        ("folder/inner.log", "mine\n"),
        ("build", "a file\n"),
        ("nested/file", "mine\n"),
    ] {
        sandbox.write(path, content);
    }
    sandbox.git(&["init", "-q", "nested"]);
    let refused = |path: &str, named: &str| {
        let work = sandbox.work_on(&base, |agent| write(agent, path, "agent\n"));
        let message = refusal(sandbox.prepare(1, &work, &Wish::default()));
        assert_eq!(
            message,
            format!(
                "files that are in no snapshot (ignored, too large, or in a repository of their \
                 own) are in the way: {named}"
            )
        );
    };
    refused("made.log", "made.log");
    refused("large", "large");
    refused("folder", "folder/inner.log");
    refused("build/x", "build");
    refused("nested/file", "nested/file");
}

#[test]
fn nothing_is_written_through_a_link_to_a_folder() {
    let sandbox = Sandbox::with(&[(".gitignore", "out\n"), ("d/a", "a\n")]);
    let work = sandbox.work(|agent| {
        write(agent, "out/x", "agent\n");
        write(agent, "d/a", "agent\n");
    });
    let elsewhere = sandbox.path("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    symlink(&elsewhere, sandbox.user().join("out")).unwrap();
    let message = refusal(sandbox.prepare(1, &work, &Wish::default()));
    assert!(message.ends_with("are in the way: out"), "{message}");

    // A folder that has become a link meanwhile is another matter for git: a conflict.
    fs::rename(sandbox.user().join("d"), elsewhere.join("d")).unwrap();
    symlink(elsewhere.join("d"), sandbox.user().join("d")).unwrap();
    fs::remove_file(sandbox.user().join("out")).unwrap();
    let prepared = sandbox.prepare(1, &work, &Wish::default());
    assert_eq!(crate::support::conflicts(prepared), ["d", "d/a"]);
    assert_eq!(fs::read_to_string(elsewhere.join("d/a")).unwrap(), "a\n");
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 1);
}

#[test]
fn what_is_no_regular_file_is_refused() {
    let sandbox = Sandbox::with(&[("a", "a\n")]);
    let work = sandbox.work(|agent| write(agent, "pipe", "agent\n"));
    let made = std::process::Command::new("mkfifo").arg(sandbox.user().join("pipe")).status();
    assert!(made.unwrap().success());
    let message = refusal(sandbox.prepare(1, &work, &Wish::default()));
    assert_eq!(message, "what is no regular file is in the way: pipe");
}

#[test]
fn what_a_sparse_checkout_leaves_away_is_refused_and_new_files_there_are_written() {
    let sandbox = Sandbox::with(&[("in/a", "a\n"), ("out/b", "b\n"), ("out/c", "c\n")]);
    let base = sandbox.snapshot();
    let changed = sandbox.work_on(&base, |agent| {
        write(agent, "out/b", "agent\n");
        fs::remove_file(agent.join("out/c")).unwrap();
    });
    let new = sandbox.work_on(&base, |agent| write(agent, "out/new", "agent\n"));
    sandbox.git(&["sparse-checkout", "set", "--no-sparse-index", "in"]);
    assert!(!sandbox.user().join("out").exists());
    let message = refusal(sandbox.prepare(1, &changed, &Wish::default()));
    assert_eq!(
        message,
        "files that git does not show on the disk (sparse checkout) would be changed: out/b, out/c"
    );
    sandbox.there_and_back(&new, |sandbox| assert_eq!(sandbox.read("out/new"), "agent\n"));
}

#[test]
fn a_file_below_an_ignored_folder_comes_and_the_ignored_ones_beside_it_stay() {
    let sandbox = Sandbox::with(&[(".gitignore", "out/\n")]);
    sandbox.write("out/mine", "mine\n");
    let work = sandbox.work(|agent| write(agent, "out/forced", "agent\n"));
    sandbox.there_and_back(&work, |sandbox| {
        assert_eq!(sandbox.read("out/forced"), "agent\n");
        assert_eq!(sandbox.read("out/mine"), "mine\n");
    });
}

#[test]
fn names_that_are_gits_own_are_refused() {
    let sandbox = Sandbox::with(&[("a", "a\n")]);
    let base = sandbox.snapshot();
    let blob = sandbox.git(&["rev-parse", &format!("{base}:a")]);
    for name in [".GIT", "git~1"] {
        let hash = |input: String, arguments: &[&str]| {
            use std::io::Write as _;
            let mut command = crate::support::command(&sandbox.user());
            command.args(arguments).stdin(std::process::Stdio::piped());
            let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
            child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
            let output = child.wait_with_output().unwrap();
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        };
        let inner = hash(format!("100644 blob {blob}\thooks\n"), &["mktree"]);
        let lines = format!("100644 blob {blob}\ta\n040000 tree {inner}\t{name}\n");
        let tree = hash(lines, &["mktree"]);
        let theirs = sandbox.git(&["commit-tree", "-p", &base, "-m", "evil", &tree]);
        let work = crate::support::Work { base: base.clone(), theirs };
        let message = refusal(sandbox.prepare(1, &work, &Wish::default()));
        assert_eq!(
            message,
            format!("names that git keeps for itself cannot be written: {name}/hooks")
        );
    }
}

#[test]
fn a_workspace_below_the_top_keeps_its_folder_when_nothing_is_left_in_it() {
    let sandbox = Sandbox::with(&[("a", "a\n"), ("app/only", "x\n")]);
    let work = sandbox.work(|agent| fs::remove_dir_all(agent.join("app")).unwrap());
    let wish = Wish { root: Some(sandbox.user().join("app")), ..Wish::default() };
    // Somebody's shell stands in it.
    let folder = || fs::metadata(sandbox.user().join("app")).unwrap().ino();
    let before = folder();
    let transition = crate::support::ready(sandbox.prepare(1, &work, &wish));
    crate::support::assert_applied(&sandbox.carry_out(1, &transition.files));
    assert_eq!(folder(), before);
    assert!(!sandbox.user().join("app/only").exists());
}

#[test]
fn what_changes_all_the_time_is_refused_in_the_end() {
    let sandbox = Sandbox::with(&[("a", "1\n2\n3\n4\n5\n")]);
    let user = sandbox.user();
    // Whenever git looks at a file, another one has changed: as a log that is written to.
    write(&user, ".gitattributes", "b filter=busy\n");
    write(&user, "b", "b\n");
    commit(&user, "busy");
    let work = sandbox.work(|agent| write(agent, "a", "one\n2\n3\n4\n5\n"));
    let script = format!("echo more >>'{}'; cat", user.join("a").display());
    sandbox.git(&["config", "filter.busy.clean", &script]);
    write(&user, "b", "c\n");
    let prepared = sandbox.call(1, &work, &Wish::default(), None).unwrap();
    assert_eq!(refusal(prepared), "files change while they are looked at: a");
}
