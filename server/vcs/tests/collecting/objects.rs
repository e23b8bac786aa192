//! Objects of the agent's that lie, are damaged, or would do harm: git refuses them, or reads what they
//! really are.

use crate::support::{Sandbox, commit, git, try_git, write};
use std::{
    fs,
    io::Write as _,
    os::unix::fs::symlink,
    path::Path,
    process::{Command, Stdio},
};

/// Writes an object as it is given, however wrong.
fn write_object(repository: &Path, kind: &str, content: &[u8]) -> String {
    let mut child = Command::new("git")
        .args(["hash-object", "-w", "--literally", "--stdin", "-t", kind])
        .current_dir(repository)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(content).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// An entry of a tree as git stores it.
fn entry(mode: &str, name: &str, id: &str) -> Vec<u8> {
    let bytes = (0..id.len()).step_by(2).map(|at| u8::from_str_radix(&id[at..at + 2], 16).unwrap());
    [mode.as_bytes(), b" ", name.as_bytes(), b"\0", &bytes.collect::<Vec<u8>>()].concat()
}

/// Has the agent's branch hold a commit of this tree on top of what it was given.
fn commit_tree(sandbox: &Sandbox, tree: &str) {
    let text = format!(
        "tree {tree}\nparent {}\nauthor A <a@x> 1700000000 +0000\ncommitter A <a@x> 1700000000 \
         +0000\n\nevil\n",
        sandbox.base
    );
    let id = write_object(&sandbox.src(), "commit", text.as_bytes());
    git(&sandbox.src(), &["update-ref", "HEAD", &id]);
}

#[test]
fn commits_that_no_git_makes_are_refused_by_git() {
    for name in [".git", "..", "a/b"] {
        let sandbox = Sandbox::new();
        let src = sandbox.src();
        write(&src, "new", "collected\n");
        let program = write_object(&src, "blob", b"#!/bin/sh\n");
        let hooks = write_object(&src, "tree", &entry("100755", "post-checkout", &program));
        commit_tree(&sandbox, &write_object(&src, "tree", &entry("40000", name, &hooks)));
        let notes = sandbox.one_commit();
        assert!(notes[0].starts_with("the agent's commits are not sound ("), "{name}: {notes:?}");
    }
}

#[test]
fn objects_that_are_missing_or_no_objects_are_no_commits() {
    let sandbox = Sandbox::new();
    write(&sandbox.src(), "new", "collected\n");
    commit_tree(&sandbox, "0123456789012345678901234567890123456789");
    assert!(sandbox.one_commit()[0].starts_with("the agent's commits are not sound ("));

    let sandbox = Sandbox::new();
    write(&sandbox.src(), "new", "collected\n");
    commit(&sandbox.src(), "work");
    let id = git(&sandbox.src(), &["rev-parse", "HEAD"]);
    let object = sandbox.src().join(".git/objects").join(&id[..2]).join(&id[2..]);
    fs::remove_file(&object).unwrap();
    symlink("/dev/zero", &object).unwrap();
    sandbox.one_commit();
}

#[test]
fn an_index_of_a_pack_that_lies_about_a_name_is_found_out() {
    let sandbox = Sandbox::new();
    let src = sandbox.src();
    write(&src, "new", "harmless\n");
    commit(&src, "work");
    let harmless = git(&src, &["rev-parse", "HEAD:new"]);
    let harmful = write_object(&src, "blob", b"harmful!\n");
    git(&src, &["update-ref", "refs/x/y", &harmful]);
    git(&src, &["repack", "-adql"]);
    // Swaps where the two are; git looks at the checksum of an index only when it verifies a pack.
    let pack = src.join(".git/objects/pack");
    let mut index = fs::read_dir(&pack).unwrap().map(|entry| entry.unwrap().path());
    let index = index.find(|path| path.extension().is_some_and(|end| end == "idx")).unwrap();
    let mut bytes = fs::read(&index).unwrap();
    let raw = |id: &str| -> Vec<u8> {
        (0..40).step_by(2).map(|at| u8::from_str_radix(&id[at..at + 2], 16).unwrap()).collect()
    };
    let find =
        |bytes: &[u8], id: &str| bytes.windows(20).position(|window| window == raw(id)).unwrap();
    let count = u32::from_be_bytes(bytes[8 + 255 * 4..8 + 256 * 4].try_into().unwrap()) as usize;
    let names = 8 + 256 * 4;
    let offsets = names + count * 24;
    let number = |at: usize| (at - names) / 20;
    let (one, two) = (number(find(&bytes, &harmless)), number(find(&bytes, &harmful)));
    for byte in 0..4 {
        bytes.swap(offsets + one * 4 + byte, offsets + two * 4 + byte);
    }
    let path = index.with_extension("tmp");
    fs::write(&path, &bytes).unwrap();
    fs::remove_file(&index).unwrap();
    fs::rename(&path, &index).unwrap();
    assert_eq!(git(&src, &["cat-file", "blob", &harmless]), "harmful!", "git believes the index");

    assert!(sandbox.one_commit()[0].starts_with("the agent's commits are not sound ("));

    let (_, content) = sandbox.result().into_iter().find(|(path, _)| path == "new").unwrap();
    assert_eq!(content, "100644 harmless\n");
}

#[test]
fn alternates_replacements_grafts_and_shallow_marks_of_the_agent_count_for_nothing() {
    let sandbox = Sandbox::new();
    let src = sandbox.src();
    let other = sandbox.path("other");
    fs::create_dir(&other).unwrap();
    git(&other, &["init", "-q"]);
    write(&other, "secret", "of somebody else\n");
    commit(&other, "private");
    let (private, tree) =
        (git(&other, &["rev-parse", "HEAD"]), git(&other, &["rev-parse", "HEAD^{tree}"]));
    let alternates = src.join(".git/objects/info/alternates");
    let mut list = fs::read_to_string(&alternates).unwrap();
    list.push_str(&format!("{}\n", other.join(".git/objects").display()));
    fs::write(&alternates, list).unwrap();
    write(&src, "new", "collected\n");
    commit_tree(&sandbox, &tree);
    // The agent's git sees it; what is not the agent's own is not collected.
    assert!(try_git(&src, &["cat-file", "-e", &private]).status.success());
    assert!(sandbox.one_commit()[0].starts_with("the agent's commits are not sound ("));

    let sandbox = Sandbox::new();
    let src = sandbox.src();
    write(&src, "new", "honest\n");
    commit(&src, "honest");
    let honest = git(&src, &["rev-parse", "HEAD:new"]);
    let forged = write_object(&src, "blob", b"forged\n");
    git(&src, &["update-ref", &format!("refs/replace/{honest}"), &forged]);
    write(&src, ".git/shallow", format!("{}\n", sandbox.base));
    write(&src, ".git/info/grafts", format!("{}\n", git(&src, &["rev-parse", "HEAD"])));
    let change = sandbox.change();
    assert_eq!(change.commits, 1);
    let (_, content) = sandbox.result().into_iter().find(|(path, _)| path == "new").unwrap();
    assert_eq!(content, "100644 honest\n");
}
