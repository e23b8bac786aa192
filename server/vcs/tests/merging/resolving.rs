//! What a person has decided about a conflict counts there, and nowhere else.

use crate::support::{Sandbox, expected, git, write};
use orchestra_core::merge::ConflictKind;
use orchestra_vcs::merge::{Resolution, Takes};
use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
};

fn resolution(path: &str, between: [&str; 2], takes: Takes) -> Resolution {
    Resolution { path: path.to_owned(), between: between.map(str::to_owned), takes }
}

#[test]
fn of_a_text_only_the_places_that_conflict_take_one_side() {
    let base = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
    let ours = "ours\n2\n3\n4\n5\n6\n7\n8\nnine\n";
    let theirs = "theirs\n2\n3\n4\nfive\n6\n7\n8\n9\n";
    for (takes, line) in [(Takes::Ours, "ours"), (Takes::Theirs, "theirs")] {
        let mut sandbox = Sandbox::of_file(base, ours, theirs);
        let merged = format!("100644 {line}\n2\n3\n4\nfive\n6\n7\n8\nnine\n");
        assert_eq!(sandbox.resolved("file", takes), expected([("file", &merged)]));
        let works: Vec<&str> = sandbox.works.iter().map(|(commit, _)| commit.as_str()).collect();
        let parents =
            git(&sandbox.user(), &["log", "-1", "--format=%P", &sandbox.whole().commit.unwrap()]);
        assert_eq!(parents, works.join(" "));
    }
}

#[test]
fn a_text_that_loses_all_its_lines_is_an_empty_file() {
    let mut sandbox = Sandbox::of_file("1\n2\n", "", "1\ntwo\n");
    assert_eq!(sandbox.resolved("file", Takes::Ours), expected([("file", "100644 ")]));
}

#[test]
fn of_two_new_files_of_one_name_the_lines_of_one_count() {
    let mut sandbox = Sandbox::with(|user| write(user, "a", "a\n"));
    sandbox.work(|src| write(src, "new", "same\nours\n"));
    sandbox.work(|src| {
        write(src, "new", "same\ntheirs\n");
        fs::set_permissions(src.join("new"), fs::Permissions::from_mode(0o755)).unwrap();
    });
    let files = sandbox.resolved("new", Takes::Theirs);
    assert_eq!(files[1], ("new".to_owned(), "100755 same\ntheirs\n".to_owned()));
    let files = sandbox.resolved("new", Takes::Ours);
    assert_eq!(files[1], ("new".to_owned(), "100644 same\nours\n".to_owned()));
}

#[test]
fn anything_else_is_taken_as_the_one_side_has_it() {
    let text: String = (0..40).map(|number| format!("line {number}\n")).collect();
    type Act<'a> = &'a dyn Fn(&Path);
    let replace_by_folder: Act<'_> = &|src| {
        fs::remove_file(src.join("file")).unwrap();
        write(src, "file/x", "x\n");
    };
    let replace_by_link: Act<'_> = &|src| {
        fs::remove_file(src.join("file")).unwrap();
        symlink("target", src.join("file")).unwrap();
    };
    let edited = text.replace("line 9\n", "nine\n");
    let edit: Act<'_> = &|src| write(src, "file", &edited);
    let delete: Act<'_> = &|src| fs::remove_file(src.join("file")).unwrap();
    let rename: Act<'_> = &|src| fs::rename(src.join("file"), src.join("a")).unwrap();
    let rename_otherwise: Act<'_> = &|src| fs::rename(src.join("file"), src.join("b")).unwrap();
    let rename_and_edit: Act<'_> = &|src| {
        fs::remove_file(src.join("file")).unwrap();
        write(src, "a", &edited);
    };
    let make_binary: Act<'_> = &|src| write(src, "file", b"1\0");
    let make_other_binary: Act<'_> = &|src| write(src, "file", b"2\0");
    for (kind, ours, theirs) in [
        (ConflictKind::FileAndFolder, edit, replace_by_folder),
        (ConflictKind::FileAndFolder, replace_by_folder, edit),
        (ConflictKind::Mode, edit, replace_by_link),
        (ConflictKind::ChangedAndDeleted, edit, delete),
        (ConflictKind::ChangedAndDeleted, delete, edit),
        (ConflictKind::Renamed, rename, rename_otherwise),
        (ConflictKind::Renamed, rename_and_edit, delete),
        (ConflictKind::Renamed, delete, rename_and_edit),
        (ConflictKind::NotText, make_binary, make_other_binary),
    ] {
        let mut sandbox = Sandbox::with(|user| {
            write(user, "file", &text);
            write(user, "kept", "kept\n");
        });
        let works = [sandbox.work(ours), sandbox.work(theirs)];
        let kinds = sandbox.kinds();
        let [(path, found)] = kinds.as_slice() else { panic!("{kinds:?}") };
        assert_eq!(*found, kind);
        for (takes, work) in [Takes::Ours, Takes::Theirs].into_iter().zip(works) {
            let wanted = sandbox.files(&work);
            assert_eq!(sandbox.resolved(path, takes), wanted, "{kind:?} {takes:?}");
        }
    }
}

#[test]
fn what_else_conflicts_stays_open_beside_what_is_decided() {
    let mut sandbox = Sandbox::with(|user| {
        write(user, "a", "1\n");
        write(user, "b", "1\n");
    });
    for side in ["ours\n", "theirs\n"] {
        sandbox.work(|src| {
            write(src, "a", side);
            write(src, "b", side);
        });
    }
    sandbox.resolutions = vec![resolution("a", ["r12.1", "r12.2"], Takes::Theirs)];
    let conflicted = sandbox.conflicted();
    assert_eq!(conflicted.conflicts.len(), 1);
    assert_eq!(
        sandbox.files(&conflicted.with_markers),
        expected([
            ("a", "100644 theirs\n"),
            ("b", "100644 <<<<<<< r12.1\nours\n=======\ntheirs\n>>>>>>> r12.2\n"),
        ])
    );
    sandbox.resolutions.push(resolution("b", ["r12.1", "r12.2"], Takes::Ours));
    assert_eq!(
        sandbox.merged_files(),
        expected([("a", "100644 theirs\n"), ("b", "100644 ours\n")])
    );
}

#[test]
fn what_was_decided_between_two_works_says_nothing_of_a_third() {
    let mut sandbox = Sandbox::of_file("1\n", "a\n", "b\n");
    sandbox.work(|src| write(src, "file", "c\n"));
    sandbox.resolutions = vec![resolution("file", ["r12.1", "r12.2"], Takes::Ours)];
    let conflicted = sandbox.conflicted();
    assert_eq!(conflicted.between, ["r12.1, r12.2", "r12.3"]);
    sandbox.resolutions.push(resolution("file", ["r12.1, r12.2", "r12.3"], Takes::Theirs));
    assert_eq!(sandbox.merged_files(), expected([("file", "100644 c\n")]));
}

#[test]
fn a_decision_about_two_names_that_look_alike_is_about_neither() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};
    let names = [b"\xfe", b"\xff"].map(|name| OsStr::from_bytes(name));
    let mut sandbox = Sandbox::with(|user| names.iter().for_each(|name| write(user, name, "1\n")));
    for side in ["ours\n", "theirs\n"] {
        sandbox.work(|src| names.iter().for_each(|name| write(src, name, side)));
    }
    sandbox.resolutions = vec![resolution("\u{fffd}", ["r12.1", "r12.2"], Takes::Ours)];
    assert_eq!(sandbox.conflicted().conflicts.len(), 2);
}
