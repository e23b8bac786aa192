//! What differs between commits and the files as they are, in real repositories.

use crate::support::{commit, git, open, small, write};
use orchestra_core::ports::{
    Diff, DiffContent, DiffLineKind, DiffQuery, FileDiff, LogEnd, Repo as _,
};
use orchestra_vcs::repo::GitRepo;
use std::{
    fs,
    ops::ControlFlow,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
    process::Command,
};

const QUERY: DiffQuery<'static> =
    DiffQuery { from: None, to: None, context: 0, max_files: 1_000, max_file_bytes: 1 << 20 };

fn diff(repo: &GitRepo, query: &DiffQuery<'_>) -> (Vec<FileDiff>, Diff) {
    let mut files = Vec::new();
    let diff = repo.diff(query, &mut |file| {
        files.push(file);
        ControlFlow::Continue(())
    });
    (files, diff.unwrap())
}

/// One line for each file: `path: -removed at line +added at line`, or what it is.
fn shown(files: &[FileDiff]) -> Vec<String> {
    let content = |file: &FileDiff| match &file.content {
        DiffContent::Text { hunks, .. } => {
            let hunk = |hunk: &orchestra_core::ports::Hunk| {
                let (mut added, mut removed) = (String::new(), String::new());
                for line in &hunk.lines {
                    let text = String::from_utf8_lossy(&line.content).replace('\n', "|");
                    match line.kind {
                        DiffLineKind::Added => added += &text,
                        DiffLineKind::Removed => removed += &text,
                        DiffLineKind::Context => {}
                    }
                }
                format!("@{} -{removed} +{added}", hunk.new_start)
            };
            hunks.iter().map(hunk).collect::<Vec<_>>().join(" ")
        }
        other => format!("{other:?}"),
    };
    files
        .iter()
        .map(|file| {
            let modes = match (file.old_mode, file.new_mode) {
                (0, _) => "new ".to_owned(),
                (_, 0) => "gone ".to_owned(),
                (old, new) if old != new => format!("{old:o}>{new:o} "),
                _ => String::new(),
            };
            format!("{modes}{}: {}", file.path, content(file)).trim_end().to_owned()
        })
        .collect()
}

fn changed(root: &Path) -> Vec<String> {
    shown(&diff(&open(root), &QUERY).0)
}

#[test]
fn two_commits_are_compared_line_by_line() {
    let dir = small();
    let query = DiffQuery { from: Some("HEAD~2"), to: Some("main"), ..QUERY };
    let (files, diff) = diff(&open(dir.path()), &query);
    assert_eq!(shown(&files), ["a.txt: @2 -two| +2| @4 - +four|", "gone sub/b.txt: @0 -x|y +"]);
    assert_eq!((diff.from.name.as_str(), diff.to.name.as_str()), ("HEAD~2", "main"));
    assert_eq!(diff.to.commit.map(|id| id.len()), Some(40));
}

#[test]
fn the_files_as_they_are_hold_what_is_staged_changed_new_and_gone_but_nothing_ignored() {
    let dir = small();
    let root = dir.path();
    write(root, ".gitignore", "ignored\n");
    write(root, "kept.txt", "kept\n");
    commit(root, 400, "more");
    write(root, "a.txt", "one\n2\nthree\nstaged\n");
    git(root, 0, &["add", "a.txt"]);
    write(root, "a.txt", "one\n2\nthree\nunstaged\n");
    write(root, "new.txt", "new");
    write(root, "ignored", "x\n");
    write(root, ".orchestra/plans/r1.md", "x\n");
    fs::remove_file(root.join(".gitignore")).unwrap();
    write(root, ".gitignore", "ignored\n");
    fs::remove_file(root.join("kept.txt")).unwrap();
    // Its time alone differs.
    let before = fs::read(root.join(".git/index")).unwrap();
    assert_eq!(
        changed(root),
        ["a.txt: @4 -four| +unstaged|", "gone kept.txt: @0 -kept| +", "new new.txt: @1 - +new"]
    );
    assert_eq!(fs::read(root.join(".git/index")).unwrap(), before, "the index is only read");
}

#[test]
fn without_a_base_it_is_where_the_current_work_began() {
    let dir = small();
    let root = dir.path();
    let base = |root: &Path| {
        let (files, diff) = diff(&open(root), &QUERY);
        (diff.from.name, shown(&files).len())
    };
    assert_eq!(base(root), ("the commit before".into(), 1), "nothing uncommitted: the last commit");
    write(root, "a.txt", "changed\n");
    assert_eq!(base(root), ("HEAD".into(), 1));

    let other = tempfile::tempdir().unwrap();
    let clone = other.path().join("clone");
    git(other.path(), 0, &["clone", "-q", root.to_str().unwrap(), clone.to_str().unwrap()]);
    write(&clone, "own.txt", "own\n");
    commit(&clone, 500, "own");
    write(&clone, "more.txt", "more\n");
    assert_eq!(base(&clone), ("where the branch left its upstream".into(), 2));
    git(&clone, 0, &["checkout", "-q", "--detach"]);
    assert_eq!(base(&clone), ("where the branch left origin/HEAD".into(), 2));
}

#[test]
fn no_commit_yet_and_a_first_commit_are_compared_with_nothing() {
    let dir = tempfile::tempdir().unwrap();
    git(dir.path(), 0, &["init", "-q"]);
    assert_eq!(changed(dir.path()), [""; 0]);
    write(dir.path(), "a.txt", "a\n");
    assert_eq!(changed(dir.path()), ["new a.txt: @1 - +a|"]);
    git(dir.path(), 0, &["add", "-A"]);
    assert_eq!(changed(dir.path()), ["new a.txt: @1 - +a|"]);
    commit(dir.path(), 100, "first");
    assert_eq!(changed(dir.path()), ["new a.txt: @1 - +a|"]);
}

#[test]
fn a_shallow_clone_has_no_commit_before_its_last() {
    let dir = small();
    let other = tempfile::tempdir().unwrap();
    let clone = other.path().join("clone");
    let url = format!("file://{}", dir.path().display());
    git(other.path(), 0, &["clone", "-q", "--depth", "1", &url, clone.to_str().unwrap()]);
    let (files, diff) = diff(&open(&clone), &QUERY);
    assert_eq!(shown(&files), [""; 0]);
    assert_eq!(diff.from.name, "HEAD, because the clone has no commit before it");
}

#[test]
fn a_revision_that_is_none_is_an_error_that_says_what_to_do() {
    let dir = small();
    for revision in ["no-such", "", "--all", "HEAD:a.txt", "a\0b", "-"] {
        let query = DiffQuery { from: Some(revision), ..QUERY };
        let error = open(dir.path()).diff(&query, &mut |_| ControlFlow::Continue(())).unwrap_err();
        assert!(error.0.starts_with("there is no revision `"), "{error}");
        assert!(error.0.contains("git log"), "{error}");
    }
}

#[test]
fn what_is_no_text_is_named_and_not_compared() {
    let dir = small();
    let root = dir.path();
    write(root, "binary", b"a\0b");
    write(root, "large.txt", "x\n".repeat(1_000));
    write(root, "latin1.txt", b"caf\xe9\n");
    write(root, "script.sh", "x\n");
    symlink("a.txt", root.join("link")).unwrap();
    symlink("loop", root.join("loop")).unwrap();
    commit(root, 400, "odd");
    write(root, "binary", b"a\0c");
    write(root, "large.txt", "y\n".repeat(1_000));
    write(root, "latin1.txt", b"th\xe9\n");
    fs::set_permissions(root.join("script.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::remove_file(root.join("link")).unwrap();
    symlink("elsewhere", root.join("link")).unwrap();
    fs::remove_file(root.join("a.txt")).unwrap();
    assert!(Command::new("mkfifo").arg(root.join("a.txt")).status().unwrap().success());
    let query = DiffQuery { max_file_bytes: 1_000, from: Some("HEAD"), ..QUERY };
    assert_eq!(
        shown(&diff(&open(root), &query).0),
        [
            "a.txt: Unreadable",
            "binary: Binary",
            "large.txt: TooLarge",
            "latin1.txt: @1 -caf\u{fffd}| +th\u{fffd}|",
            "link: @1 -a.txt +elsewhere",
            "100644>100755 script.sh:",
        ]
    );
}

#[test]
fn line_breaks_that_git_would_convert_are_no_change() {
    let dir = small();
    let root = dir.path();
    git(root, 0, &["config", "core.autocrlf", "true"]);
    write(root, "a.txt", "one\r\n2\r\nthree\r\nfive\r\n");
    assert_eq!(changed(root), ["a.txt: @4 -four| +five|"]);
}

#[test]
fn a_workspace_in_a_subfolder_sees_only_its_own_files() {
    let dir = small();
    let root = dir.path();
    write(root, "sub/c.txt", "c\n");
    commit(root, 400, "c");
    write(root, "a.txt", "changed\n");
    write(root, "sub/c.txt", "changed\n");
    write(root, "sub/new.txt", "new\n");
    let sub = root.join("sub").canonicalize().unwrap();
    assert_eq!(changed(&sub), ["c.txt: @1 -c| +changed|", "new new.txt: @1 - +new|"]);
    let query = DiffQuery { from: Some("HEAD~1"), to: Some("HEAD"), ..QUERY };
    assert_eq!(shown(&diff(&open(&sub), &query).0), ["new c.txt: @1 - +c|"]);
}

#[test]
fn submodules_and_nested_repositories_are_named_or_left_out() {
    let dir = small();
    let root = dir.path();
    let inner = small();
    let url = inner.path().to_str().unwrap();
    git(root, 0, &["submodule", "--quiet", "add", url, "module"]);
    commit(root, 400, "module");
    git(&root.join("module"), 0, &["checkout", "-q", "HEAD~1"]);
    git(root, 0, &["clone", "-q", url, "nested"]);
    write(root, "nested/new.txt", "new\n");
    let mark = root.join(".git/was-run");
    let program = format!("sh -c 'touch {}; cat'", mark.display());
    for inside in [root.join("module"), root.join("nested")] {
        git(&inside, 0, &["config", "filter.evil.clean", &program]);
        git(&inside, 0, &["config", "core.fsmonitor", &program]);
        write(&inside, ".gitattributes", "* filter=evil\n");
        write(&inside, "a.txt", "ONE\ntwo\nthree\n");
    }
    assert_eq!(changed(root), ["module: Submodule"]);
    assert!(!mark.exists(), "what is configured inside has run");
}

#[test]
fn files_in_conflict_are_compared_with_our_side() {
    let dir = small();
    let root = dir.path();
    git(root, 400, &["checkout", "-q", "-b", "side", "HEAD~1"]);
    write(root, "a.txt", "theirs\n");
    commit(root, 400, "theirs");
    git(root, 500, &["checkout", "-q", "main"]);
    write(root, "a.txt", "ours\n");
    commit(root, 500, "ours");
    let merged = Command::new("git")
        .current_dir(root)
        .args(["-c", "user.name=Ada", "-c", "user.email=ada@example.org"])
        .args(["merge", "-q", "side"])
        .output();
    assert!(!merged.unwrap().status.success());
    let (files, _) = diff(&open(root), &DiffQuery { from: Some("HEAD"), ..QUERY });
    let shown = shown(&files);
    assert_eq!(shown.len(), 1, "{shown:?}");
    assert!(shown[0].contains("<<<<<<<") && shown[0].contains(">>>>>>>"), "{shown:?}");
}

#[test]
fn files_that_a_sparse_checkout_leaves_out_are_not_gone() {
    let dir = small();
    let root = dir.path();
    write(root, "far/b.txt", "far\n");
    commit(root, 400, "far");
    git(root, 0, &["sparse-checkout", "set", "near"]);
    let query = DiffQuery { from: Some("HEAD~1"), ..QUERY };
    assert_eq!(shown(&diff(&open(root), &query).0), ["new far/b.txt: @1 - +far|"]);
}

#[test]
fn ten_thousand_changed_files_are_counted_and_as_many_shown_as_asked_for() {
    let dir = small();
    for number in 0..10_000 {
        write(dir.path(), &format!("d{}/f{number}.txt", number % 100), format!("{number}\n"));
    }
    let query = DiffQuery { max_files: 300, ..QUERY };
    let (files, diff) = diff(&open(dir.path()), &query);
    assert_eq!((files.len(), diff.files), (300, 10_000));
    let mut seen = 0;
    let stopped = open(dir.path()).diff(&QUERY, &mut |_| {
        seen += 1;
        ControlFlow::Break(())
    });
    assert_eq!((seen, stopped.unwrap().files), (1, 10_000));
}

/// Neither by comparing nor by reading the history of a repository that libgit2 refuses.
#[test]
fn nothing_that_the_repository_configures_is_run() {
    let dir = small();
    let root = dir.path();
    let mark = root.join(".git/was-run");
    let program = format!("sh -c 'touch {}; cat'", mark.display());
    for key in [
        "core.fsmonitor",
        "core.pager",
        "diff.external",
        "diff.evil.command",
        "diff.evil.textconv",
        "filter.evil.clean",
        "filter.evil.smudge",
        "filter.evil.process",
        "log.showSignature",
        "gpg.program",
    ] {
        git(root, 0, &["config", key, &program]);
    }
    git(root, 0, &["config", "log.showSignature", "true"]);
    git(root, 0, &["config", "remote.origin.promisor", "true"]);
    fs::write(root.join(".git/info/attributes"), "* diff=evil filter=evil\n").unwrap();
    // Of the same length, so that git has to look at its content.
    write(root, "a.txt", "one\n2\nthree\nfive\n");
    assert_eq!(changed(root), ["a.txt: @4 -four| +five|"]);
    let repo = open(root);
    assert_eq!(repo.log(10, &mut |_| ControlFlow::Continue(())), Ok(LogEnd::Root));
    let query = DiffQuery { from: Some("HEAD~2"), to: Some("HEAD"), ..QUERY };
    assert_eq!(diff(&repo, &query).1.files, 2);
    assert!(!mark.exists());
}
