//! Agents that attack what is around them: what refuses it, and that the run goes on as if nothing were.

use orchestra_testkit::{Sandbox, eventually};
use std::{fs, path::PathBuf, time::Duration};

const LIMIT: Duration = Duration::from_secs(30);

/// Lines of `sh` with which an agent tries something by name, and says what became of it.
const TRY: &str = r#"try() {
    name=$1; shift
    if said=$("$@" 2>&1); then echo "done: $name"; else echo "refused: $name: $said"; fi
}
shell() { try "$1" sh -c "$2"; }
"#;

/// Two agents at once: one waits at the gate `victim`, the other one attacks.
struct Attack {
    sandbox: Sandbox,
    /// What the attacker has said.
    log: String,
}

impl Attack {
    /// The attacker runs these lines, in which `$victim` is the folder of the victim's attempt in the state
    /// folder, `$slot` its slot, `$ws` the workspace, `$pid` its process and `$daemon` that of the daemon.
    fn with(lines: &str) -> Self {
        let sandbox = Sandbox::new();
        let gate = sandbox.gate("victim");
        sandbox.agent_script_with(
            "victim",
            "writes: true\ncompletion: sentinel\nenv: [VICTIM_TOKEN]",
            &format!(
                "echo mine > work.txt\npwd > \"$ORCHESTRA_DIR/pwd\"\necho $$ > \"$ORCHESTRA_DIR/pid\"\n{gate}\n\
                 echo 'the honest word' > \"$ORCHESTRA_DIR/tasks/$ORCHESTRA_TASK_ID.done\""
            ),
        );
        let (state, data) = (sandbox.state(), sandbox.data());
        let (state, data) = (state.display(), data.display());
        let (run, ws) = (sandbox.runtime(), sandbox.workspace());
        let (run, ws) = (run.display(), ws.display());
        let outside = sandbox.outside();
        let outside = outside.display();
        sandbox.agent_script_with(
            "attacker",
            "writes: true",
            &format!(
                "{TRY}victim=$(echo '{state}'/*/attempts/r1.1-1)\n\
                 own=$(echo '{state}'/*/attempts/r2.1-1)\nstate='{state}'; run='{run}'; ws='{ws}'\n\
                 daemon=$(cat '{outside}/daemon')\n\
                 pwd=$(cat '{data}'/trees/*/*/out/pwd); slot=${{pwd%/src}}; pid=$(cat \"$slot/out/pid\")\n\
                 {lines}\necho own > own.txt; exit 0"
            ),
        );
        sandbox.git_repo([("readme.txt", "hello\n")]).trust();
        let before = sandbox.untouched(sandbox.workspace());

        let start = |agent: &str| sandbox.orchestra(["start", agent, "go"]);
        start("victim").env("VICTIM_TOKEN", SECRET).run().success();
        let at_work = gate.wait();
        let daemon = sandbox.orchestra(["daemon", "status", "--json"]).run().success().json();
        sandbox.write(sandbox.outside().join("daemon"), daemon["pid"].to_string());
        start("attacker").arg("--follow").run().success();
        sandbox.assert_untouched(&before);
        drop(at_work);
        sandbox.wait_for_status("r1", "succeeded");

        let log = sandbox.orchestra(["logs", "r2.1"]).run().success().stdout;
        let victim = sandbox.show("r1.1");
        assert_eq!(victim["output"]["summary"], "the honest word", "{log}");
        assert_eq!(paths(&victim), ["work.txt"], "{log}");
        assert_eq!(paths(&sandbox.show("r2.1")), ["own.txt"], "{log}");
        Self { sandbox, log }
    }

    /// Asserts that each of these was refused with one of the kernel's words. Fails with the reason where the
    /// kernel does not hold agents.
    fn all_refused(&self, names: &[&str]) -> Result<(), String> {
        let confined = &self.sandbox.show("r2.1")["output"]["confined"];
        // Signals are held since version 6.
        if confined["abi"].as_u64().is_none_or(|abi| abi < 6) {
            return Err(format!("agents are not held here, so they are not refused: {confined}"));
        }
        for name in names {
            let line = format!("refused: {name}: ");
            let said = self.log.lines().find(|said| said.starts_with(&line));
            let said = said.unwrap_or_else(|| panic!("{name} was not refused: {}", self.log));
            let words =
                ["Permission denied", "Operation not permitted", "Invalid cross-device link"];
            assert!(words.iter().any(|words| said.contains(words)), "{said}");
        }
        Ok(())
    }
}

const SECRET: &str = "open-sesame-5521";

fn paths(task: &serde_json::Value) -> Vec<String> {
    let paths = task["output"]["change"]["paths"].as_array().cloned().unwrap_or_default();
    paths.iter().filter_map(|file| file["path"].as_str().map(str::to_owned)).collect()
}

#[test]
fn nothing_but_its_own_tree_is_written_to() {
    let attack = Attack::with(
        r#"shell 'file' "echo x > '$ws/readme.txt'"
        shell 'new file' "echo x > '$ws/new.txt'"
        ln -s "$ws/readme.txt" link
        shell 'through a link' 'echo x > link'
        rm link
        shell 'by dots' 'echo x > ../../../../../../ws/readme.txt'
        try 'hard link' ln "$ws/readme.txt" hard
        shell 'config' "git -C '$ws' config core.fsmonitor /bin/false"
        shell 'hook' "echo x > '$ws/.git/hooks/pre-commit'"
        shell 'branch' "git -C '$ws' branch mine"
        shell 'slot' "echo x > '$slot/src/work.txt'"
        shell 'slot out' "echo forged > '$slot/out/tasks/r1.1.done'"
        shell 'pool' "echo x > '$slot.contents'"
        try 'move the slot' mv "$slot" "$slot.mine"
        shell 'device' 'mknod disk b 7 0'"#,
    );
    let refused = attack.all_refused(&[
        "file",
        "new file",
        "through a link",
        "by dots",
        "hard link",
        "config",
        "hook",
        "branch",
        "slot",
        "slot out",
        "pool",
        "move the slot",
        "device",
    ]);
    if let Err(why) = refused {
        println!("{why}");
    }
}

#[test]
fn no_result_answer_or_trust_is_forged() {
    let attack = Attack::with(
        r#"for attempt in "$own" "$victim"; do
            shell "result of ${attempt##*/}" "echo '{\"version\":1}' > '$attempt/result.json'"
            shell "claim of ${attempt##*/}" "echo x >> '$attempt/claim'"
            shell "events of ${attempt##*/}" "echo x >> '$attempt/events.jsonl'"
            shell "inbox of ${attempt##*/}" "echo '{}' > '$attempt/inbox/000001.json'"
        done
        shell 'sentinel in the workspace' "echo done > '$ws/.orchestra/tasks/r1.1.done'"
        shell 'trust' "echo '{}' > '$state/trust.json'"
        shell 'journal' "echo x >> '$(echo "$state"/*/orchestra.db)'"
        # Its own folder is its own to write to, and says nothing about others.
        echo 'forged' > "$ORCHESTRA_DIR/tasks/r1.1.done"
        echo 'forged' > "$ORCHESTRA_DIR/tasks/r1.1.error""#,
    );
    let refused = attack.all_refused(&[
        "result of r2.1-1",
        "claim of r2.1-1",
        "events of r2.1-1",
        "inbox of r2.1-1",
        "result of r1.1-1",
        "claim of r1.1-1",
        "events of r1.1-1",
        "inbox of r1.1-1",
        "sentinel in the workspace",
        "trust",
        "journal",
    ]);
    if let Err(why) = refused {
        println!("{why}");
    }
}

#[test]
fn nobody_is_killed_or_looked_into() {
    let attack = Attack::with(
        r#"shim=$PPID
        shell 'kill its shim' "kill -9 $shim"
        shell 'stop its shim' "kill -STOP $shim"
        shell 'kill the other agent' "kill -9 $pid"
        shell 'kill the daemon' "kill -9 $daemon"
        shell 'environment of the other agent' "cat /proc/$pid/environ"
        shell 'environment of the daemon' "cat /proc/$daemon/environ"
        shell 'memory of its shim' "cat /proc/$shim/mem"
        shell 'environments of runs' "cat '$run'/env/*"
        ln -s "$run/env" peek
        shell 'by a link' "cat peek/*"
        rm peek
        cat "$run"/env/* "$run"/env /proc/[0-9]*/environ 2> /dev/null | tr '\0' '\n' | grep TOKEN | grep -v MCP
        true"#,
    );
    assert!(!attack.log.contains(SECRET), "{}", attack.log);
    assert!(!attack.log.contains("VICTIM_TOKEN"), "{}", attack.log);
    let refused = attack.all_refused(&[
        "kill its shim",
        "stop its shim",
        "kill the other agent",
        "kill the daemon",
        "environment of the other agent",
        "environment of the daemon",
        "memory of its shim",
        "environments of runs",
        "by a link",
    ]);
    if let Err(why) = refused {
        println!("{why}");
    }
}

#[test]
fn a_sentinel_that_another_task_wrote_is_no_word_of_this_one() {
    let sandbox = Sandbox::new();
    sandbox.agent_script(
        "forger",
        "for n in 1 2 3; do echo forged > \"$ORCHESTRA_DIR/tasks/r1.$n.done\"; done",
    );
    sandbox.agent_script_with("silent", "completion: sentinel", "exit 0");
    sandbox.workflow(
        "w",
        "steps:\n  - { id: forger, agent: forger, prompt: go }\n  \
         - { id: silent, agent: silent, prompt: go, needs: [forger] }\n",
    );
    sandbox.git_repo([("a", "b")]).trust();
    sandbox.orchestra(["run", "w"]).run().code(1);
    assert_eq!(sandbox.status("r1/silent"), "failed");
    let tasks = sandbox.workspace().join(".orchestra/tasks");
    let written: Vec<bool> =
        ["r1.1.done", "r1.2.done", "r1.3.done"].map(|name| tasks.join(name).exists()).into();
    assert_eq!(written, [true, false, false]);
}

/// A child without the variables by which it would be known, in a session of its own, that has said goodbye to
/// its parents; then the shim is killed from outside, as the machine may do it when memory runs out.
#[test]
fn a_child_that_hides_is_ended_although_its_shim_was_killed() {
    let sandbox = Sandbox::new();
    let gate = sandbox.gate("hiding");
    sandbox.agent_script_with(
        "hider",
        "writes: true",
        &format!(
            "test -e \"$ORCHESTRA_DIR/../../again\" && exit 0\n\
             (setsid env -i sh -c 'trap \"\" TERM HUP; sleep 1000 & sleep 1000' < /dev/null > /dev/null 2>&1 &)\n\
             case $ORCHESTRA_ATTEMPT in r1.1@1:*) {gate};; esac"
        ),
    );
    sandbox.configure("attempt.grace = \"50ms\"\n");
    sandbox.git_repo([("a", "b")]).trust();
    sandbox.orchestra(["start", "hider", "go"]).run().success();
    let at_work = gate.wait();
    let is_shim = |line: &str| line.contains("__shim");
    for process in sandbox.processes().iter().filter(|process| is_shim(&process.command_line)) {
        process.kill();
    }
    drop(at_work);
    eventually("the run has ended", LIMIT, || {
        (!["running", "pending"].contains(&&*sandbox.status("r1"))).then_some(())
    });
    eventually("nothing of it is left", LIMIT, || {
        let left = sandbox.processes();
        left.iter().all(|process| !process.command_line.contains("sleep")).then_some(())
    });
    assert_eq!(sandbox.leases(), Vec::<PathBuf>::new());
    let attempts = sandbox.show("r1.1")["attempts"].as_array().cloned().unwrap_or_default();
    assert!(
        attempts[0]["outcome"].as_str().unwrap_or_default().contains("shim died"),
        "{attempts:?}"
    );
    assert_eq!(fs::read_dir(sandbox.runtime().join("env")).map(Iterator::count).unwrap_or(0), 0);
}
