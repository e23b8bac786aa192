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
            "right (r1.2) does not fit together with left (r1.1) in one file.\n\n\
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
        .stdout_has("right (r1.2) does not fit together with left (r1.1) in list.txt");
    assert_eq!(
        names(&sandbox, "r1"),
        ["left succeeded", "right succeeded", "merge-look failed", "look skipped"]
    );
    sandbox
        .orchestra(["show", "r1/merge-look"])
        .run()
        .success()
        .stdout_has("does not fit together: list.txt (both changed the same lines)")
        .stdout_has("both sides: git show ");
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

/// A sandbox of [`rivals`] with an agent that resolves.
fn with_resolver(script: &str) -> Sandbox {
    let sandbox = rivals("resolve: mender\nretry: { max: 1, backoff: 0s }\n");
    sandbox.agent_script_with("mender", "writes: true", script);
    sandbox.trust();
    sandbox
}

/// Keeps both lines of a conflict as one.
const MEND: &str = "cp \"$1\" \"$OUT/prompt-$ORCHESTRA_TASK_ID\"\n\
    sed -i -e '/^<<<<<<< /d;/^>>>>>>> /d' -e '/^left$/{N;N;s/left\\n=======\\nright/both/}' list.txt";

fn attempts(sandbox: &Sandbox, task: &str) -> Vec<String> {
    let attempts = sandbox.show(task)["attempts"].as_array().cloned().unwrap_or_default();
    attempts
        .iter()
        .map(|attempt| {
            let of = |key: &str| attempt[key].as_str().unwrap_or_default().to_owned();
            format!("{}: {}", of("executor"), of("outcome"))
        })
        .collect()
}

#[test]
fn the_agent_that_the_workflow_names_makes_one_text_of_two() {
    let sandbox = with_resolver("");
    let script = MEND.replace("$OUT", &sandbox.outside().display().to_string());
    sandbox.agent_script_with("mender", "writes: true", &script);
    sandbox.trust();
    sandbox.orchestra(["run", "w"]).run().success();
    assert_eq!(
        attempts(&sandbox, "r1/merge-look"),
        [
            "changes.merge: failed: right (r1.2) does not fit together with left (r1.1) in list.txt",
            "mender: succeeded",
        ]
    );
    assert_eq!(sandbox.show("r1/look")["output"]["summary"], "both right");
    let prompt = sandbox.outside().join("prompt-r1.3");
    let prompt = std::fs::read_to_string(prompt).unwrap();
    for part in [
        "- `list.txt`: both changed the same lines (line 2 of one, line 2 of the other)",
        "## What left (r1.1) was asked to do\n\nTurn left.",
        "## What right (r1.2) was asked to do\n\nTurn right.",
    ] {
        assert!(prompt.contains(part), "no {part:?} in {prompt}");
    }
    let merge = sandbox.show("r1/merge-look");
    let change = &merge["output"]["change"];
    let of_run = sandbox.show("r1");
    assert_eq!(change["base"], of_run["run"]["snapshot"]["commit"]);
    assert_eq!(merge["output"]["evidence"]["verdict"]["type"], "passed");
    let kept = reference(&sandbox, "/r1/t/r1.3-2");
    let graph = sandbox.git(["log", "--graph", "--format=%s", &kept]);
    let shown: Vec<&str> = graph.lines().map(str::trim_end).collect();
    assert_eq!(
        shown,
        [
            "* mender: merge-look",
            "*   changes.merge: merge-look (with conflicts)",
            "|\\",
            "| * right: right",
            "* | left: left",
            "|/",
            "* What the user saw when r1 started",
            "* first",
        ]
    );
    // What the second one wrote elsewhere in the file is in it.
    let list = sandbox.git(["show", &format!("{kept}:list.txt")]);
    assert_eq!(list.lines().nth(18), Some("right"));
    assert!(sandbox.leases().is_empty());
}

#[test]
fn a_marker_that_is_left_is_found_with_its_line_and_the_next_try_starts_anew() {
    // At first only the lines that begin and end a conflict.
    let script = format!(
        "if grep -q 'still has a conflict marker' \"$1\"; then\n{}\nelse\n\
         sed -i '/^<<<<<<< /d;/^>>>>>>> /d' list.txt\nfi",
        MEND.lines().nth(1).unwrap()
    );
    let sandbox = with_resolver(&script);
    sandbox.orchestra(["run", "w"]).run().success();
    assert_eq!(
        attempts(&sandbox, "r1/merge-look"),
        [
            "changes.merge: failed: right (r1.2) does not fit together with left (r1.1) in list.txt",
            "mender: failed: list.txt:3 still has a conflict marker",
            "mender: succeeded",
        ]
    );
    assert_eq!(sandbox.show("r1/look")["output"]["summary"], "both right");

    let sandbox = with_resolver("exit 0");
    sandbox.orchestra(["run", "w"]).run().code(1).stdout_has("nothing is put right");
    assert_eq!(sandbox.status("r1/merge-look"), "failed");
}

#[test]
fn a_third_work_that_does_not_fit_to_what_was_put_right_is_put_right_in_turn() {
    let sandbox = Sandbox::new();
    for (name, text) in [("a", "red"), ("b", "green"), ("c", "blue")] {
        sandbox.agent_script_with(name, "writes: true", &format!("echo {text} > colour.txt"));
    }
    // All lines but the markers, as one.
    sandbox.agent_script_with(
        "mender",
        "writes: true",
        "mix=$(grep -vE '^(<<<<<<<|=======|>>>>>>>)' colour.txt | tr '\\n' '-'); echo \"${mix%-}\" > colour.txt",
    );
    sandbox.workflow(
        "w",
        "resolve: mender\nsteps:\n  - { id: a, agent: a, prompt: a }\n  - { id: b, agent: b, prompt: b }\n  \
         - { id: c, agent: c, prompt: c }\n",
    );
    sandbox.git_repo([("colour.txt", "none\n")]).trust();
    sandbox.orchestra(["run", "w"]).run().success();
    assert_eq!(
        attempts(&sandbox, "r1/merge"),
        [
            "changes.merge: failed: b (r1.2) does not fit together with a (r1.1) in colour.txt",
            "mender: failed: c (r1.3) does not fit together with a (r1.1) and b (r1.2) in colour.txt",
            "mender: succeeded",
        ]
    );
    let kept = reference(&sandbox, "/r1/t/r1.4-3");
    assert_eq!(sandbox.git(["show", &format!("{kept}:colour.txt")]), "red-green-blue\n");
}

#[test]
fn several_conflicts_are_several_questions() {
    let sandbox = Sandbox::new();
    for (name, text) in [("a", "red"), ("b", "green"), ("c", "blue")] {
        sandbox.agent_script_with(name, "writes: true", &format!("echo {text} > colour.txt"));
    }
    sandbox.workflow(
        "w",
        "steps:\n  - { id: a, agent: a, prompt: a }\n  - { id: b, agent: b, prompt: b }\n  \
         - { id: c, agent: c, prompt: c }\n",
    );
    sandbox.git_repo([("colour.txt", "none\n")]).trust();
    sandbox.orchestra(["run", "w", "--detach"]).run().success();
    let ids = |question: &Value| {
        let choices = question["choices"].as_array().unwrap().iter();
        choices.map(|choice| choice["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&asked(&sandbox)), ["r1.1", "r1.2", "stop"]);
    sandbox.orchestra(["decide", "r1/d1", "r1.2"]).run().success();
    let second = eventually("the second question", LIMIT, || {
        let question = asked(&sandbox);
        (question["id"] == "r1/d2").then_some(question)
    });
    assert_eq!(ids(&second), ["r1.1+r1.2", "r1.3", "stop"]);
    // A daemon that begins anew is told both answers, each once.
    sandbox.kill_daemon();
    sandbox.orchestra(["decide", "r1/d2", "r1.1+r1.2"]).run().success();
    sandbox.wait_for_status("r1", "succeeded");
    let kept = reference(&sandbox, "/r1/t/r1.4-1");
    assert_eq!(sandbox.git(["show", &format!("{kept}:colour.txt")]), "green\n");
    assert_eq!(sandbox.show("r1/merge")["decisions"].as_array().map(Vec::len), Some(2));
}

#[test]
fn works_that_fit_together_and_break_each_other_are_red_and_can_be_put_right() {
    let renames = "sed -i s/hello/greet/ lib.sh use.sh";
    let calls = "echo 'hello again' >> more.sh";
    let crew = |keys: &str| {
        let sandbox = Sandbox::new();
        sandbox.agent_script_with("renamer", "writes: true", renames);
        sandbox.agent_script_with("caller", "writes: true", calls);
        sandbox.agent_script_with("mender", "writes: true", "sed -i s/hello/greet/ more.sh");
        sandbox.workflow(
            "w",
            &format!(
                "verify: sh check.sh\n{keys}steps:\n  - {{ id: rename, agent: renamer, prompt: rename }}\n  \
                 - {{ id: call, agent: caller, prompt: call }}\n"
            ),
        );
        sandbox.git_repo([
            ("lib.sh", "hello() { echo \"$@\"; }\n"),
            ("use.sh", ". ./lib.sh\nhello you\n"),
            ("more.sh", ". ./lib.sh\n"),
            ("check.sh", "set -e\nsh -e use.sh\nsh -e more.sh\n"),
        ]);
        sandbox.trust();
        sandbox
    };
    let sandbox = crew("");
    sandbox.orchestra(["run", "w"]).run().code(1).stdout_has("`sh check.sh`");
    assert_eq!(sandbox.status("r1/merge"), "failed");
    assert_eq!(attempts(&sandbox, "r1/merge").len(), 1, "the same merge is as red again");

    let sandbox = crew("resolve: mender\n");
    sandbox.orchestra(["run", "w"]).run().success();
    assert_eq!(attempts(&sandbox, "r1/merge").len(), 2);
    let kept = reference(&sandbox, "/r1/t/r1.3-2");
    assert_eq!(sandbox.git(["show", &format!("{kept}:more.sh")]), ". ./lib.sh\ngreet again\n");
}

#[test]
fn of_what_is_no_text_the_whole_file_of_one_side_counts() {
    let sandbox = Sandbox::new();
    sandbox.agent_script_with("a", "writes: true", "printf 'a\\0a' > image; echo a >> both.txt");
    sandbox.agent_script_with(
        "b",
        "writes: true",
        "printf 'b\\0b' > image; rm both.txt; echo b > new.txt",
    );
    sandbox.workflow(
        "w",
        "steps:\n  - { id: a, agent: a, prompt: a }\n  - { id: b, agent: b, prompt: b }\n",
    );
    sandbox.git_repo([("image", "0\0"), ("both.txt", "text\n")]).trust();
    sandbox.orchestra(["run", "w", "--detach"]).run().success();
    let question = asked(&sandbox);
    let text = question["question"].as_str().unwrap();
    assert!(text.contains("does not fit together with a (r1.1) in 2 files"), "{text}");
    assert!(text.contains("image: both changed it, and it is no text"), "{text}");
    assert!(text.contains("both.txt: one changed it, the other deleted it"), "{text}");
    sandbox.orchestra(["decide", "r1/d1", "r1.2"]).run().success();
    sandbox.wait_for_status("r1", "succeeded");
    let kept = reference(&sandbox, "/r1/t/r1.3-1");
    assert_eq!(sandbox.git(["ls-tree", "--name-only", &kept]), ".orchestra\nimage\nnew.txt\n");
    assert_eq!(sandbox.git(["show", &format!("{kept}:image")]), "b\0b");
}

#[test]
fn where_one_or_nobody_has_changed_something_that_is_handed_on_unchecked() {
    let steps = |left: &str, right: &str| {
        let sandbox = crew(left, right, "");
        let text = sandbox.read(".orchestra/workflows/w.yaml");
        let text = text
            .replace("Turn left.", "Turn left., allow_empty: true, verify: []")
            .replace("Turn right.", "Turn right., allow_empty: true, verify: []");
        sandbox.write(".orchestra/workflows/w.yaml", text);
        sandbox.trust();
        sandbox.orchestra(["run", "w"]).run().success();
        sandbox
    };
    // It would be red.
    let sandbox = steps("sed -i 1d list.txt", "true");
    let merge = sandbox.show("r1/merge-look");
    assert_eq!(merge["output"]["summary"], "1 work handed on, 1 file");
    assert_eq!(merge["output"]["evidence"], Value::Null);
    assert_eq!(sandbox.show("r1/look")["output"]["summary"], "3 20");

    let sandbox = steps("true", "true");
    assert_eq!(sandbox.show("r1/merge-look")["output"]["summary"], "there is nothing to merge");
    assert_eq!(sandbox.show("r1/look")["output"]["summary"], "2 19");
}

#[test]
fn a_writer_that_fails_leaves_nothing_to_merge_and_its_neighbours_work_is_kept() {
    let sandbox = crew(&line(2, "left"), "exit 3", "");
    sandbox.orchestra(["run", "w"]).run().code(1);
    assert_eq!(
        names(&sandbox, "r1"),
        ["left succeeded", "right failed", "merge-look skipped", "look skipped"]
    );
    reference(&sandbox, "/r1/t/r1.1-1");
}

#[test]
fn a_merge_that_is_cancelled_while_it_waits_ends_at_once() {
    let sandbox = rivals("");
    sandbox.orchestra(["run", "w", "--detach"]).run().success();
    asked(&sandbox);
    sandbox.orchestra(["cancel", "r1"]).run().success();
    sandbox.wait_for_status("r1", "cancelled");
    sandbox.orchestra(["decide"]).run().success().stdout_has("nothing waits for an answer");
    assert!(sandbox.leases().is_empty());
}
