//! Works that do not fit together: every one of them is told, with what each side has.

use crate::support::{Sandbox, excerpt, expected, git, lines, write};
use orchestra_core::merge::{Conflict, ConflictKind, Side};
use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
};

fn conflict(path: &str, kind: ConflictKind, ours: Side, theirs: Side) -> Vec<Conflict> {
    vec![Conflict { path: path.to_owned(), kind, ours, theirs }]
}

#[test]
fn both_sides_of_a_line_are_shown_and_the_tree_has_markers_with_the_names_of_the_works() {
    let mut sandbox = Sandbox::of_file("1\n2\n3\n", "1\na\n3\n", "1\nb\n3\n");
    sandbox.work(|src| write(src, "new", "never looked at\n"));

    let conflicted = sandbox.conflicted();

    assert_eq!(conflicted.between, ["r12.1", "r12.2"]);
    assert_eq!(
        conflicted.conflicts,
        conflict("file", ConflictKind::Lines, lines(&[(2, 1)], "a\n"), lines(&[(2, 1)], "b\n"))
    );
    assert_eq!(
        sandbox.files(&conflicted.with_markers),
        expected([("file", "100644 1\n<<<<<<< r12.1\na\n=======\nb\n>>>>>>> r12.2\n3\n")])
    );
    let [(ours, _), (theirs, _), _] = sandbox.works.as_slice() else { panic!() };
    let commit = git(&sandbox.user(), &["log", "-1", "--format=%P%n%B", &conflicted.with_markers]);
    assert_eq!(
        commit,
        format!(
            "{ours} {theirs}\nr12.3: bring it together (with conflicts)\n\n\
             Orchestra-Agent: changes.merge\nOrchestra-Run: r12\nOrchestra-Task: r12.3\n\
             Orchestra-Attempt: r12.3@1\nOrchestra-Merge: r12.1\nOrchestra-Merge: r12.2"
        )
    );
}

#[test]
fn a_third_work_is_told_against_the_two_before_it() {
    let mut sandbox = Sandbox::of_file("1\n2\n3\n", "1\na\n3\n", "1\n2\n3\n4\n5\n");
    sandbox.work(|src| write(src, "file", "1\nc\n3\n"));
    let conflicted = sandbox.conflicted();
    assert_eq!(conflicted.between, ["r12.1, r12.2", "r12.3"]);
    assert_eq!(
        conflicted.conflicts,
        conflict("file", ConflictKind::Lines, lines(&[(2, 1)], "a\n"), lines(&[(2, 1)], "c\n"))
    );
    let files = sandbox.files(&conflicted.with_markers);
    let text = "100644 1\n<<<<<<< r12.1+r12.2\na\n=======\nc\n>>>>>>> r12.3\n3\n4\n5\n";
    assert_eq!(files, expected([("file", text)]));
}

#[test]
fn an_agent_that_resolves_the_markers_has_merged_the_works() {
    let mut sandbox = Sandbox::of_file("1\n2\n3\n", "1\na\n3\n", "1\nb\n3\n");
    let with_markers = sandbox.conflicted().with_markers;
    let resolved = sandbox.work_on(&with_markers, |src| write(src, "file", "1\na and b\n3\n"));
    assert_eq!(sandbox.whole().commit, Some(resolved));
}

#[test]
fn two_files_of_one_name() {
    let mut sandbox = Sandbox::with(|user| write(user, "a", "a\n"));
    sandbox.work(|src| write(src, "new", "same\nours\n"));
    sandbox.work(|src| write(src, "new", "same\ntheirs\n"));
    assert_eq!(
        sandbox.conflicts(),
        conflict(
            "new",
            ConflictKind::BothAdded,
            lines(&[(2, 1)], "ours\n"),
            lines(&[(2, 1)], "theirs\n")
        )
    );
}

#[test]
fn a_file_that_one_deletes_and_the_other_one_edits_either_way_round() {
    let delete: fn(&Path) = |src| fs::remove_file(src.join("file")).unwrap();
    let edit: fn(&Path) = |src| write(src, "file", "1\ntwo\n3\n");
    for is_ours in [true, false] {
        let [ours, theirs] = if is_ours { [edit, delete] } else { [delete, edit] };
        let mut sandbox = Sandbox::with(|user| write(user, "file", "1\n2\n3\n"));
        sandbox.work(ours);
        sandbox.work(theirs);
        let mut sides = [Side::default(), lines(&[(2, 1)], "two\n")];
        if is_ours {
            sides.reverse();
        }
        let [ours, theirs] = sides;
        assert_eq!(
            sandbox.conflicts(),
            conflict("file", ConflictKind::ChangedAndDeleted, ours, theirs)
        );
    }
}

#[test]
fn renames_that_do_not_agree() {
    let text: String = (0..40).map(|number| format!("line {number}\n")).collect();
    let mut sandbox = Sandbox::with(|user| write(user, "file", &text));
    sandbox.work(|src| fs::rename(src.join("file"), src.join("a")).unwrap());
    sandbox.work(|src| fs::rename(src.join("file"), src.join("b")).unwrap());
    assert_eq!(sandbox.kinds(), [("file".to_owned(), ConflictKind::Renamed)]);

    // What was edited and renamed, and deleted by the other.
    let mut sandbox = Sandbox::with(|user| write(user, "file", &text));
    sandbox.work(|src| {
        fs::remove_file(src.join("file")).unwrap();
        write(src, "a", text.replace("line 9\n", "nine\n"));
    });
    sandbox.work(|src| fs::remove_file(src.join("file")).unwrap());
    assert_eq!(
        sandbox.conflicts(),
        conflict("a", ConflictKind::Renamed, lines(&[(10, 1)], "nine\n"), Side::default())
    );

    // A new file in a folder that the other has renamed.
    let mut sandbox = Sandbox::with(|user| {
        write(user, "old/a", &text);
        write(user, "old/b", text.replace("line", "other"));
    });
    sandbox.work(|src| fs::rename(src.join("old"), src.join("new")).unwrap());
    sandbox.work(|src| write(src, "old/c", "c\n"));
    assert_eq!(
        sandbox.conflicts(),
        conflict("new/c", ConflictKind::Renamed, Side::default(), lines(&[(1, 1)], "c\n"))
    );
}

#[test]
fn a_folder_in_the_place_of_a_file() {
    let mut sandbox = Sandbox::with(|user| write(user, "d", "1\n2\n3\n"));
    sandbox.work(|src| write(src, "d", "1\n2\nthree\n"));
    sandbox.work(|src| {
        fs::remove_file(src.join("d")).unwrap();
        write(src, "d/x", "x\n");
    });
    let conflicted = sandbox.conflicted();
    assert_eq!(
        conflicted.conflicts,
        conflict("d", ConflictKind::FileAndFolder, lines(&[(3, 1)], "three\n"), Side::default())
    );
    assert_eq!(
        sandbox.files(&conflicted.with_markers),
        expected([("d/x", "100644 x\n"), ("d~r12.1", "100644 1\n2\nthree\n")])
    );
}

#[test]
fn what_is_no_text_is_not_taken_apart() {
    let mut sandbox = Sandbox::with(|user| {
        write(user, "binary", b"1\0");
        symlink("a", user.join("link")).unwrap();
    });
    sandbox.work(|src| {
        write(src, "binary", b"2\0");
        fs::remove_file(src.join("link")).unwrap();
        symlink("b", src.join("link")).unwrap();
    });
    sandbox.work(|src| {
        write(src, "binary", b"3\0");
        fs::remove_file(src.join("link")).unwrap();
        symlink("c", src.join("link")).unwrap();
    });
    let nothing = Side::default;
    assert_eq!(
        sandbox.conflicts(),
        [
            conflict("binary", ConflictKind::NotText, nothing(), nothing()),
            conflict("link", ConflictKind::NotText, excerpt("b"), excerpt("c")),
        ]
        .concat()
    );
}

#[test]
fn kinds_and_modes_that_do_not_agree() {
    let mut sandbox = Sandbox::with(|user| write(user, "file", "1\n2\n"));
    sandbox.work(|src| {
        fs::remove_file(src.join("file")).unwrap();
        symlink("target", src.join("file")).unwrap();
    });
    sandbox.work(|src| write(src, "file", "1\ntwo\n"));
    assert_eq!(
        sandbox.conflicts(),
        conflict("file", ConflictKind::Mode, excerpt("target"), Side::default())
    );

    let mut sandbox = Sandbox::with(|user| write(user, "a", "a\n"));
    sandbox.work(|src| write(src, "new", "same\n"));
    sandbox.work(|src| {
        write(src, "new", "same\n");
        fs::set_permissions(src.join("new"), fs::Permissions::from_mode(0o755)).unwrap();
    });
    assert_eq!(sandbox.kinds(), [("new".to_owned(), ConflictKind::Mode)]);
}

#[test]
fn two_commits_of_a_submodule() {
    let mut sandbox = Sandbox::with(|user| write(user, "a", "a\n"));
    let [one, two, three] = ["1", "2", "3"].map(|digit| digit.repeat(40));
    let entry = |commit: &str| format!("160000,{commit},sub");
    let user = sandbox.user();
    git(&user, &["update-index", "--add", "--cacheinfo", &entry(&one)]);
    git(&user, &["commit", "-q", "-m", "with a submodule"]);
    fs::create_dir(user.join("sub")).unwrap();
    sandbox.base = git(&user, &["rev-parse", "HEAD"]);
    for commit in [&two, &three] {
        let tree = sandbox.path("index");
        let git_with = |arguments: &[&str]| {
            let output = crate::support::command(&user)
                .env("GIT_INDEX_FILE", &tree)
                .args(arguments)
                .output()
                .unwrap();
            assert!(output.status.success());
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        };
        git_with(&["read-tree", &sandbox.base]);
        git_with(&["update-index", "--cacheinfo", &entry(commit)]);
        let tree = git_with(&["write-tree"]);
        let commit = git(&user, &["commit-tree", "-m", "work", "-p", &sandbox.base, &tree]);
        sandbox.works.push((commit, format!("r12.{}", sandbox.works.len() + 1)));
    }
    assert_eq!(
        sandbox.conflicts(),
        conflict("sub", ConflictKind::Submodule, excerpt(&two), excerpt(&three))
    );
}

#[test]
fn line_ends_and_the_end_of_a_file() {
    let sandbox = Sandbox::of_file("1\r\n2\r\n3\r\n", "1\r\na\r\n3\r\n", "1\r\nb\r\n3\r\n");
    assert_eq!(
        sandbox.conflicts(),
        conflict("file", ConflictKind::Lines, lines(&[(2, 1)], "a\r\n"), lines(&[(2, 1)], "b\r\n"))
    );
    // One side has rewritten all line ends, the other one line: nothing of it is guessed.
    let sandbox = Sandbox::of_file("1\n2\n3\n", "1\r\n2\r\n3\r\n", "1\ntwo\n3\n");
    let all = lines(&[(1, 3)], "1\r\n2\r\n3\r\n");
    let theirs = lines(&[(1, 3)], "1\ntwo\n3\n");
    assert_eq!(sandbox.conflicts(), conflict("file", ConflictKind::Lines, all, theirs));

    let sandbox = Sandbox::of_file("1\n2", "1\n2a", "1\n2b");
    assert_eq!(
        sandbox.conflicts(),
        conflict("file", ConflictKind::Lines, lines(&[(2, 1)], "2a"), lines(&[(2, 1)], "2b"))
    );
    let sandbox = Sandbox::of_file("1\n2", "1\n2\n", "1\n2b");
    assert_eq!(sandbox.conflicts().len(), 1);
}

#[test]
fn names_that_are_told_apart_by_case_alone() {
    // On a disk that tells them apart; what of it fits on another one is seen when it is applied.
    let mut sandbox = Sandbox::with(|user| write(user, "a", "a\n"));
    sandbox.work(|src| write(src, "Readme", "ours\n"));
    sandbox.work(|src| write(src, "README", "theirs\n"));
    assert_eq!(
        sandbox.merged_files(),
        expected(
            [("README", "100644 theirs\n"), ("Readme", "100644 ours\n"), ("a", "100644 a\n"),]
        )
    );
    let mut sandbox = Sandbox::with(|user| write(user, "Readme", "1\n"));
    sandbox.work(|src| fs::rename(src.join("Readme"), src.join("README")).unwrap());
    sandbox.work(|src| fs::rename(src.join("Readme"), src.join("ReadMe")).unwrap());
    assert_eq!(sandbox.kinds(), [("Readme".to_owned(), ConflictKind::Renamed)]);
}

#[test]
fn what_there_is_no_room_to_compare_is_named_all_the_same() {
    let long = |line: &str| format!("{line}\n").repeat(1_000);
    let mut sandbox = Sandbox::with(|user| {
        write(user, "large", "1\n");
        write(user, "a", "1\n");
        write(user, "b", "1\n");
    });
    for side in ["ours", "theirs"] {
        sandbox.work(|src| {
            write(src, "large", long(side));
            write(src, "a", format!("{side}\n"));
            write(src, "b", format!("{side}\n"));
        });
    }
    sandbox.limits.file = 1_000;
    sandbox.limits.total = 16;
    assert_eq!(
        sandbox.conflicts(),
        [
            conflict(
                "a",
                ConflictKind::Lines,
                lines(&[(1, 1)], "ours\n"),
                lines(&[(1, 1)], "theirs\n")
            ),
            conflict("b", ConflictKind::Lines, Side::default(), Side::default()),
            conflict("large", ConflictKind::NotText, Side::default(), Side::default()),
        ]
        .concat()
    );
}
