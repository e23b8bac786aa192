//! Line ends, encodings, and texts that do not end.

use crate::support::{LIMITS, Sandbox, write};
use orchestra_vcs::blame::{Line, LineAuthor};

#[test]
fn carriage_returns_of_the_checkout_do_not_matter() {
    let mut sandbox = Sandbox::empty();
    sandbox.git(&["config", "core.autocrlf", "true"]);
    sandbox.write("one\r\ntwo\r\n");
    sandbox.commit("first");
    sandbox.agent_writes("coder", "one\r\nA\r\ntwo\r\n");
    // The apply writes what git has.
    sandbox.write("one\r\nA\r\ntwo\r\nmine\r\n");
    let expected = ["(first): one", "coder: A", "(first): two", "-: mine"];
    assert_eq!(sandbox.authors(), expected);
    sandbox.commit("all");
    assert_eq!(sandbox.authors(), expected.map(|line| line.replace("-:", "(all):")));
}

#[test]
fn carriage_returns_that_are_committed_are_part_of_the_lines() {
    let mut sandbox = Sandbox::new("one\r\ntwo\r\n");
    sandbox.agent_writes("coder", "one\r\nA\r\ntwo\r\n");
    assert_eq!(sandbox.authors(), ["(first): one", "coder: A", "(first): two"]);
    sandbox.commit("all");
    sandbox.write("one\nA\ntwo\n");
    sandbox.commit("without them");
    assert_eq!(
        sandbox.authors(),
        ["(without them): one", "(without them): A", "(without them): two"]
    );
}

#[test]
fn bytes_that_are_no_utf_8_are_compared_as_they_are() {
    let mut sandbox = Sandbox::empty();
    sandbox.git(&["config", "user.name", "Ad\u{e4}"]);
    sandbox.write(b"gr\xfcn\nblau\n");
    sandbox.commit("first");
    sandbox.applied("coder", |tree| write(tree, "file", b"gr\xfcn\nwei\xdf\nblau\n"));
    assert_eq!(sandbox.authors(), ["(first): gr\u{fffd}n", "coder: wei\u{fffd}", "(first): blau"]);
}

#[test]
fn a_last_line_need_not_end() {
    let mut sandbox = Sandbox::new("one\ntwo");
    sandbox.agent_writes("coder", "one\ntwo\nA");
    // To git, the line has changed that got a line feed.
    assert_eq!(sandbox.authors(), ["(first): one", "coder: two", "coder: A"]);
    sandbox.write("one\ntwo\nA\nmine");
    assert_eq!(sandbox.authors(), ["(first): one", "coder: two", "-: A", "-: mine"]);
    sandbox.write("one\ntwo\nA");
    sandbox.commit("all");
    assert_eq!(sandbox.authors(), ["(first): one", "coder: two", "coder: A"]);
}

#[test]
fn an_agents_file_of_brackets_alone_is_its_own() {
    let mut sandbox = Sandbox::new("one\n");
    sandbox.applied("coder", |tree| write(tree, "new", "{\n}\n\n"));
    assert_eq!(sandbox.authors_of("new"), ["coder: {", "coder: }", "coder: "]);
}

#[test]
fn an_empty_file_has_no_lines() {
    let mut sandbox = Sandbox::new("");
    assert_eq!(sandbox.authors(), [""; 0]);
    sandbox.agent_writes("coder", "A\n");
    assert_eq!(sandbox.authors(), ["coder: A"]);
}

#[test]
fn objects_of_the_other_format_do_as_well() {
    let mut sandbox = Sandbox::empty();
    std::fs::remove_dir_all(sandbox.user().join(".git")).unwrap();
    sandbox.git(&["init", "-q", "--object-format=sha256"]);
    sandbox.write("one\n");
    sandbox.commit("first");
    sandbox.agent_writes("coder", "one\nA\n");
    sandbox.commit("all");
    assert_eq!(sandbox.authors(), ["(first): one", "coder: A"]);
    let lines = sandbox.blame_of("file", None, LIMITS).unwrap();
    let Line { author: LineAuthor::Person { commit, .. }, .. } = &lines[0] else { panic!() };
    assert_eq!(commit.len(), 64);
}
