//! Secrets of an agent's environment: whatever the agent does with them, they are found nowhere afterwards.

use orchestra_testkit::Sandbox;

const SECRET: &str = "open-sesame-7731-and-more";

/// What is kept anywhere of a sandbox: the journal, logs, results, artifacts, memory, files of `.orchestra`, trees.
#[track_caller]
fn is_kept_nowhere(sandbox: &Sandbox) {
    let grep =
        ["-r", "--text", "--files-with-matches", SECRET, "../state", "../data", "../run", "."];
    let found = sandbox.command("grep").args(grep).run();
    assert_eq!(found.stdout, "", "the secret is kept there");
}

/// A trusted repository with an agent that gets `DEMO_TOKEN`, and a workflow that asks it for `out.md`.
fn sandbox(front_matter: &str, script: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    let script = format!("tool='{}'\n{script}", sandbox.tool());
    sandbox.agent_script_with("careless", &format!("env: [DEMO_TOKEN]\n{front_matter}"), &script);
    sandbox.workflow("w", "steps:\n  - { id: a, agent: careless, prompt: go, output: out.md }\n");
    sandbox.git_repo([("readme.txt", "hello\n")]).trust();
    sandbox
}

#[test]
fn a_secret_is_masked_wherever_an_agent_says_it_also_in_pieces() {
    let sandbox = sandbox(
        "",
        r#"echo "whole $DEMO_TOKEN"; printf '%s' "pieces ${DEMO_TOKEN%-7731*}"; printf '%s' -7731; sync
        printf '%s\n' "${DEMO_TOKEN#*-7731}"; echo "error $DEMO_TOKEN" >&2
        echo "own log $DEMO_TOKEN" > "$ORCHESTRA_LOG"
        $tool set_memory "{\"key\": \"k\", \"value\": [\"$DEMO_TOKEN\"]}" \
            report_progress "{\"message\": \"with $DEMO_TOKEN\"}"
        echo "the artifact $DEMO_TOKEN" > "$ORCHESTRA_DIR/out.md"
        printf '{"summary": "said %s", "result": {"key": "%s"}}' "$DEMO_TOKEN" "$DEMO_TOKEN" \
            > "$ORCHESTRA_DIR/tasks/$ORCHESTRA_TASK_ID.done""#,
    );
    sandbox.orchestra(["run", "w"]).env("DEMO_TOKEN", SECRET).run().success();
    let log = sandbox.orchestra(["logs", "r1.1"]).run().success().stdout;
    for line in ["whole ***\n", "pieces ***\n", "error ***\n", "own log ***\n"] {
        assert!(log.contains(line), "{log}");
    }
    let output = sandbox.show("r1.1")["output"].clone();
    assert_eq!(output["summary"], "said ***");
    assert_eq!(output["result"], serde_json::json!({ "key": "***" }));
    assert_eq!(sandbox.read(".orchestra/workspace/out.md"), "the artifact ***\n");
    is_kept_nowhere(&sandbox);
}

#[test]
fn a_failure_that_tells_a_secret_tells_it_nobody() {
    let sandbox = sandbox("", "echo \"no access with $DEMO_TOKEN\" >&2; exit 3");
    let run = sandbox.orchestra(["run", "w"]).env("DEMO_TOKEN", SECRET).run().code(1);
    run.stdout_has("no access with ***");
    is_kept_nowhere(&sandbox);
}

#[test]
fn a_file_with_a_secret_of_the_environment_is_held_back() {
    let sandbox = sandbox(
        "writes: true",
        "echo \"token = $DEMO_TOKEN\" > config.ini; echo fine > fine.txt; echo x > \"$ORCHESTRA_DIR/out.md\"",
    );
    sandbox.configure("decision.timeout = \"50ms\"\n");
    sandbox.orchestra(["run", "w"]).env("DEMO_TOKEN", SECRET).run().success();
    let change = sandbox.show("r1.1")["output"]["change"].clone();
    assert_eq!(change["paths"][0]["path"], "fine.txt", "{change:#}");
    assert_eq!(change["held"][0]["path"], "config.ini", "{change:#}");
    assert_eq!(
        change["held"][0]["reason"],
        serde_json::json!({ "type": "suspected-secret", "rule": "the value of DEMO_TOKEN" })
    );
}
