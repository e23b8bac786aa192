//! Works that fit together.

use crate::support::{REFERENCE, Sandbox, commit, expected, git, write};
use orchestra_core::change::{Change, ChangedFile, FileStatus, Flag, FlagKind};
use orchestra_vcs::GitError;
use std::fs;

#[test]
fn changes_of_different_files_and_of_one_file_in_different_places_become_one_change() {
    let text = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
    let mut sandbox = Sandbox::with(|user| {
        write(user, "both", text);
        write(user, "gone", "gone\n");
    });
    sandbox.work(|src| {
        write(src, "both", text.replace('1', "one"));
        write(src, "new/a", "a\n");
    });
    sandbox.work(|src| {
        write(src, "both", text.replace('9', "nine"));
        write(src, ".mcp.json", "{}\n");
        fs::remove_file(src.join("gone")).unwrap();
    });

    let change = sandbox.whole();

    let file = |path: &str, status, added, removed| ChangedFile {
        path: path.to_owned(),
        status,
        added: Some(added),
        removed: Some(removed),
    };
    assert_eq!(
        change,
        Change {
            base: sandbox.base.clone(),
            commit: Some(sandbox.reference(REFERENCE)),
            tree: Some(sandbox.reference(&format!("{REFERENCE}^{{tree}}"))),
            files: 4,
            added: 4,
            removed: 3,
            paths: vec![
                file(".mcp.json", FileStatus::Added, 1, 0),
                file("both", FileStatus::Modified, 2, 2),
                file("gone", FileStatus::Deleted, 0, 1),
                file("new/a", FileStatus::Added, 1, 0),
            ],
            held: Vec::new(),
            flags: vec![Flag { path: ".mcp.json".to_owned(), kind: FlagKind::Mcp }],
            // Made by the tests, and not by us.
            commits: 2,
            notes: Vec::new(),
        }
    );
    assert_eq!(
        sandbox.files(REFERENCE),
        expected([
            (".mcp.json", "100644 {}\n"),
            ("both", "100644 one\n2\n3\n4\n5\n6\n7\n8\nnine\n"),
            ("new/a", "100644 a\n"),
        ])
    );
}

#[test]
fn the_commit_says_whose_works_it_brings_together() {
    let mut sandbox = Sandbox::with(|user| write(user, "a", "a\n"));
    for name in ["one", "two", "three"] {
        sandbox.work(|src| write(src, name, "new\n"));
    }
    sandbox.whole();
    let works: Vec<&str> = sandbox.works.iter().map(|(commit, _)| commit.as_str()).collect();
    let user = sandbox.user();
    assert_eq!(
        git(&user, &["log", "-1", "--format=%an <%ae>%n%B", REFERENCE]),
        "changes.merge (orchestra) <changes.merge@orchestra.localhost>\n\
         r12.3: bring it together\n\n\
         Orchestra-Agent: changes.merge\nOrchestra-Run: r12\nOrchestra-Task: r12.3\n\
         Orchestra-Attempt: r12.3@1\n\
         Orchestra-Merge: r12.1\nOrchestra-Merge: r12.2\nOrchestra-Merge: r12.3"
    );
    let parents = |commit: &str| git(&user, &["log", "-1", "--format=%P", commit]);
    let first = git(&user, &["rev-parse", &format!("{REFERENCE}^1")]);
    assert_eq!(parents(REFERENCE), format!("{first} {}", works[2]));
    assert_eq!(parents(&first), format!("{} {}", works[0], works[1]));
}

#[test]
fn one_work_is_the_change_by_itself() {
    let mut sandbox = Sandbox::with(|user| write(user, "a", "a\n"));
    let work = sandbox.work(|src| write(src, "a", "b\n"));
    assert_eq!(sandbox.whole().commit, Some(work));
}

#[test]
fn a_work_that_another_one_began_with_adds_nothing_to_it() {
    let mut sandbox = Sandbox::with(|user| write(user, "a", "a\n"));
    let first = sandbox.work(|src| write(src, "a", "b\n"));
    let second = sandbox.work_on(&first, |src| write(src, "a", "c\n"));
    assert_eq!(sandbox.whole().commit.as_ref(), Some(&second));
    sandbox.works.reverse();
    assert_eq!(sandbox.whole().commit.as_ref(), Some(&second));
    // Nor does the same one twice.
    sandbox.works.push((second.clone(), "r12.9".to_owned()));
    assert_eq!(sandbox.whole().commit.as_ref(), Some(&second));
    let third = sandbox.work(|src| write(src, "new", "new\n"));
    let merged = sandbox.whole().commit.unwrap();
    let parents = git(&sandbox.user(), &["log", "-1", "--format=%P", &merged]);
    assert_eq!(parents, format!("{second} {third}"));
}

#[test]
fn a_file_that_one_renames_and_another_one_edits_is_renamed_and_edited() {
    let text: String = (0..40).map(|number| format!("line {number}\n")).collect();
    let mut sandbox = Sandbox::with(|user| write(user, "old", &text));
    sandbox.work(|src| fs::rename(src.join("old"), src.join("new")).unwrap());
    let edited = text.replace("line 7\n", "line seven\n");
    sandbox.work(|src| write(src, "old", &edited));
    assert_eq!(sandbox.merged_files(), expected([("new", &format!("100644 {edited}"))]));
}

#[test]
fn modes_links_line_ends_and_names_come_through_as_they_were_written() {
    use std::os::unix::{ffi::OsStrExt as _, fs::PermissionsExt as _, fs::symlink};
    let mut sandbox = Sandbox::with(|user| {
        write(user, "program", "1\n2\n3\n4\n5\n");
        write(user, "crlf", "1\r\n2\r\n3\r\n4\r\n5\r\n");
        write(user, "end", "1\n2\n3\n4\n5");
        write(user, "Readme", "case\n");
    });
    sandbox.work(|src| {
        fs::set_permissions(src.join("program"), fs::Permissions::from_mode(0o755)).unwrap();
        write(src, "crlf", "one\r\n2\r\n3\r\n4\r\n5\r\n");
        write(src, "end", "1\n2\n3\n4\nfive");
        fs::rename(src.join("Readme"), src.join("README")).unwrap();
    });
    sandbox.work(|src| {
        write(src, "program", "one\n2\n3\n4\n5\n");
        write(src, "crlf", "1\r\n2\r\n3\r\n4\r\nfive\r\n");
        write(src, "end", "one\n2\n3\n4\n5");
        symlink("end", src.join("link")).unwrap();
        write(src, std::ffi::OsStr::from_bytes(b"\xff\n"), "name\n");
    });
    assert_eq!(
        sandbox.merged_files(),
        expected([
            ("README", "100644 case\n"),
            ("crlf", "100644 one\r\n2\r\n3\r\n4\r\nfive\r\n"),
            ("end", "100644 one\n2\n3\n4\nfive"),
            ("link", "120000 end"),
            ("program", "100755 one\n2\n3\n4\n5\n"),
            ("\u{fffd}\n", "100644 name\n"),
        ])
    );
}

#[test]
fn a_repository_with_longer_ids_is_merged_alike() {
    let mut sandbox = Sandbox::with_format("sha256", |user| write(user, "a", "a\n"));
    sandbox.work(|src| write(src, "b", "b\n"));
    sandbox.work(|src| write(src, "c", "c\n"));
    assert_eq!(
        sandbox.merged_files(),
        expected([("a", "100644 a\n"), ("b", "100644 b\n"), ("c", "100644 c\n")])
    );
}

#[test]
fn a_workspace_below_the_top_of_its_repository_is_merged_as_a_whole() {
    let mut sandbox = Sandbox::with(|user| write(user, "web/a", "a\n"));
    sandbox.work(|src| write(src, "b", "b\n"));
    sandbox.work(|src| write(src, "web/c", "c\n"));
    let whole = sandbox.whole();
    commit(&sandbox.user(), "elsewhere");
    assert_eq!(whole.files, 2);
}

#[test]
fn works_that_are_named_in_a_wrong_way_are_refused_before_anything_happens() {
    let mut sandbox = Sandbox::with(|user| write(user, "a", "a\n"));
    let none = sandbox.try_merge().unwrap_err();
    assert!(matches!(none, GitError::NoWork), "{none}");
    for id in ["HEAD", "--all", &"0".repeat(40), &"1".repeat(40), &"g".repeat(40)] {
        sandbox.works = vec![(id.to_owned(), "r12.1".to_owned())];
        let error = sandbox.try_merge().unwrap_err();
        assert!(error.to_string().contains(id), "{error}");
    }
    assert_eq!(git(&sandbox.user(), &["for-each-ref", "refs/orchestra"]), "");
}
