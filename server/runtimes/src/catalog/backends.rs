//! The known agent programs: how each is run without a person, for agents that bring no command.
//!
//! Those of `codex` and `gemini` are run by the tests with real tools; those of the others but `claude` were
//! tried by hand; that of `claude` follows its manual. Each ends by itself when the work is done, asks nobody,
//! and prints what it does.

use super::programs;
use crate::cli::looks_secret;
use orchestra_core::{
    agent::{AgentProfile, Prints},
    config::{Config, Origin},
    diagnostic::Diagnostic,
};
use std::{collections::BTreeMap, ffi::OsStr, path::Path};

/// A known agent program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backend {
    /// As the setting `agents.backends` and the key `backend` name it.
    pub name: &'static str,
    /// The command line that installs it for this user.
    pub install: &'static str,
    /// The command line that logs in; none where there are keys only.
    pub login: Option<&'static str>,
    /// What is looked for on PATH, and what gets the prompt.
    command: &'static [&'static str],
    /// What is added for an agent that names a model.
    model: &'static [&'static str],
    /// Variables of the user that it may get: keys, and where its model and its settings are.
    env: &'static [&'static str],
    /// Variables that keep it from doing more than its task.
    variables: &'static [(&'static str, &'static str)],
    /// What it prints.
    prints: Prints,
    /// Where it keeps logins and settings.
    state: &'static [&'static str],
    /// Whether it confines itself when it is not told otherwise.
    own_sandbox: bool,
    /// What switches its own sandbox off.
    sandbox_off: &'static [&'static str],
}

const ANTHROPIC: &str = "ANTHROPIC_API_KEY";
const OPENAI: &str = "OPENAI_API_KEY";
const GEMINI: &str = "GEMINI_API_KEY";

/// In the order in which they are looked for where nobody says otherwise.
pub static BACKENDS: [Backend; 6] = [
    Backend {
        name: "claude",
        install: "npm install --global @anthropic-ai/claude-code",
        login: Some("claude"),
        command: &["claude", "--print", "--permission-mode", "bypassPermissions", "{prompt}"],
        model: &["--model", "{model}"],
        env: &[
            ANTHROPIC,
            "ANTHROPIC_AUTH_TOKEN",
            "ANTHROPIC_BASE_URL",
            "CLAUDE_CODE_OAUTH_TOKEN",
            "CLAUDE_CONFIG_DIR",
        ],
        variables: &[("DISABLE_AUTOUPDATER", "1")],
        prints: Prints::Text,
        state: &["${CLAUDE_CONFIG_DIR:-~/.claude}/", "~/.claude.json"],
        own_sandbox: false,
        sandbox_off: &[],
    },
    Backend {
        name: "codex",
        install: "npm install --global @openai/codex",
        login: Some("codex login"),
        command: &[
            "codex",
            "exec",
            "--json",
            "--config",
            "sandbox_mode=\"workspace-write\"",
            "{prompt}",
        ],
        model: &["--model", "{model}"],
        env: &[OPENAI, "CODEX_API_KEY", "CODEX_HOME", "OPENAI_BASE_URL"],
        variables: &[],
        prints: Prints::CodexEvents,
        state: &["${CODEX_HOME:-~/.codex}/"],
        own_sandbox: true,
        sandbox_off: &["--config", "sandbox_mode=\"danger-full-access\""],
    },
    Backend {
        name: "gemini",
        install: "npm install --global @google/gemini-cli",
        login: Some("gemini"),
        command: &["gemini", "--yolo", "--output-format", "stream-json", "--prompt", "{prompt}"],
        model: &["--model", "{model}"],
        env: &[
            GEMINI,
            "GEMINI_CLI_HOME",
            "GEMINI_MODEL",
            "GOOGLE_API_KEY",
            "GOOGLE_APPLICATION_CREDENTIALS",
            "GOOGLE_CLOUD_LOCATION",
            "GOOGLE_CLOUD_PROJECT",
            "GOOGLE_GEMINI_BASE_URL",
            "GOOGLE_GENAI_USE_GCA",
            "GOOGLE_GENAI_USE_VERTEXAI",
        ],
        variables: &[("GEMINI_CLI_TRUST_WORKSPACE", "true")],
        prints: Prints::GeminiEvents,
        state: &["${GEMINI_CLI_HOME:-~}/.gemini/"],
        own_sandbox: false,
        sandbox_off: &[],
    },
    Backend {
        name: "opencode",
        install: "npm install --global opencode-ai",
        login: Some("opencode auth login"),
        command: &["opencode", "run", "{prompt}"],
        model: &["--model", "{model}"],
        env: &[ANTHROPIC, GEMINI, OPENAI, "OPENCODE_CONFIG", "OPENROUTER_API_KEY"],
        variables: &[("OPENCODE_DISABLE_AUTOUPDATE", "1"), ("OPENCODE_DISABLE_SHARE", "1")],
        prints: Prints::Text,
        state: &[
            "${XDG_CACHE_HOME:-~/.cache}/opencode/",
            "${XDG_CONFIG_HOME:-~/.config}/opencode/",
            "${XDG_DATA_HOME:-~/.local/share}/opencode/",
            "${XDG_STATE_HOME:-~/.local/state}/opencode/",
        ],
        own_sandbox: false,
        sandbox_off: &[],
    },
    Backend {
        name: "aider",
        install: "uv tool install aider-chat",
        login: None,
        command: &[
            "aider",
            "--yes-always",
            "--no-stream",
            "--no-pretty",
            "--no-auto-commits",
            "--no-check-update",
            "--no-gitignore",
            "--chat-history-file=/dev/null",
            "--input-history-file=/dev/null",
            "--message-file",
            "{prompt_file}",
        ],
        model: &["--model", "{model}"],
        env: &[ANTHROPIC, GEMINI, OPENAI, "OPENAI_API_BASE", "OPENROUTER_API_KEY"],
        variables: &[],
        prints: Prints::Text,
        state: &["~/.aider/"],
        own_sandbox: false,
        sandbox_off: &[],
    },
    Backend {
        name: "mini",
        install: "uv tool install mini-swe-agent",
        login: Some("mini-extra config setup"),
        command: &[
            "mini",
            "--yolo",
            "--exit-immediately",
            "--output",
            "/dev/null",
            "--task",
            "{prompt}",
        ],
        model: &["--model", "{model}"],
        env: &[ANTHROPIC, GEMINI, OPENAI, "MSWEA_MODEL_NAME", "OPENAI_API_BASE"],
        variables: &[],
        prints: Prints::Text,
        state: &["~/.config/mini-swe-agent/"],
        own_sandbox: false,
        sandbox_off: &[],
    },
];

/// A backend by its name.
pub(super) fn find(name: &str) -> Option<&'static Backend> {
    BACKENDS.iter().find(|backend| backend.name == name)
}

impl Backend {
    /// What is looked for on PATH.
    pub(super) fn program(&self) -> &'static str {
        self.command.first().copied().unwrap_or(self.name)
    }

    /// What a person can do about it when it is there and does not work: log in, or set a key.
    pub fn how_to_log_in(&self) -> String {
        let keys: Vec<&str> = self.env.iter().copied().filter(|name| looks_secret(name)).collect();
        let keys = format!("set one of {} in the environment", keys.join(", "));
        match self.login {
            Some(login) => format!("log in with `{login}`, or {keys}"),
            None => keys,
        }
    }

    /// Has the agent run by this program. What the agent's file says itself is kept.
    pub(super) fn run(&self, profile: &mut AgentProfile) {
        let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
        let (program, arguments) = self.command.split_at(1);
        profile.command = owned(program);
        // A subcommand stays in front; an option that ends in the prompt stays behind.
        let subcommand = arguments.iter().take_while(|word| !word.starts_with(['-', '{'])).count();
        let (subcommand, arguments) = arguments.split_at(subcommand);
        profile.command.extend(owned(subcommand));
        if profile.model.is_some() {
            profile.command.extend(owned(self.model));
        }
        profile.command.extend(owned(arguments));
        for &name in self.env {
            if !profile.env.iter().any(|named| named == name) {
                profile.env.push(name.to_owned());
            }
        }
        let variables = self.variables.iter();
        profile
            .variables
            .extend(variables.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        if profile.state.is_empty() {
            profile.state = owned(self.state);
        }
        profile.prints = self.prints;
        profile.own_sandbox |= self.own_sandbox;
        profile.sandbox_off = owned(self.sandbox_off);
        profile.backend = Some(self.name.to_owned());
    }
}

/// Which of the known programs there are, looked for at most once each.
pub(super) struct Found<'a> {
    wanted: Vec<&'static Backend>,
    root: &'a Path,
    path: Option<&'a OsStr>,
    looked_for: BTreeMap<&'static str, bool>,
}

impl<'a> Found<'a> {
    /// A name in `agents.backends` that is not known is said.
    pub(super) fn new(
        config: &Config,
        root: &'a Path,
        path: Option<&'a OsStr>,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Self {
        let mut wanted = Vec::new();
        for name in &config.agents.backends {
            if let Some(backend) = find(name) {
                wanted.push(backend);
                continue;
            }
            let known = BACKENDS.map(|backend| backend.name).join(", ");
            let message = format!("`agents.backends` names `{name}`, which is not known");
            let hint = format!("known are {known}; any other is a `command` of an agent file");
            diagnostics.push(match config.origin("agents.backends") {
                Origin::File { file, line } => {
                    Diagnostic { line, ..Diagnostic::error(&file, message, hint) }
                }
                other => Diagnostic::error(&other.to_string(), message, hint),
            });
        }
        Self { wanted, root, path, looked_for: BTreeMap::new() }
    }

    pub(super) fn is_there(&mut self, backend: &'static Backend) -> bool {
        let (root, path) = (self.root, self.path);
        *self
            .looked_for
            .entry(backend.name)
            .or_insert_with(|| programs::find(backend.program(), root, path).is_some())
    }

    /// Those that the setting names, in its order.
    pub(super) fn wanted(&self) -> Vec<&'static Backend> {
        self.wanted.clone()
    }

    /// The first one that is wanted and there; the error reads after "agent x is not available: ".
    pub(super) fn first(&mut self) -> Result<&'static Backend, String> {
        let wanted = self.wanted();
        if let Some(backend) = wanted.iter().copied().find(|backend| self.is_there(backend)) {
            return Ok(backend);
        }
        if wanted.is_empty() {
            return Err(
                "it has no command, and `agents.backends` names no agent program".to_owned()
            );
        }
        let names: Vec<&str> = wanted.iter().map(|backend| backend.name).collect();
        Err(format!(
            "no agent program is on PATH: install one of {}, or give it a `command`",
            names.join(", ")
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use orchestra_core::{agent::Origin, agent_file, config::Config};

    fn profile(keys: &str) -> AgentProfile {
        let text = format!("---\nname: coder\n{keys}\n---\nYou write code.\n");
        agent_file::read(&text, "coder.md", Origin::BuiltIn).profile.unwrap()
    }

    #[test]
    fn the_setting_names_every_backend_in_their_order() {
        assert_eq!(Config::default().agents.backends, BACKENDS.map(|backend| backend.name));
    }

    #[test]
    fn every_backend_gets_the_prompt_and_asks_nobody() {
        for backend in &BACKENDS {
            let mut profile = profile("");
            backend.run(&mut profile);
            let prompt = profile.command.last().unwrap();
            assert!(matches!(prompt.as_str(), "{prompt}" | "{prompt_file}"), "{profile:?}");
            assert!(!profile.command.iter().any(|word| word.contains("{model}")), "{profile:?}");
            assert!(!profile.env.is_empty() && !profile.state.is_empty(), "{profile:?}");
            assert_eq!(profile.backend.as_deref(), Some(backend.name));
        }
    }

    #[test]
    fn a_model_comes_behind_the_subcommand_and_what_the_file_says_is_kept() {
        let mut profile = profile("model: large\nenv: [OPENAI_API_KEY, MINE]");
        find("codex").unwrap().run(&mut profile);
        assert_eq!(
            profile.command,
            [
                "codex",
                "exec",
                "--model",
                "{model}",
                "--json",
                "--config",
                "sandbox_mode=\"workspace-write\"",
                "{prompt}"
            ]
        );
        assert_eq!(
            profile.env,
            ["OPENAI_API_KEY", "MINE", "CODEX_API_KEY", "CODEX_HOME", "OPENAI_BASE_URL"]
        );
        assert!(profile.own_sandbox && !profile.sandbox_off.is_empty());
    }
}
