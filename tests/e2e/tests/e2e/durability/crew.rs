//! A crew of two agents at once and a third that needs both, between native actions, and what holds of
//! its run at the end whatever has happened on the way.

use orchestra_testkit::{Arrived, Gate, Outcome, Sandbox, eventually};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
    time::Duration,
};

/// How long a run may take until it has ended and its files are there.
pub(crate) const LIMIT: Duration = Duration::from_secs(40);

const WORKFLOW: &str = "\
description: two agents at once, and one that needs both
steps:
  - id: look
    action: todo.scan
  - id: left
    agent: left
    prompt: Do the left half.
  - id: right
    agent: right
    prompt: Do the right half.
  - id: join
    agent: join
    needs: [left, right, look]
    prompt: 'Left: {{ steps.left.status }}, right: {{ steps.right.status }}.'
    output: notes/join.md
  - id: report
    action: report.write
    needs: [look, join]
    output: documentation/report.md
";

/// A sandbox with the crew and its workflow `crew`. Every agent has one effect on the world: a line with
/// its attempt in a file outside its tree.
#[derive(Debug)]
pub(crate) struct Crew {
    pub(crate) sandbox: Sandbox,
}

impl Crew {
    pub(crate) fn new() -> Self {
        Self::that(|_, _| String::new())
    }

    /// What each agent does, by its name, after it has had its effect.
    pub(crate) fn that(act: impl Fn(&Sandbox, &str) -> String) -> Self {
        let sandbox = Sandbox::new();
        // One that has to be killed is killed soon. In a file, since shims start daemons too.
        sandbox.configure("attempt.grace = \"300ms\"\nstore.try_again = \"20ms\"\n");
        for agent in ["left", "right", "join"] {
            let effect =
                format!("echo \"$ORCHESTRA_ATTEMPT\" >> '{}'", effects(&sandbox).display());
            let note =
                "mkdir -p \"$ORCHESTRA_DIR/notes\"; echo joined > \"$ORCHESTRA_DIR/notes/join.md\"";
            let act = act(&sandbox, agent);
            sandbox.agent_script(agent, &format!("{effect}\n{act}\n{note}"));
        }
        sandbox.workflow("crew", WORKFLOW);
        sandbox.git_repo([("main.rs", "fn main() {} // TODO: greet\n")]);
        sandbox.trust();
        Self { sandbox }
    }

    /// Starts a daemon with failpoints and answers its process.
    pub(crate) fn start_daemon(&self, failpoints: &str) -> u64 {
        let started = self.sandbox.orchestra(["daemon", "start", "--json"]).failpoints(failpoints);
        pid(&started.run().success().json())
    }

    /// The process of the daemon that serves now.
    pub(crate) fn daemon(&self) -> u64 {
        pid(&self.sandbox.orchestra(["daemon", "status", "--json"]).run().success().json())
    }

    /// Waits until a daemon serves, which somebody else starts, and answers its process.
    pub(crate) fn wait_for_daemon(&self) -> u64 {
        eventually("a daemon serves", LIMIT, || {
            let status = self.sandbox.orchestra(["daemon", "status", "--json"]).run();
            (status.exit_code() == Some(0)).then(|| pid(&status.json()))
        })
    }

    /// A crew whose first two agents wait at gates.
    pub(crate) fn at_gates() -> Self {
        Self::that(|sandbox, agent| match agent {
            "join" => String::new(),
            agent => sandbox.gate(agent).to_string(),
        })
    }

    /// The gate at which an agent waits.
    pub(crate) fn gate(&self, agent: &str) -> Gate {
        Gate::at(self.sandbox.outside().join(format!("gate-{agent}")))
    }

    /// Waits until both agents work; they go on when the answer is dropped.
    pub(crate) fn both_at_work(&self) -> (Arrived, Arrived) {
        (self.gate("left").wait(), self.gate("right").wait())
    }

    /// Starts a run, the first one being `r1`, and follows it no further.
    pub(crate) fn start_run(&self) {
        self.sandbox.orchestra(["run", "crew", "--detach"]).run().success();
    }

    /// The attempts of a step of `r1`: their ids and how they ended.
    pub(crate) fn attempts(&self, step: &str) -> Vec<(String, String)> {
        let task = self.sandbox.show(&format!("r1/{step}"));
        let of = |attempt: &Value| (text(&attempt["id"]), text(&attempt["outcome"]));
        list(&task["attempts"]).iter().map(of).collect()
    }

    /// The ids of the attempts of a step of `r1`.
    pub(crate) fn ids(&self, step: &str) -> Vec<String> {
        self.attempts(step).into_iter().map(|(id, _)| id).collect()
    }

    /// Kills every process of the sandbox whose command line holds this, and there must be one.
    pub(crate) fn kill(&self, part: &str) {
        let processes = self.sandbox.processes();
        let mut killed = processes.iter().filter(|process| process.command_line.contains(part));
        let first = killed.next().unwrap_or_else(|| panic!("no {part} among {processes:?}"));
        first.kill();
        killed.for_each(orchestra_testkit::Process::kill);
    }

    /// Kills every shim, and waits until the agents that were under them have followed: one that has not
    /// might still be met at its gate.
    pub(crate) fn kill_shims(&self) {
        let agents = || -> BTreeSet<i32> {
            let processes = self.sandbox.processes();
            let agents = processes.iter().filter(|p| p.command_line.contains(".orchestra/bin/"));
            agents.map(|agent| agent.pid).collect()
        };
        let before = agents();
        self.kill("__shim");
        eventually("the agents of killed shims have ended", LIMIT, || {
            agents().is_disjoint(&before).then_some(())
        });
    }

    /// Waits until a run has ended, whether anybody follows it or not.
    pub(crate) fn wait_for_end(&self, run: &str) -> Outcome {
        self.sandbox.orchestra(["watch", run]).limit(LIMIT).run()
    }

    /// How often each attempt had its effect.
    pub(crate) fn effects(&self) -> BTreeMap<String, u32> {
        let mut seen = BTreeMap::new();
        for line in fs::read_to_string(effects(&self.sandbox)).unwrap_or_default().lines() {
            let attempt = line.split(':').next().unwrap_or_default();
            *seen.entry(attempt.to_owned()).or_default() += 1;
        }
        seen
    }

    /// Asserts everything that must hold of a run that has ended.
    #[track_caller]
    pub(crate) fn check(&self, run: &str) {
        let shown = self.sandbox.show(run);
        assert!(has_ended(&shown["run"]), "{run} has not ended: {shown:#}");
        self.check_effects(run, &shown);
        self.check_ends(run);
        eventually(&format!("the files of {run} are those of the journal"), LIMIT, || {
            self.files_differ(&shown).is_none().then_some(())
        });
        let doctor = self.sandbox.orchestra(["doctor", "--json"]).run().json();
        let problems: Vec<&Value> = doctor["problems"]
            .as_array()
            .expect("a list of problems")
            .iter()
            // That a developer tests as root is no damage.
            .filter(|problem| problem["place"] != "user")
            .collect();
        assert!(problems.is_empty(), "the doctor finds {problems:#?}");
    }

    /// Each attempt had its effect at most once, and no effect is without a recorded attempt.
    #[track_caller]
    fn check_effects(&self, run: &str, shown: &Value) {
        let effects = self.effects();
        let of_run = |attempt: &str| attempt.starts_with(&format!("{run}."));
        let mut recorded = BTreeSet::new();
        for task in list(&shown["tasks"]) {
            for attempt in list(&task["attempts"]) {
                recorded.insert(text(&attempt["id"]));
            }
            let last = list(&task["attempts"]).last();
            if let Some(attempt) = last.filter(|last| last["lane"] == "process")
                && task["status"] == "succeeded"
            {
                let id = text(&attempt["id"]);
                assert!(effects.contains_key(&id), "{id} has succeeded without its effect");
            }
        }
        for (attempt, times) in effects.iter().filter(|(attempt, _)| of_run(attempt)) {
            assert_eq!(*times, 1, "{attempt} had its effect {times} times: {shown:#}");
            assert!(recorded.contains(attempt), "{attempt} ran and is not recorded: {shown:#}");
        }
    }

    /// Each task has ended once, and once more for each time that it was opened again.
    #[track_caller]
    fn check_ends(&self, run: &str) {
        let mut ends: BTreeMap<String, i32> = BTreeMap::new();
        for event in self.sandbox.events(run) {
            let body = &event["body"];
            match body["type"].as_str() {
                Some("run-created") => {
                    for number in 1..=list(&body["plan"]["tasks"]).len() {
                        ends.insert(format!("{run}.{number}"), 1);
                    }
                }
                Some("tasks-reopened") => {
                    for task in list(&body["tasks"]) {
                        *ends.entry(text(task)).or_default() += 1;
                    }
                }
                Some("task-ended") => *ends.entry(text(&body["task"])).or_default() -= 1,
                _ => {}
            }
        }
        assert_eq!(ends.len(), 5, "the tasks of the crew: {ends:?}");
        ends.retain(|_, missing| *missing != 0);
        assert!(ends.is_empty(), "ended too rarely (+) or too often (-): {ends:?}");
    }

    /// Why the files below `.orchestra/tasks` do not say what the journal says, if so.
    fn files_differ(&self, shown: &Value) -> Option<String> {
        let folder = self.sandbox.workspace().join(".orchestra/tasks");
        list(&shown["tasks"]).iter().find_map(|task| {
            let id = text(&task["id"]);
            let path = folder.join(format!("{id}.json"));
            let mut task = task.clone();
            for attempt in task["attempts"].as_array_mut()? {
                // They are no part of the journal.
                attempt.as_object_mut()?.remove("jobs");
            }
            let mut file: Value = serde_json::from_slice(&fs::read(&path).ok()?).ok()?;
            file.as_object_mut()?.remove("seq");
            let sentinels = ["done", "error", "cancelled", "timeout"]
                .into_iter()
                .filter(|ending| folder.join(format!("{id}.{ending}")).exists())
                .count();
            (file != task || sentinels != 1)
                .then(|| format!("{id} with {sentinels} sentinels: {file:#} is not {task:#}"))
        })
    }
}

/// Where agents leave their effects.
fn effects(sandbox: &Sandbox) -> PathBuf {
    sandbox.outside().join("effects")
}

fn pid(info: &Value) -> u64 {
    info["pid"].as_u64().expect("the daemon has a pid")
}

pub(crate) fn has_ended(run: &Value) -> bool {
    matches!(run["status"].as_str(), Some("succeeded" | "failed" | "cancelled" | "timed-out"))
}

/// The elements of a list; none of anything else.
pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
