//! Making an attempt of an agent ready to be started.

use super::{
    command_line::{self, Mcp, Values},
    environment, state,
    tools::Tools,
};
use crate::{
    attempt::{DaemonContact, Spec, new_nonce},
    caches,
    confine::{OwnSandbox, Scope},
};
use orchestra_core::{
    agent::AgentProfile,
    config::AttemptConfig,
    ids::{AttemptId, WorkspaceId},
    outcome::{Failure, FailureKind},
    time::Millis,
};
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

/// What is to be run, and where.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    pub workspace: &'a WorkspaceId,
    pub attempt: AttemptId,
    pub profile: &'a AgentProfile,
    /// The workspace's root, from which programs with a relative path come.
    pub root: &'a Path,
    /// The slot with `src`, `tmp` and `out`, which exists.
    pub slot: &'a Path,
    /// Where the agent starts: `src`, or the workspace's folder in it.
    pub directory: &'a Path,
    /// What the agent may write to, and what holds it there; its state and its caches are added.
    pub scope: Scope,
    /// Folders that must not become writable by what an agent file names as the agent's state: what
    /// Orchestra keeps, and the workspace.
    pub protected: &'a [PathBuf],
    /// Where the caches of agents lie, see [`crate::caches`].
    pub caches: &'a Path,
    /// All that the agent is told, see [`crate::prompt`].
    pub prompt: &'a str,
    /// The run's plan, of which the agent gets a copy.
    pub plan: &'a str,
    /// The run's environment.
    pub environment: &'a BTreeMap<String, String>,
    pub timeout: Millis,
    pub config: &'a AttemptConfig,
    pub daemon: Option<DaemonContact>,
    /// Where the agent finds its tools; `None`: it gets none.
    pub tools: Option<Tools<'a>>,
}

/// What [`crate::attempt::AttemptDir::create`] and [`crate::attempt::spawn_shim`] take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    pub spec: Spec,
    /// All that shim and agent get. It may hold secrets.
    pub environment: BTreeMap<String, String>,
}

/// Finds the program, fills in its arguments, and writes prompt and plan into the slot.
pub fn prepare(request: &Request<'_>) -> Result<Prepared, Failure> {
    // A folder of its own: what lies directly in `out` is what the agent hands over.
    let input = request.slot.join("out").join("input");
    let (prompt_file, plan_file) = (input.join("prompt.md"), input.join("plan.md"));
    let mcp_file = input.join("mcp.json");
    let values = Values {
        prompt: request.prompt,
        prompt_file: &prompt_file,
        mcp: request.tools.map(|tools| Mcp { program: tools.program, config: &mcp_file }),
        task_id: request.attempt.task().to_string(),
        tree: request.directory,
    };
    let profile = request.profile;
    let (program, arguments) =
        command_line::of(profile, &values, request.root, request.environment)?;
    fs::create_dir_all(&input)
        .map_err(|error| environment_failure(&format!("create {}", input.display()), &error))?;
    write(&prompt_file, request.prompt)?;
    write(&plan_file, request.plan)?;
    if let Some(tools) = request.tools {
        write(&mcp_file, &tools.server_config())?;
    }
    let copies = request.slot.join("tmp").join("state");
    let state = state::prepare(profile, request.environment, &copies, request.protected)?;
    let caches = caches::prepare(request.caches, &profile.caches, request.environment)
        .map_err(|error| environment_failure("prepare the caches of build tools", &error))?;
    let mut scope = request.scope.clone();
    scope.write.extend(state.shared.iter().cloned().chain(caches.write));
    let mut spec = Spec {
        workspace: request.workspace.clone(),
        attempt: request.attempt,
        nonce: new_nonce().map_err(|error| environment_failure("draw random numbers", &error))?,
        agent: profile.name.clone(),
        program,
        arguments,
        directory: request.directory.to_owned(),
        slot: request.slot.to_owned(),
        scope,
        own_sandbox: own_sandbox(profile),
        shared_state: state.shared,
        completion: profile.completion,
        prints: profile.prints,
        timeout: request.timeout,
        grace: request.config.grace,
        sentinel_wait: request.config.sentinel_wait,
        log_limit: request.config.log_limit.0,
        secrets: Vec::new(),
        daemon: request.daemon.clone(),
        broker: request.tools.map(|tools| tools.spec()).transpose()?,
    };
    let mut environment = environment::of_agent(profile, request.environment, &spec, &plan_file);
    if let Some(tools) = request.tools {
        environment.extend(tools.variables()?);
    }
    environment.extend(caches.variables.into_iter().chain(state.variables));
    spec.secrets = environment::secrets(&environment);
    Ok(Prepared { spec, environment })
}

/// Its switches go before a `--`, behind which nothing is a switch.
fn own_sandbox(profile: &AgentProfile) -> Option<OwnSandbox> {
    let arguments = profile.command.get(1..).unwrap_or_default();
    let at = arguments.iter().position(|argument| argument == "--").unwrap_or(arguments.len());
    profile.own_sandbox.then(|| OwnSandbox { off: profile.sandbox_off.clone(), at })
}

fn write(path: &PathBuf, text: &str) -> Result<(), Failure> {
    fs::write(path, text)
        .map_err(|error| environment_failure(&format!("write {}", path.display()), &error))
}

pub(super) fn environment_failure(what: &str, error: &io::Error) -> Failure {
    Failure {
        kind: FailureKind::Environment,
        message: format!("{what}: {error}"),
        hint: Some("see `orchestra doctor`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use orchestra_core::agent::{Completion, Origin, Runtime};
    use std::os::unix::fs::PermissionsExt as _;

    fn profile(command: &[&str]) -> AgentProfile {
        AgentProfile {
            name: "coder".to_owned(),
            description: String::new(),
            kind: String::new(),
            category: String::new(),
            capabilities: vec![],
            tools: vec![],
            model: Some("large".to_owned()),
            runtime: Runtime::Cli,
            command: command.iter().map(|&argument| argument.to_owned()).collect(),
            backend: None,
            writes: true,
            completion: Completion::Sentinel,
            priority: 0,
            max_load: 1,
            timeout: Millis::minutes(1),
            fallback: vec![],
            env: vec!["CODER_API_KEY".to_owned(), "CODER_MODE".to_owned()],
            state: Vec::new(),
            state_mode: Default::default(),
            caches: Vec::new(),
            own_sandbox: false,
            sandbox_off: Vec::new(),
            variables: BTreeMap::from([("CODER_UPDATES".to_owned(), "off".to_owned())]),
            prints: Default::default(),
            requires: vec![],
            status: Default::default(),
            origin: Origin::User,
            system_prompt: String::new(),
        }
    }

    /// A folder with a workspace, a slot, and a program `agent` in `bin`.
    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for part in ["root", "slot/out", "slot/src", "bin"] {
            fs::create_dir_all(folder.path().join(part)).unwrap();
        }
        for (name, mode) in [("agent", 0o755), ("text", 0o644)] {
            let path = folder.path().join("bin").join(name);
            fs::write(&path, "").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        }
        folder
    }

    fn prepare_in(
        folder: &Path,
        profile: &AgentProfile,
        prompt: &str,
    ) -> Result<Prepared, Failure> {
        let bin = folder.join("bin").display().to_string();
        let environment = BTreeMap::from(
            [
                ("PATH", format!("relative::{bin}")),
                ("LC_TIME", "C".to_owned()),
                ("XDG_STATE_HOME", "/state".to_owned()),
                ("TMPDIR", "/tmp".to_owned()),
                ("CODER_API_KEY", "sk-live-0123456789".to_owned()),
                ("CODER_MODE", "fast".to_owned()),
                ("OTHER_API_KEY", "not for this one".to_owned()),
                ("ORCHESTRA_ATTEMPT", "of somebody else".to_owned()),
                ("LD_PRELOAD", "/tmp/evil.so".to_owned()),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        );
        prepare(&Request {
            workspace: &"abcdefgh".parse().unwrap(),
            attempt: "r1.2@3".parse().unwrap(),
            profile,
            root: &folder.join("root"),
            slot: &folder.join("slot"),
            directory: &folder.join("slot/src"),
            scope: Scope::default(),
            protected: &[],
            caches: &folder.join("caches"),
            prompt,
            plan: "# the plan",
            environment: &environment,
            timeout: Millis::minutes(1),
            config: &Default::default(),
            daemon: None,
            tools: None,
        })
    }

    fn refused(command: &[&str], prompt: &str) -> (FailureKind, String, String) {
        let failure = prepare_in(folder().path(), &profile(command), prompt).unwrap_err();
        (failure.kind, failure.message, failure.hint.unwrap())
    }

    #[test]
    fn an_agent_gets_its_arguments_its_files_and_no_more_environment_than_it_names() {
        let folder = folder();
        let command =
            ["agent", "-m", "{model}", "--task={task_id}", "{prompt}", "@{prompt_file}", "{tree}"];
        let Prepared { spec, environment } =
            prepare_in(folder.path(), &profile(&command), "do it {model}").unwrap();
        let at = |path: &str| folder.path().join(path).display().to_string();
        assert_eq!(spec.program, folder.path().join("bin/agent"));
        let prompt_file = format!("@{}", at("slot/out/input/prompt.md"));
        // What stands in the prompt is no placeholder.
        let expected =
            ["-m", "large", "--task=r1.2", "do it {model}", &prompt_file, &at("slot/src")];
        assert_eq!(spec.arguments, expected);
        assert_eq!((spec.completion, spec.timeout), (Completion::Sentinel, Millis::minutes(1)));
        assert_eq!(spec.secrets, ["CODER_API_KEY"]);
        assert_eq!(fs::read_to_string(&prompt_file[1..]).unwrap(), "do it {model}");
        assert_eq!(fs::read_to_string(at("slot/out/input/plan.md")).unwrap(), "# the plan");
        let expected = [
            ("CODER_API_KEY", "sk-live-0123456789".to_owned()),
            ("CODER_MODE", "fast".to_owned()),
            ("CODER_UPDATES", "off".to_owned()),
            ("LC_TIME", "C".to_owned()),
            ("ORCHESTRA_ATTEMPT", format!("r1.2@3:{}", spec.nonce)),
            ("ORCHESTRA_DIR", at("slot/out")),
            ("ORCHESTRA_LOG", at("slot/out/log")),
            ("ORCHESTRA_PLAN", at("slot/out/input/plan.md")),
            ("ORCHESTRA_TASK_ID", "r1.2".to_owned()),
            ("PATH", format!("relative::{}", at("bin"))),
            ("TMPDIR", at("slot/tmp")),
            ("XDG_STATE_HOME", "/state".to_owned()),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value));
        assert_eq!(environment, BTreeMap::from(expected));
    }

    #[test]
    fn programs_come_from_the_workspace_or_from_absolute_folders_on_path() {
        let folder = folder();
        let find = |program: &str| {
            prepare_in(folder.path(), &profile(&[program]), "")
                .map(|prepared| prepared.spec.program)
        };
        fs::write(folder.path().join("root/agent.sh"), "").unwrap();
        assert_eq!(find("./agent.sh").unwrap(), folder.path().join("root/./agent.sh"));
        let absolute = folder.path().join("bin/text");
        assert_eq!(find(absolute.to_str().unwrap()).unwrap(), absolute);
        let message = |program: &str| find(program).unwrap_err().message;
        assert_eq!(message("no-such"), "the program `no-such` of agent `coder` is not on PATH");
        // It lies on PATH and cannot be run.
        assert_eq!(message("text"), "the program `text` of agent `coder` is not on PATH");
        assert!(message("./no-such").ends_with("root/./no-such of agent `coder` does not exist"));
    }

    #[test]
    fn what_cannot_be_filled_in_is_refused_with_the_next_step() {
        let long = "ä".repeat(60 * 1024);
        let (kind, message, hint) = refused(&["agent", "{prompt}"], &long);
        assert_eq!(kind, FailureKind::NotStarted);
        let expected = "the prompt for agent `coder` has 120 KiB, and an argument can hold 100 KiB";
        assert_eq!(message, expected);
        assert_eq!(hint, "use `{prompt_file}` in place of `{prompt}` in its command");
        assert!(prepare_in(folder().path(), &profile(&["agent", "{prompt_file}"]), &long).is_ok());

        let (_, message, _) = refused(&["agent", "{prompt}"], "a\0b");
        assert_eq!(message, "the prompt for agent `coder` has a NUL character");
        let (_, message, hint) = refused(&["agent", "{promt}"], "");
        assert_eq!(message, "the command of agent `coder` has no placeholder `{promt}`");
        assert_eq!(hint, "write `{{promt}}` for the text in braces itself");
        let (_, message, _) = refused(&[], "");
        assert_eq!(message, "agent `coder` has no command");

        let nameless = AgentProfile { model: None, ..profile(&["agent", "{model}"]) };
        let failure = prepare_in(folder().path(), &nameless, "").unwrap_err();
        assert_eq!(
            failure.message,
            "agent `coder` uses `{model}` in its command and names no model"
        );
    }
}
