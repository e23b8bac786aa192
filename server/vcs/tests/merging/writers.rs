//! Who wrote a hunk: the attempt that did, and nobody where that is not known.

use crate::support::{Sandbox, commit, git, write};
use orchestra_core::review::Review;
use orchestra_vcs::merge::{Resolution, Takes};
use std::fs;

fn numbered(count: u32) -> String {
    (1..=count).map(|number| format!("{number}\n")).collect()
}

/// Of each hunk, the path and the numbers of those who wrote it, from one.
fn writers(review: &Review) -> Vec<(&str, Vec<u32>)> {
    let of = |works: &[u32]| works.iter().map(|number| number + 1).collect();
    review.hunks().map(|(file, hunk)| (file.path.as_str(), of(&hunk.works))).collect()
}

#[test]
fn each_of_two_writers_in_one_file_has_its_hunks_and_both_have_those_that_they_share() {
    let base = numbered(40);
    let mut sandbox = Sandbox::with(|user| write(user, "a", &base));
    sandbox.work(|src| {
        let text = base.replace("\n10\n", "\nten\n").replace("\n20\n", "\n");
        write(src, "a", text.replace("\n38\n", "\nthirty-eight\n"));
        write(src, "one", "1\n");
    });
    sandbox.work(|src| {
        let text = base.replace("\n30\n", "\nthirty\n").replace("\n22\n", "\ntwenty-two\n");
        write(src, "a", text.replace("\n40\n", "\n"));
        write(src, "two", "2\n");
    });
    assert_eq!(
        writers(&sandbox.review()),
        [
            ("a", vec![1]),
            // Twenty was taken out by one, and twenty-two was changed by the other.
            ("a", vec![1, 2]),
            ("a", vec![2]),
            ("a", vec![1, 2]),
            ("one", vec![1]),
            ("two", vec![2]),
        ]
    );
}

#[test]
fn what_an_agent_committed_itself_is_its_attempts() {
    let base = numbered(40);
    let mut sandbox = Sandbox::with(|user| write(user, "a", &base));
    sandbox.work(|src| {
        write(src, "a", base.replace("\n10\n", "\nsame\n"));
        commit(src, "by the agent");
        write(src, "a", base.replace("\n10\n", "\nsame\n").replace("\n20\n", "\ntwenty\n"));
        commit(src, "by the agent again");
    });
    // The same text at another place is another line.
    sandbox.work(|src| write(src, "a", base.replace("\n30\n", "\nsame\n")));
    assert_eq!(writers(&sandbox.review()), [("a", vec![1]), ("a", vec![1]), ("a", vec![2])]);
}

#[test]
fn a_later_work_has_what_it_changed_of_an_earlier_one() {
    let base = numbered(40);
    let mut sandbox = Sandbox::with(|user| write(user, "a", &base));
    let first = base.replace("\n10\n", "\nten\n").replace("\n30\n", "\nthirty\n");
    let start = sandbox.work(|src| write(src, "a", &first));
    sandbox.work_on(&start, |src| write(src, "a", first.replace("\nthirty\n", "\nTHIRTY\n")));
    // The first took the old line out, and the second wrote the new one.
    assert_eq!(writers(&sandbox.review()), [("a", vec![1]), ("a", vec![1, 2])]);
}

#[test]
fn a_file_that_one_renames_and_another_one_edits_is_by_both() {
    let base = numbered(40);
    let mut sandbox = Sandbox::with(|user| write(user, "old", &base));
    sandbox.work(|src| fs::rename(src.join("old"), src.join("new")).unwrap());
    sandbox.work(|src| write(src, "old", base.replace("\n20\n", "\ntwenty\n")));
    let review = sandbox.review();
    assert_eq!(writers(&review), [("new", vec![1, 2]), ("old", vec![1, 2])]);
}

#[test]
fn a_merge_that_resolved_a_conflict_leaves_every_line_with_its_writer() {
    let base = numbered(40);
    let mut sandbox = Sandbox::with(|user| write(user, "a", &base));
    sandbox
        .work(|src| write(src, "a", base.replace("\n10\n", "\nten\n").replace("\n30\n", "\nx\n")));
    sandbox.work(|src| write(src, "a", base.replace("\n20\n", "\ny\n").replace("\n30\n", "\nz\n")));
    let between = ["r12.1", "r12.2"].map(str::to_owned);
    sandbox.resolutions = vec![Resolution { path: "a".to_owned(), between, takes: Takes::Theirs }];
    let review = sandbox.review();
    // Both took the thirtieth line out; the one that is there now is the second one's.
    assert_eq!(writers(&review), [("a", vec![1]), ("a", vec![2]), ("a", vec![1, 2])]);
}

#[test]
fn lines_that_an_agent_wrote_to_resolve_a_conflict_are_its_own() {
    let base = numbered(40);
    let mut sandbox = Sandbox::with(|user| write(user, "a", &base));
    sandbox.work(|src| write(src, "a", base.replace("\n10\n", "\nx\n")));
    sandbox.work(|src| {
        write(src, "a", base.replace("\n10\n", "\ny\n").replace("\n30\n", "\nz\n"));
    });
    let with_markers = sandbox.conflicted().with_markers;
    sandbox.work_on(&with_markers, |src| {
        write(src, "a", base.replace("\n10\n", "\nx and y\n").replace("\n30\n", "\nz\n"));
    });
    assert_eq!(writers(&sandbox.review()), [("a", vec![1, 2, 3]), ("a", vec![2])]);
}

#[test]
fn modes_and_whole_files_are_of_those_who_made_them_so() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut sandbox = Sandbox::with(|user| {
        write(user, "program", numbered(20));
        write(user, "binary", b"1\0");
    });
    sandbox.work(|src| {
        fs::set_permissions(src.join("program"), fs::Permissions::from_mode(0o755)).unwrap();
    });
    sandbox.work(|src| {
        write(src, "program", numbered(20).replace("\n9\n", "\nnine\n"));
        write(src, "binary", b"2\0");
    });
    assert_eq!(
        writers(&sandbox.review()),
        [("binary", vec![2]), ("program", vec![1]), ("program", vec![2])]
    );
}

#[test]
fn what_no_attempt_did_is_nobodys() {
    let mut sandbox = Sandbox::with(|user| write(user, "a", numbered(20)));
    sandbox.work(|src| write(src, "b", "b\n"));
    let user = sandbox.user();
    write(&user, "a", numbered(20).replace("\n9\n", "\nnine\n"));
    write(&user, "b", "c\n");
    commit(&user, "somebody else's");
    let result = git(&user, &["rev-parse", "HEAD"]);
    let review = sandbox.compare(&sandbox.base, &result);
    // The only one that touched it is no proof for a file that is not as it left it.
    assert_eq!(writers(&review), [("a", vec![]), ("b", vec![])]);
}

#[test]
fn names_that_are_no_text_and_look_like_options_are_asked_for_like_others() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};
    let names = [&b"--porcelain"[..], b":(glob)*", b"\xff", b"a\nb"].map(OsStr::from_bytes);
    let base = numbered(40);
    let mut sandbox = Sandbox::with(|user| names.iter().for_each(|name| write(user, name, &base)));
    for (old, new) in [("\n10\n", "\nten\n"), ("\n30\n", "\nthirty\n")] {
        sandbox.work(|src| names.iter().for_each(|name| write(src, name, base.replace(old, new))));
    }
    let review = sandbox.review();
    let works: Vec<_> = review.hunks().map(|(_, hunk)| hunk.works.clone()).collect();
    assert_eq!(works.concat(), [0, 1].repeat(4));
}
