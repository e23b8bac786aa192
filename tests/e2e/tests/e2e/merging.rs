//! The works of several agents become one: by git where they fit, by a person's word or an agent where not.

use orchestra_testkit::{Sandbox, eventually};
use serde_json::{Value, json};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(30);

/// Twenty lines, and a check that there are so many.
const CHECK: &str = "test \"$(wc -l < list.txt)\" -eq 20 || { echo 'not twenty lines'; exit 1; }\n";

/// A workflow with two writers, given as `sh` sources, and a reader who needs both and says what it finds in
/// the list's second and last line but one.
fn crew(left: &str, right: &str, keys: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.agent_script_with("left", "writes: true", left);
    sandbox.agent_script_with("right", "writes: true", right);
    sandbox.agent_script("reader", "sed -n '2p;19p' list.txt | tr '\\n' ' '");
    sandbox.workflow(
        "w",
        &format!(
            "verify: [[sh, check.sh]]\n{keys}steps:\n  \
             - {{ id: left, agent: left, prompt: Turn left. }}\n  \
             - {{ id: right, agent: right, prompt: Turn right. }}\n  \
             - {{ id: look, agent: reader, prompt: Look., needs: [left, right] }}\n"
        ),
    );
    let list: String = (1..=20).map(|number| format!("{number}\n")).collect();
    sandbox.git_repo([("list.txt", list.as_str()), ("check.sh", CHECK)]).trust();
    sandbox
}

/// Has an agent replace a line of the list.
fn line(number: u32, text: &str) -> String {
    format!("sed -i '{number}s/.*/{text}/' list.txt")
}

/// Both want the second line to be theirs.
fn rivals(keys: &str) -> Sandbox {
    crew(&line(2, "left"), &format!("{}; {}", line(2, "right"), line(19, "right")), keys)
}

fn names(sandbox: &Sandbox, run: &str) -> Vec<String> {
    let shown = sandbox.show(run);
    let tasks = shown["tasks"].as_array().cloned().unwrap_or_default();
    tasks
        .iter()
        .map(|task| {
            format!("{} {}", task["step"].as_str().unwrap(), task["status"].as_str().unwrap())
        })
        .collect()
}

/// The name of a reference of a run.
fn reference(sandbox: &Sandbox, name: &str) -> String {
    let all = sandbox.git(["for-each-ref", "--format=%(refname)", "refs/orchestra"]);
    let found = all.lines().find(|line| line.ends_with(name));
    found.unwrap_or_else(|| panic!("no {name} in {all}")).to_owned()
}

/// Waits for the one question that is open.
#[track_caller]
fn asked(sandbox: &Sandbox) -> Value {
    eventually("a question is open", LIMIT, || {
        let listed = sandbox.orchestra(["decide", "--json"]).run().success().json();
        let open = listed["decisions"].as_array().cloned().unwrap_or_default();
        (open.len() == 1).then(|| open[0].clone())
    })
}

#[test]
fn two_works_come_together_before_the_step_that_needs_both() {
    let sandbox = crew(&line(2, "left"), &line(19, "right"), "");
    sandbox
        .orchestra(["workflows", "check", "w"])
        .run()
        .success()
        .stdout_has("merge-look")
        .stdout_has("changes.merge");
    sandbox.orchestra(["run", "w"]).run().success();

    assert_eq!(
        names(&sandbox, "r1"),
        ["left succeeded", "right succeeded", "merge-look succeeded", "look succeeded"]
    );
    assert_eq!(sandbox.show("r1/look")["output"]["summary"], "left right");
    let merge = sandbox.show("r1/merge-look");
    let output = &merge["output"];
    assert_eq!(output["summary"], "2 works merged, 1 file");
    assert_eq!(output["result"], json!({ "works": ["left", "right"], "files": 1, "decided": [] }));
    assert_eq!(output["evidence"]["verdict"]["type"], "passed", "{merge:#}");
    assert_eq!(output["change"]["files"], 1);
    let of_run = sandbox.show("r1");
    let snapshot = &of_run["run"]["snapshot"]["commit"];
    assert_eq!(&output["change"]["base"], snapshot);
    let kept = reference(&sandbox, "/r1/t/r1.3-1");
    let graph = sandbox.git(["log", "--graph", "--format=%s", &kept]);
    let shown: Vec<&str> = graph.lines().map(str::trim_end).collect();
    assert_eq!(
        shown,
        [
            "*   changes.merge: merge-look",
            "|\\",
            "| * right: right",
            "* | left: left",
            "|/",
            "* What the user saw when r1 started",
            "* first",
        ]
    );
    let attempts = &sandbox.show("r1/look")["attempts"];
    assert_eq!(attempts.as_array().map(Vec::len), Some(1));
    assert_eq!(sandbox.git(["status", "--porcelain"]), "", "the user's files are as they were");
    assert!(sandbox.leases().is_empty());
    sandbox.orchestra(["show", "r1/merge-look"]).run().success().stdout_has("is green");
    assert!(sandbox.read(".orchestra/plans/r1.md").contains("merge-look"));
}

#[test]
fn a_person_says_whose_line_counts_and_nothing_else_is_lost() {
    for (choice, second) in [("r1.1", "left"), ("r1.2", "right")] {
        let sandbox = rivals("");
        sandbox.orchestra(["run", "w", "--detach"]).run().success();
        let question = asked(&sandbox);
        assert_eq!(question["asker"], "orchestra");
        assert_eq!(
            question["question"].as_str().unwrap(),
            "left (r1.1) and right (r1.2) do not fit together in one file.\n\n\
             list.txt: both changed the same lines\n  \
               left (r1.1), line 2:\n    | left\n  \
               right (r1.2), line 2:\n    | right\n\n\
             Whose version counts in these places? Everything else of both is merged. Of a file that is no \
             text, all of it counts."
        );
        let ids: Vec<&Value> =
            question["choices"].as_array().unwrap().iter().map(|choice| &choice["id"]).collect();
        assert_eq!(ids, [&json!("r1.1"), &json!("r1.2"), &json!("stop")]);
        sandbox.orchestra(["decide", "r1/d1", choice]).run().success();
        sandbox.wait_for_status("r1", "succeeded");
        let merge = sandbox.show("r1/merge-look");
        assert_eq!(
            merge["output"]["result"]["decided"],
            json!([{ "path": "list.txt", "takes": choice }])
        );
        assert_eq!(merge["output"]["evidence"]["verdict"]["type"], "passed");
        assert_eq!(sandbox.show("r1/look")["output"]["summary"], format!("{second} right"));
    }
}

#[test]
fn who_chooses_to_stop_or_says_nothing_loses_no_work_and_may_try_again() {
    let sandbox = rivals("");
    sandbox.configure("decision.timeout = \"50ms\"\n");
    sandbox
        .orchestra(["run", "w"])
        .run()
        .code(1)
        .stdout_has("left (r1.1) and right (r1.2) do not fit together in list.txt");
    assert_eq!(
        names(&sandbox, "r1"),
        ["left succeeded", "right succeeded", "merge-look failed", "look skipped"]
    );
    let merge = sandbox.show("r1/merge-look");
    assert_eq!(merge["failure"]["kind"], "conflict");
    let unmerged = &merge["output"]["unmerged"];
    assert_eq!(unmerged["works"], json!(["r1.1", "r1.2"]));
    assert_eq!(unmerged["conflicts"][0]["path"], "list.txt");
    for (work, text) in [("r1.1-1", "left"), ("r1.2-1", "right")] {
        let commit = reference(&sandbox, work);
        let list = sandbox.git(["show", &format!("{commit}:list.txt")]);
        assert_eq!(list.lines().nth(1), Some(text));
    }

    sandbox.orchestra(["daemon", "stop"]).run().success();
    sandbox.configure("");
    sandbox.orchestra(["retry", "r1/merge-look"]).run().success();
    assert_eq!(asked(&sandbox)["id"], "r1/d2");
    sandbox.orchestra(["decide", "r1/d2", "stop"]).run().success();
    sandbox.wait_for_status("r1", "failed");
    sandbox.orchestra(["retry", "r1/merge-look"]).run().success();
    asked(&sandbox);
    sandbox.orchestra(["decide", "r1/d3", "r1.2"]).run().success();
    sandbox.wait_for_status("r1", "succeeded");
    assert_eq!(sandbox.show("r1/look")["output"]["summary"], "right right");
}
