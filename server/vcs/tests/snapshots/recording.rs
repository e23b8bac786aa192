//! The commit and the reference of a snapshot.

use crate::support::{REFERENCE, Sandbox, commit, files, git, make_executable, write};
use orchestra_vcs::snapshot;
use std::{fs, thread};

#[test]
fn the_commit_is_ours_whatever_the_user_has_configured() {
    let sandbox = Sandbox::with(&[("file", "old\n")]);
    let user = sandbox.user();
    let program = sandbox.path("program");
    fs::write(&program, "#!/bin/sh\necho run >>\"$0.trace\"\nexit 1\n").unwrap();
    make_executable(&program);
    for (key, value) in [
        ("commit.gpgSign", "true"),
        ("gpg.program", program.to_str().unwrap()),
        ("user.useConfigOnly", "true"),
        ("i18n.commitEncoding", "ISO-8859-1"),
        ("core.logAllRefUpdates", "always"),
    ] {
        git(&user, &["config", key, value]);
    }
    for hook in ["pre-commit", "post-commit", "reference-transaction", "post-index-change"] {
        write(&user, format!(".git/hooks/{hook}"), fs::read(&program).unwrap());
        make_executable(&user.join(".git/hooks").join(hook));
    }
    write(&user, "file", "new\n");
    let snapshot =
        sandbox.take_at(&user, |request| request.subject = "Snapshot für r1\nand no more").unwrap();
    let format = "--format=%an <%ae> %cn <%ce>%n%P%n%G?%n%e%n%B";
    let head = git(&user, &["rev-parse", "HEAD"]);
    fs::remove_file(user.join(".git/hooks/reference-transaction")).unwrap();
    assert_eq!(
        git(&user, &["-c", "i18n.logOutputEncoding=UTF-8", "log", "-1", format, REFERENCE]),
        format!(
            "Orchestra <orchestra@localhost> Orchestra <orchestra@localhost>\n{head}\nN\n\n\
             Snapshot für r1"
        )
    );
    assert_eq!(git(&user, &["rev-parse", REFERENCE]), snapshot.commit);
    let traces: Vec<_> = [".git/hooks", ".git", "."]
        .iter()
        .flat_map(|folder| fs::read_dir(user.join(folder)).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "trace"))
        .collect();
    assert_eq!(traces, Vec::<std::path::PathBuf>::new());
    assert!(!sandbox.path("program.trace").exists());
    assert!(!user.join(".git/logs/refs/orchestra").exists());
}

#[test]
fn a_snapshot_that_was_taken_is_the_answer_whatever_has_changed_since() {
    let sandbox = Sandbox::with(&[("file", "old\n")]);
    let user = sandbox.user();
    write(&user, "file", "new\n");
    let first = sandbox.take().unwrap();
    write(&user, "file", "newer\n");
    commit(&user, "second");
    assert_eq!(sandbox.take().unwrap(), first);
    let other = "refs/orchestra/abcdefgh/r2/base";
    let second = sandbox.take_at(&user, |request| request.reference = other).unwrap();
    assert_eq!(sandbox.shown(&second), files(&[("file", "newer\n")]));
    assert_eq!(second.head, Some(git(&user, &["rev-parse", "HEAD"])));
}

#[test]
fn snapshots_at_once_all_succeed() {
    let sandbox = Sandbox::with(&[("file", "old\n")]);
    let (user, scratch) = (sandbox.user(), sandbox.scratch());
    write(&user, "file", "new\n");
    for number in 0..50 {
        write(&user, format!("new/{number}"), number.to_string());
    }
    let references = [REFERENCE, REFERENCE, REFERENCE, "refs/orchestra/abcdefgh/r2/base"];
    let taken = thread::scope(|scope| {
        let start = |reference| {
            let mut request = crate::support::request(&user, &scratch);
            request.reference = reference;
            scope.spawn(move || snapshot::take(&request).unwrap())
        };
        references.map(start).map(|taken| taken.join().unwrap())
    });
    for (reference, snapshot) in references.iter().zip(&taken) {
        assert_eq!(git(&user, &["rev-parse", reference]), snapshot.commit);
        assert_eq!(snapshot.tree, taken[0].tree);
    }
    assert_eq!(sandbox.shown(&taken[0]).len(), 51);
}

#[test]
fn a_reference_that_is_not_ours_is_refused() {
    let sandbox = Sandbox::with(&[("file", "old\n")]);
    let user = sandbox.user();
    for reference in ["refs/heads/new", "HEAD", "refs/orchestra"] {
        let taken = sandbox.take_at(&user, |request| request.reference = reference);
        let error = taken.unwrap_err().to_string();
        assert_eq!(error, format!("{reference} is not below refs/orchestra/"));
    }
}

#[test]
fn something_else_under_the_reference_is_neither_believed_nor_replaced() {
    let sandbox = Sandbox::with(&[("file", "old\n")]);
    let user = sandbox.user();
    let blob = git(&user, &["rev-parse", "HEAD:file"]);
    git(&user, &["update-ref", REFERENCE, &blob]);
    let error = sandbox.take().unwrap_err().to_string();
    let place = user.display();
    assert_eq!(error, format!("`git cat-file` failed for {place}: {REFERENCE} is no snapshot"));
    assert_eq!(git(&user, &["rev-parse", REFERENCE]), blob);
}

#[test]
fn a_reference_in_place_of_a_folder_of_references_is_refused() {
    let sandbox = Sandbox::with(&[("file", "old\n")]);
    let user = sandbox.user();
    git(&user, &["update-ref", "refs/orchestra/abcdefgh/r1", "HEAD"]);
    let error = sandbox.take().unwrap_err().to_string();
    assert!(error.starts_with("`git update-ref` failed for "), "{error}");
    assert!(error.contains("'refs/orchestra/abcdefgh/r1' exists"), "{error}");
}
