//! Repositories that are not as usual, and settings that would run or hide something.

use crate::support::{LIMITS, Sandbox, Trap, command, commit, git, write};
use orchestra_vcs::blame::{Request, blame};
use std::fs;

#[test]
fn where_the_history_is_cut_off_older_lines_are_not_known() {
    let mut origin = Sandbox::new("one\n");
    origin.write("one\ntwo\n");
    origin.commit("second");
    origin.write("one\ntwo\nthree\n");
    origin.commit("third");
    let mut sandbox = Sandbox::empty();
    fs::remove_dir_all(sandbox.user()).unwrap();
    let url = format!("file://{}", origin.user().display());
    let clone = ["clone", "-q", "--depth=2", &url, "user"];
    assert!(command(&sandbox.path("")).args(clone).status().unwrap().success());
    sandbox.agent_writes("coder", "one\ntwo\nA\nthree\n");
    sandbox.commit("all");
    assert_eq!(sandbox.authors(), ["?: one", "?: two", "coder: A", "(third): three"]);
    origin.applies.clear();
}

#[test]
fn submodules_and_what_lies_in_them_have_no_lines_here() {
    let mut sandbox = Sandbox::new("one\n");
    let inner = sandbox.path("inner");
    fs::create_dir(&inner).unwrap();
    git(&inner, &["init", "-q"]);
    write(&inner, "file", "inner\n");
    commit(&inner, "inner");
    sandbox.git(&["submodule", "add", "-q", inner.to_str().unwrap(), "sub"]);
    sandbox.commit("with a submodule");
    sandbox.agent_writes("coder", "one\nA\n");
    assert_eq!(sandbox.authors(), ["(first): one", "coder: A"]);
    let error = sandbox.blame_of("sub", None, LIMITS).unwrap_err();
    assert_eq!(error.to_string(), "there is no regular file sub");
    let error = sandbox.blame_of("sub/file", None, LIMITS).unwrap_err();
    assert_eq!(error.to_string(), "git does not know sub/file");
    // In its own repository it is a file like any other.
    let request = Request {
        root: &sandbox.user().join("sub"),
        path: "file",
        content: None,
        applies: &[],
        limits: LIMITS,
    };
    assert_eq!(blame(&request).unwrap().len(), 1);
}

#[test]
fn the_root_may_lie_below_the_top() {
    let mut sandbox = Sandbox::new("one\n");
    write(&sandbox.user(), "project/file", "other\n");
    sandbox.commit("more");
    sandbox.agent_writes("coder", "one\nA\n");
    let root = sandbox.user().join("project");
    let ask =
        |path| blame(&Request { root: &root, path, content: None, applies: &[], limits: LIMITS });
    assert_eq!(ask("file").unwrap().len(), 2);
    assert_eq!(ask("project/file").unwrap().len(), 1);
}

#[test]
fn nothing_that_is_configured_runs_and_nothing_changes() {
    let mut sandbox = Sandbox::new("one\n");
    sandbox.agent_writes("coder", "one\nA\n");
    let trap = Trap::set(&sandbox.path(""));
    for key in ["diff.evil.textconv", "diff.evil.command", "filter.evil.clean", "core.fsmonitor"] {
        sandbox.git(&["config", key, trap.program()]);
    }
    sandbox.git(&["config", "filter.evil.required", "true"]);
    write(&sandbox.user(), ".gitattributes", "* diff=evil filter=evil\n");
    write(&sandbox.user(), "ignored", sandbox.git(&["rev-parse", "HEAD"]));
    sandbox.git(&["config", "blame.ignoreRevsFile", "ignored"]);
    let index = fs::read(sandbox.user().join(".git/index")).unwrap();
    let refs = sandbox.git(&["for-each-ref"]);
    assert_eq!(sandbox.authors(), ["(first): one", "coder: A"]);
    sandbox.git(&["config", "blame.ignoreRevsFile", "gone"]);
    assert_eq!(sandbox.authors(), ["(first): one", "coder: A"]);
    trap.assert_not_run();
    assert_eq!(fs::read(sandbox.user().join(".git/index")).unwrap(), index);
    assert_eq!(sandbox.git(&["for-each-ref"]), refs);
    sandbox.git(&["config", "blame.ignoreRevsFile", "ignored"]);
    sandbox.git(&["blame", "file"]);
    trap.assert_run();
}
