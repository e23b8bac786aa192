//! What others have left in a working tree must not run, and a user's own filters do what they do for
//! `git add`.

use crate::support::{Sandbox, commit, files, git, make_executable, shown, write};
use orchestra_vcs::{GitError, wrapper::Wrapper};
use std::{ffi::OsString, fs, path::PathBuf};

/// A program that leaves a trace when it is run.
fn trap(sandbox: &Sandbox) -> (PathBuf, PathBuf) {
    let program = sandbox.path("trap");
    fs::write(&program, "#!/bin/sh\necho run >>\"$0.trace\"\ncat\n").unwrap();
    make_executable(&program);
    (program, sandbox.path("trap.trace"))
}

#[test]
fn nothing_that_a_nested_repository_or_a_submodule_configures_is_run() {
    let sandbox = Sandbox::with(&[("first", "")]);
    let (user, library) = (sandbox.user(), sandbox.path("library"));
    let (program, trace) = trap(&sandbox);
    fs::create_dir(&library).unwrap();
    git(&library, &["init", "-q"]);
    write(&library, "lib", "one\n");
    commit(&library, "library");
    git(&user, &["submodule", "--quiet", "add", library.to_str().unwrap(), "module"]);
    commit(&user, "with a submodule");
    git(&user, &["init", "-q", "nested"]);
    write(&user, "nested/lib", "one\n");
    commit(&user.join("nested"), "nested");
    for (folder, git_dir) in [("nested", "nested/.git"), ("module", ".git/modules/module")] {
        let repository = user.join(folder);
        let program = program.to_str().unwrap();
        for key in ["filter.z.clean", "filter.z.process", "core.fsmonitor", "diff.z.textconv"] {
            git(&repository, &["config", key, program]);
        }
        git(&repository, &["config", "filter.z.required", "true"]);
        write(&user, format!("{git_dir}/info/attributes"), "* filter=z diff=z\n");
        write(&user, format!("{git_dir}/hooks/post-index-change"), fs::read(program).unwrap());
        make_executable(&user.join(git_dir).join("hooks/post-index-change"));
        // As long as before, so that only its content tells.
        write(&user, format!("{folder}/lib"), "two\n");
    }
    let snapshot = sandbox.take().unwrap();
    assert!(!trace.exists(), "something of it was run");
    let left_out: Vec<_> = snapshot.left_out.iter().map(|left| left.path.as_str()).collect();
    assert_eq!(left_out, ["module", "nested"]);
}

fn with_filter(clean: &str) -> Sandbox {
    let sandbox =
        Sandbox::with(&[(".gitattributes", "*.bin filter=lfs\n"), ("a.bin", "pointer\n")]);
    let user = sandbox.user();
    git(&user, &["config", "filter.lfs.clean", clean]);
    git(&user, &["config", "filter.lfs.required", "true"]);
    write(&user, "a.bin", "content\n");
    write(&user, "new.bin", "content\n");
    sandbox
}

#[test]
fn filters_of_the_user_do_for_us_what_they_do_for_git_add() {
    let sandbox = with_filter("sed s/content/pointer/");
    let snapshot = sandbox.take().unwrap();
    assert_eq!(
        sandbox.shown(&snapshot),
        files(&[
            (".gitattributes", "*.bin filter=lfs\n"),
            ("a.bin", "pointer\n"),
            ("new.bin", "pointer\n")
        ])
    );
}

#[test]
fn a_filter_that_is_required_and_missing_is_an_error_with_a_next_step() {
    let sandbox = with_filter("no-such-program-anywhere clean %f");
    let error = sandbox.take().unwrap_err();
    assert!(matches!(error, GitError::Filter { .. }), "{error}");
    assert_eq!(
        error.to_string(),
        format!(
            "a git filter failed in {}: a.bin: clean filter 'lfs' failed",
            sandbox.user().display()
        )
    );
    assert!(error.hint().contains("git-lfs"));
}

#[test]
fn pointers_of_lfs_without_lfs_stay_pointers() {
    let sandbox =
        Sandbox::with(&[(".gitattributes", "*.bin filter=lfs\n"), ("a.bin", "pointer\n")]);
    write(&sandbox.user(), "a.bin", "pointer 2\n");
    let snapshot = sandbox.take().unwrap();
    assert_eq!(sandbox.shown(&snapshot)["a.bin"], "pointer 2\n");
}

#[test]
fn without_trust_no_filter_is_run_and_files_are_taken_as_they_lie_there() {
    let sandbox = Sandbox::with(&[(".gitattributes", "* filter=z\n"), ("file", "old\n")]);
    let user = sandbox.user();
    let (program, trace) = trap(&sandbox);
    for key in ["filter.z.clean", "filter.z.process", "core.fsmonitor"] {
        git(&user, &["config", key, program.to_str().unwrap()]);
    }
    git(&user, &["config", "filter.z.required", "true"]);
    write(&user, "file", "new\n");
    let snapshot = sandbox.take_at(&user, |request| request.run_filters = false).unwrap();
    assert!(!trace.exists(), "the filter was run");
    assert_eq!(shown(&user, &snapshot.commit)["file"], "new\n");
}

#[test]
fn every_git_that_looks_at_the_working_tree_goes_through_the_wrapper() {
    let sandbox = Sandbox::with(&[("file", "old\n"), ("assumed", "")]);
    let user = sandbox.user();
    git(&user, &["init", "-q", "module"]);
    git(&user.join("module"), &["commit", "-q", "--allow-empty", "-m", "first"]);
    commit(&user, "with a submodule");
    git(&user, &["update-index", "--assume-unchanged", "assumed"]);
    write(&user, "file", "new\n");
    fs::create_dir(user.join("empty")).unwrap();
    let log = sandbox.path("log");
    let script = format!("echo \"$4\" >>'{}'; exec \"$@\"", log.display());
    let wrapper = Wrapper {
        program: "/bin/sh".into(),
        arguments: ["-c", &script, "sh"].map(OsString::from).into(),
        argument_zero: None,
    };
    let mut request = sandbox.request(&user);
    request.wrapper = Some(&wrapper);
    let snapshot = sandbox.take_this(&request).unwrap();
    assert_eq!(sandbox.shown(&snapshot)["file"], "new\n");
    let log = fs::read_to_string(log).unwrap();
    let mut verbs: Vec<_> = log.lines().collect();
    verbs.sort_unstable();
    assert_eq!(
        verbs,
        [
            "check-ignore",
            "diff-index",
            "ls-files",
            "ls-files",
            "ls-files",
            "update-index",
            "update-index",
            "write-tree"
        ]
    );
}
