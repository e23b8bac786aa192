//! Text that is not saved yet.

use crate::support::{Sandbox, files, git, left_out, make_executable, write};
use orchestra_core::snapshot::LeftOutReason::TooLarge;
use orchestra_vcs::snapshot::{Buffer, Limits};
use std::{fs, os::unix::fs::symlink};

#[test]
fn unsaved_text_wins_over_the_disk() {
    let sandbox = Sandbox::with(&[
        (".gitignore", "secret\n"),
        ("known", "old\n"),
        ("script", "#!/bin/sh\n"),
        ("deleted", "old\n"),
        ("emptied", "old\n"),
        ("changed", "old\n"),
    ]);
    let user = sandbox.user();
    make_executable(&user.join("script"));
    write(&user, "changed", "saved\n");
    write(&user, "new", "saved\n");
    write(&user, "secret", "saved\n");
    fs::remove_file(user.join("deleted")).unwrap();
    let snapshot = sandbox
        .take_with_buffers(&[
            ("known", "unsaved\n"),
            ("script", "#!/bin/sh\nunsaved\n"),
            ("deleted", "unsaved\n"),
            ("emptied", ""),
            ("changed", "unsaved\n"),
            ("new", "unsaved\n"),
            ("secret", "ignored, hence not for agents\n"),
            ("never/saved [1]", "unsaved\n"),
            (".git/COMMIT_EDITMSG", "an editor may have this open, too\n"),
        ])
        .unwrap();
    assert_eq!(
        sandbox.shown(&snapshot),
        files(&[
            (".gitignore", "secret\n"),
            ("changed", "unsaved\n"),
            ("deleted", "unsaved\n"),
            ("emptied", ""),
            ("known", "unsaved\n"),
            ("never/saved [1]", "unsaved\n"),
            ("new", "unsaved\n"),
            ("script", "x #!/bin/sh\nunsaved\n"),
        ])
    );
}

#[test]
fn paths_of_buffers_start_at_the_workspace() {
    let sandbox = Sandbox::with(&[("file", "old\n"), ("part/file", "old\n")]);
    let root = sandbox.user().join("part");
    let buffers = [Buffer { path: "file".into(), content: b"unsaved\n".to_vec() }];
    let mut request = sandbox.request(&root);
    request.buffers = &buffers;
    let snapshot = sandbox.take_this(&request).unwrap();
    assert_eq!(sandbox.shown(&snapshot), files(&[("file", "old\n"), ("part/file", "unsaved\n")]));
}

#[test]
fn a_path_that_leads_out_of_the_workspace_is_refused() {
    let sandbox = Sandbox::with(&[("file", "old\n")]);
    for path in ["../user/file", "/etc/passwd", "a/../../b", ""] {
        let error = sandbox.take_with_buffers(&[(path, "unsaved\n")]).unwrap_err();
        let expected = format!("the unsaved file {path} is not inside of the workspace");
        assert_eq!(error.to_string(), expected);
    }
    assert_eq!(git(&sandbox.user(), &["for-each-ref", "refs/orchestra"]), "");
}

#[test]
fn a_buffer_behind_a_link_is_the_file_that_the_link_leads_to() {
    let sandbox = Sandbox::with(&[("real/file", "old\n")]);
    let user = sandbox.user();
    symlink("real", user.join("folder-link")).unwrap();
    symlink("real/file", user.join("file-link")).unwrap();
    symlink("/nonexistent/file", user.join("dangling")).unwrap();
    symlink(sandbox.scratch(), user.join("outside")).unwrap();
    for (through, content) in [("folder-link/file", "one\n"), ("file-link", "two\n")] {
        let buffers = [(through, content), ("dangling", "lost\n"), ("outside/file", "lost\n")];
        let snapshot = sandbox.take_with_buffers(&buffers).unwrap();
        let scratch = sandbox.scratch();
        assert_eq!(
            sandbox.shown(&snapshot),
            files(&[
                ("dangling", "-> /nonexistent/file"),
                ("file-link", "-> real/file"),
                ("folder-link", "-> real"),
                ("outside", &format!("-> {}", scratch.display())),
                ("real/file", content),
            ])
        );
        git(&user, &["update-ref", "-d", crate::support::REFERENCE]);
    }
}

#[test]
fn new_files_are_measured_by_their_buffers() {
    let sandbox = Sandbox::with(&[("known", "")]);
    let user = sandbox.user();
    write(&user, "grown", "small");
    write(&user, "shrunk", "too large on the disk");
    let buffers = [("grown", "too large now"), ("shrunk", "small"), ("known", "large, but known")]
        .map(|(path, content)| Buffer { path: path.into(), content: content.into() });
    let mut request = sandbox.request(&user);
    request.buffers = &buffers;
    request.limits = Limits { file: 10, total: 100 };
    let snapshot = sandbox.take_this(&request).unwrap();
    // What is on the disk in its place is not what the user sees.
    assert_eq!(snapshot.left_out, [left_out("grown", TooLarge { bytes: 13 })]);
    assert_eq!(
        sandbox.shown(&snapshot),
        files(&[("known", "large, but known"), ("shrunk", "small")])
    );
}

#[test]
fn buffers_of_nested_repositories_and_submodules_stay_out() {
    let sandbox = Sandbox::with(&[("first", "")]);
    let user = sandbox.user();
    git(&user, &["init", "-q", "nested"]);
    write(&user, "nested/file", "");
    let snapshot =
        sandbox.take_with_buffers(&[("nested/file", "unsaved\n"), ("nested", "odd\n")]).unwrap();
    assert_eq!(sandbox.shown(&snapshot), files(&[("first", "")]));
}

#[test]
fn a_buffer_never_takes_the_place_of_a_folder_or_of_a_file_above_it() {
    let sandbox = Sandbox::with(&[("file", "old\n"), ("folder/a", "old\n"), ("now", "old\n")]);
    let user = sandbox.user();
    fs::create_dir(user.join("empty")).unwrap();
    fs::remove_file(user.join("now")).unwrap();
    write(&user, "now/new", "untracked\n");
    symlink("/nonexistent", user.join("dangling")).unwrap();
    let folder = ["folder", "empty", "now"].map(|path| (path, "a folder is in its place"));
    let file = [
        ("file/b", "file is no folder"),
        ("folder/a/b/c", "folder/a is no folder"),
        ("dangling/b", "dangling is no folder"),
    ];
    for (path, why) in folder.into_iter().chain(file) {
        let error = sandbox.take_with_buffers(&[(path, "unsaved\n")]).unwrap_err();
        assert_eq!(error.to_string(), format!("the unsaved file {path} cannot be taken: {why}"));
    }
    let both = [("one", "unsaved\n"), ("one/two", "unsaved\n")];
    let error = sandbox.take_with_buffers(&both).unwrap_err();
    let expected = "the unsaved file one cannot be taken: a folder is in its place";
    assert_eq!(error.to_string(), expected);
    assert_eq!(git(&user, &["for-each-ref", "refs/orchestra"]), "");
}

#[test]
fn a_buffer_never_takes_the_place_of_what_a_sparse_checkout_leaves_away() {
    let sandbox = Sandbox::with(&[("away/file", "old\n"), ("in/file", "old\n"), ("top", "old\n")]);
    git(&sandbox.user(), &["sparse-checkout", "set", "--no-cone", "/in/"]);
    for (path, why) in [
        ("away", "a folder is in its place"),
        ("away/file/b", "away/file is no folder"),
        ("top/b/c", "top is no folder"),
    ] {
        let error = sandbox.take_with_buffers(&[(path, "unsaved\n")]).unwrap_err();
        assert_eq!(error.to_string(), format!("the unsaved file {path} cannot be taken: {why}"));
    }
    let snapshot = sandbox.take_with_buffers(&[("away/new", "unsaved\n")]).unwrap();
    let expected =
        [("away/file", "old\n"), ("away/new", "unsaved\n"), ("in/file", "old\n"), ("top", "old\n")];
    assert_eq!(sandbox.shown(&snapshot), files(&expected));
}

#[test]
fn a_buffer_may_lie_where_a_folder_or_a_file_was() {
    let sandbox = Sandbox::with(&[("file", "old\n"), ("folder/a", "old\n"), ("other", "old\n")]);
    let user = sandbox.user();
    fs::remove_file(user.join("file")).unwrap();
    fs::remove_dir_all(user.join("folder")).unwrap();
    let buffers = [("file/inside", "unsaved\n"), ("folder", "unsaved\n")];
    let snapshot = sandbox.take_with_buffers(&buffers).unwrap();
    assert_eq!(
        sandbox.shown(&snapshot),
        files(&[("file/inside", "unsaved\n"), ("folder", "unsaved\n"), ("other", "old\n")])
    );
}

#[test]
fn unsaved_text_passes_the_same_conversions_as_saved_text() {
    let sandbox = Sandbox::with(&[(".gitattributes", "*.txt text\n*.up filter=up\n")]);
    let user = sandbox.user();
    git(&user, &["config", "filter.up.clean", "tr a-z A-Z"]);
    let snapshot =
        sandbox.take_with_buffers(&[("a.txt", "one\r\n"), ("part/b.up", "loud\n")]).unwrap();
    let shown = sandbox.shown(&snapshot);
    assert_eq!((shown["a.txt"].as_str(), shown["part/b.up"].as_str()), ("one\n", "LOUD\n"));
}
