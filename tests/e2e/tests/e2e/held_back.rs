//! What an agent leaves that should not go into a change by itself waits for a person's word.

use orchestra_testkit::{Sandbox, eventually};
use serde_json::{Value, json};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(30);

/// Put together at run time, so that this file holds no credential.
fn token() -> String {
    format!("ghp_{}", "q7Zk2Xw9Rv4Tb8Nm3Lp6Jh1Gd5Fs0Ya4Ue7c")
}

/// A trusted repository with an agent that writes and runs this.
fn writer(script: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.agent_script_with("writer", "writes: true\n", script);
    sandbox.configure("collect.file_limit = \"1KiB\"\n");
    sandbox.git_repo([("deploy.sh", "#!/bin/sh\n")]).trust();
    sandbox
}

/// An agent that leaves a credential, a large file and one with which nothing is wrong.
fn leaves_all_kinds() -> Sandbox {
    writer(&format!(
        "echo 'TOKEN={}' >> deploy.sh; head -c 2000 /dev/zero > data.bin; echo fine > fine.txt",
        token()
    ))
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

fn change(sandbox: &Sandbox) -> Value {
    sandbox.show("r1")["tasks"][0]["output"]["change"].clone()
}

/// The files of the change, and what is held back of it.
fn files(sandbox: &Sandbox) -> (Vec<String>, Vec<String>) {
    let change = change(sandbox);
    let of = |list: &str| {
        let list = change[list].as_array().cloned().unwrap_or_default();
        list.iter().map(|one| one["path"].as_str().unwrap_or_default().to_owned()).collect()
    };
    (of("paths"), of("held"))
}

#[test]
fn a_person_takes_in_what_is_large_and_leaves_out_what_looks_like_a_secret() {
    let sandbox = leaves_all_kinds();
    sandbox.orchestra(["start", "writer", "go"]).run().success();
    let question = asked(&sandbox);
    assert_eq!(question["asker"], "orchestra");
    let text = question["question"].as_str().unwrap();
    assert!(text.contains("data.bin: large (2000 bytes)"), "{text}");
    assert!(text.contains("deploy.sh: looks like a secret (GitHub token)"), "{text}");
    assert!(!text.contains(&token()[4..]), "the secret itself is shown: {text}");
    let ids: Vec<&Value> =
        question["choices"].as_array().unwrap().iter().map(|choice| &choice["id"]).collect();
    assert_eq!(ids, [&json!("include"), &json!("include-large"), &json!("leave-out")]);
    sandbox
        .orchestra(["show", "r1"])
        .run()
        .success()
        .stdout_has("r1/d1 writer is asked about: writer has left files that Orchestra holds back")
        .stdout_has("orchestra decide r1/d1 include|include-large|leave-out");
    sandbox
        .orchestra(["decide", "r1/d1"])
        .run()
        .success()
        .stdout_has("Orchestra asks about writer (r1.1@1)")
        .stdout_has("(if nobody answers)");
    let file = sandbox.workspace().join(".orchestra/workspace/decisions/r1-d1.md");
    let heading = eventually("the question has its file", LIMIT, || {
        std::fs::read_to_string(&file).ok()?.lines().next().map(str::to_owned)
    });
    assert_eq!(heading, "# r1/d1: Orchestra asks about writer");

    sandbox.orchestra(["decide", "r1/d1", "include-large"]).run().success();

    sandbox.wait_for_status("r1", "succeeded");
    let (paths, held) = files(&sandbox);
    assert_eq!(
        (paths, held),
        (vec!["data.bin".into(), "fine.txt".into()], vec!["deploy.sh".into()])
    );
    let commit = change(&sandbox)["commit"].as_str().unwrap().to_owned();
    assert_eq!(sandbox.git(["show", &format!("{commit}:deploy.sh")]), "#!/bin/sh\n");
    sandbox.orchestra(["show", "r1.1"]).run().success().stdout_has("held back: deploy.sh");
    assert_eq!(sandbox.leases(), [""; 0].map(std::path::PathBuf::from));
}

/// Whose credential nobody has seen at the first question.
fn leaves_a_large_file_with_a_credential() -> Sandbox {
    writer(&format!("(seq 500; echo 'TOKEN={}') > large.sh; echo fine > fine.txt", token()))
}

#[test]
fn what_is_only_large_is_searched_and_asked_about_again() {
    let sandbox = leaves_a_large_file_with_a_credential();
    sandbox.orchestra(["start", "writer", "go"]).run().success();
    let text = |question: &Value| question["question"].as_str().unwrap().to_owned();
    let first = text(&asked(&sandbox));
    assert!(first.contains("large.sh: large ("), "{first}");
    sandbox.orchestra(["decide", "r1/d1", "include"]).run().success();
    let second = eventually("the second question", LIMIT, || {
        let question = asked(&sandbox);
        (question["id"] == "r1/d2").then_some(question)
    });
    let second = text(&second);
    assert!(second.contains("large.sh: looks like a secret (GitHub token)"), "{second}");
    sandbox.kill_daemon();
    sandbox.orchestra(["daemon", "start"]).run().success();
    assert_eq!(asked(&sandbox)["id"], "r1/d2", "it is the same question");
    sandbox.orchestra(["decide", "r1/d2", "leave-out"]).run().success();
    sandbox.wait_for_status("r1", "succeeded");
    assert_eq!(files(&sandbox), (vec!["fine.txt".into()], vec!["large.sh".into()]));

    let sandbox = leaves_a_large_file_with_a_credential();
    sandbox.orchestra(["start", "writer", "go"]).run().success();
    asked(&sandbox);
    sandbox.orchestra(["decide", "r1/d1", "include"]).run().success();
    eventually("the second question", LIMIT, || (asked(&sandbox)["id"] == "r1/d2").then_some(()));
    sandbox.orchestra(["decide", "r1/d2", "include"]).run().success();
    sandbox.wait_for_status("r1", "succeeded");
    assert_eq!(files(&sandbox), (vec!["fine.txt".into(), "large.sh".into()], Vec::new()));
}

#[test]
fn nobody_answers_in_time_and_everything_doubtful_stays_out() {
    let sandbox = leaves_all_kinds();
    sandbox.configure("collect.file_limit = \"1KiB\"\ndecision.timeout = \"50ms\"\n");
    sandbox.orchestra(["start", "writer", "go", "--follow"]).limit(LIMIT).run().success();
    let (paths, held) = files(&sandbox);
    assert_eq!((paths, held.len()), (vec!["fine.txt".into()], 2));
    sandbox
        .orchestra(["show", "r1.1"])
        .run()
        .success()
        .stdout_has("answered by the time-out, ")
        .stdout_has(": leave-out");
}

#[test]
fn the_daemon_may_die_before_and_after_the_answer() {
    let sandbox = leaves_all_kinds();
    sandbox.orchestra(["start", "writer", "go"]).run().success();
    asked(&sandbox);
    sandbox.kill_daemon();
    sandbox.orchestra(["daemon", "start"]).run().success();
    assert_eq!(asked(&sandbox)["id"], "r1/d1", "it is the same question");
    sandbox.orchestra(["decide", "r1/d1", "include"]).run().success();
    sandbox.kill_daemon();
    sandbox.orchestra(["daemon", "start"]).run().success();
    sandbox.wait_for_status("r1", "succeeded");
    let (paths, held) = files(&sandbox);
    assert_eq!(paths, ["data.bin", "deploy.sh", "fine.txt"]);
    assert_eq!(held, [""; 0]);
    let attempts = sandbox.show("r1")["tasks"][0]["attempts"].as_array().map(Vec::len);
    assert_eq!(attempts, Some(1), "the agent worked once");
}

#[test]
fn what_is_cancelled_while_it_waits_keeps_what_was_not_in_doubt() {
    let sandbox = leaves_all_kinds();
    sandbox.orchestra(["start", "writer", "go"]).run().success();
    asked(&sandbox);
    sandbox.orchestra(["cancel", "r1"]).run().success();
    sandbox.wait_for_status("r1", "cancelled");
    assert_eq!(files(&sandbox).0, ["fine.txt"]);
    sandbox.orchestra(["decide"]).run().success().stdout_has("nothing waits for an answer");
}

#[test]
fn nobody_is_asked_about_work_that_its_agent_calls_failed_or_about_a_secret_that_was_there() {
    let sandbox = writer(&format!("echo 'TOKEN={}' > new.sh; exit 3", token()));
    sandbox.orchestra(["start", "writer", "go", "--follow"]).run().code(1);
    assert_eq!(files(&sandbox).1, ["new.sh"]);
    sandbox.orchestra(["decide", "r1/d1"]).run().code(2);

    let sandbox = writer("echo '# the end' >> old.sh");
    sandbox.write("old.sh", format!("TOKEN={}\n", token()));
    sandbox.orchestra(["start", "writer", "go", "--follow"]).run().success();
    assert_eq!(files(&sandbox), (vec!["old.sh".into()], Vec::new()));
}
