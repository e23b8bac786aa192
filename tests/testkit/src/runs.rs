//! Workflows of a sandbox, and what their runs say about themselves.

use crate::{Sandbox, eventually};
use serde_json::Value;
use std::{fs, time::Duration};

/// How long a run may take until it is as a test waits for.
const LIMIT: Duration = Duration::from_secs(30);

impl Sandbox {
    /// A repository of one file, trusted, with these agents: names and `sh` sources.
    pub fn with_agents<'a>(agents: impl IntoIterator<Item = (&'a str, String)>) -> Self {
        let sandbox = Self::new();
        for (name, source) in agents {
            sandbox.agent_script(name, &source);
        }
        sandbox.git_repo([("readme.txt", "hello\n")]);
        sandbox.trust();
        sandbox
    }

    /// Trusts the workspace as it is.
    pub fn trust(&self) {
        self.orchestra(["trust", "--yes"]).run().success();
    }

    /// A workflow of the workspace; `text` is everything behind its name.
    pub fn workflow(&self, name: &str, text: &str) {
        self.write(format!(".orchestra/workflows/{name}.yaml"), format!("name: {name}\n{text}"));
    }

    /// The user's own configuration file.
    pub fn configure(&self, text: &str) {
        fs::create_dir_all(self.config()).expect("create the configuration's folder");
        fs::write(self.config().join("config.toml"), text).expect("write config.toml");
    }

    /// What `orchestra show --json` prints.
    #[track_caller]
    pub fn show(&self, target: &str) -> Value {
        self.orchestra(["show", target, "--json"]).run().success().json()
    }

    /// The status of a run (r1), a task (r1.2) or a step (r1/scan).
    #[track_caller]
    pub fn status(&self, target: &str) -> String {
        let shown = self.show(target);
        let view = shown.get("run").unwrap_or(&shown);
        view["status"].as_str().unwrap_or_default().to_owned()
    }

    /// Waits until a run, a task or a step has this status.
    #[track_caller]
    pub fn wait_for_status(&self, target: &str, status: &str) {
        eventually(&format!("{target} is {status}"), LIMIT, || {
            (self.status(target) == status).then_some(())
        });
    }

    /// The events of a run that has ended, in their order: `{seq, run, at, body}`.
    #[track_caller]
    pub fn events(&self, run: &str) -> Vec<Value> {
        let watched = self.orchestra(["watch", run, "--json"]).run();
        watched
            .stdout
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("a line of JSON"))
            .filter(|item| item["type"] == "event")
            .collect()
    }
}
