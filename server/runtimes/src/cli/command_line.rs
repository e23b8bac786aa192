//! The command line of an agent, with its placeholders filled in and its program found.

use super::placeholders::{Part, parse};
use orchestra_core::{
    agent::AgentProfile,
    outcome::{Failure, FailureKind},
};
use rustix::fs::{Access, access};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// A single argument cannot be longer than 128 KiB on Linux; there is room for text around the prompt.
const LONGEST_PROMPT: usize = 100 * 1024;

/// What placeholders stand for.
pub(super) struct Values<'a> {
    pub(super) prompt: &'a str,
    pub(super) prompt_file: &'a Path,
    pub(super) task_id: String,
    pub(super) tree: &'a Path,
    /// `None`: the agent has no tools.
    pub(super) mcp: Option<Mcp<'a>>,
}

/// How the agent finds its tools.
#[derive(Clone, Copy)]
pub(super) struct Mcp<'a> {
    /// The program of the MCP server.
    pub(super) program: &'a Path,
    /// The file that describes it.
    pub(super) config: &'a Path,
}

/// The program's absolute path and its arguments.
pub(super) fn of(
    profile: &AgentProfile,
    values: &Values<'_>,
    root: &Path,
    environment: &BTreeMap<String, String>,
) -> Result<(PathBuf, Vec<String>), Failure> {
    let Some((program, arguments)) = profile.command.split_first() else {
        let message = format!("agent `{}` has no command", profile.name);
        return Err(not_started(message, "add `command: [program, \"{prompt}\"]` to its file"));
    };
    let arguments = arguments
        .iter()
        .map(|argument| fill(argument, profile, values))
        .collect::<Result<_, _>>()?;
    Ok((find(program, profile, root, environment)?, arguments))
}

fn fill(argument: &str, profile: &AgentProfile, values: &Values<'_>) -> Result<String, Failure> {
    let mut filled = String::new();
    for part in parse(argument) {
        match part {
            Part::Text(text) => filled.push_str(text),
            Part::Placeholder("prompt") => filled.push_str(prompt(profile, values)?),
            Part::Placeholder("prompt_file") => filled.push_str(&utf8(values.prompt_file)?),
            Part::Placeholder("task_id") => filled.push_str(&values.task_id),
            Part::Placeholder("tree") => filled.push_str(&utf8(values.tree)?),
            Part::Placeholder(name @ ("mcp_command" | "mcp_config")) => match values.mcp {
                Some(mcp) if name == "mcp_command" => filled.push_str(&utf8(mcp.program)?),
                Some(mcp) => filled.push_str(&utf8(mcp.config)?),
                None => {
                    let message = format!(
                        "agent `{}` uses `{{{name}}}` in its command, and here it has no tools",
                        profile.name
                    );
                    return Err(not_started(message, "see `orchestra doctor`"));
                }
            },
            Part::Placeholder("model") => match &profile.model {
                Some(model) => filled.push_str(model),
                None => {
                    let message = format!(
                        "agent `{}` uses `{{model}}` in its command and names no model",
                        profile.name
                    );
                    return Err(not_started(message, "add `model: …` to its file"));
                }
            },
            Part::Placeholder(name) => {
                let message = format!(
                    "the command of agent `{}` has no placeholder `{{{name}}}`",
                    profile.name
                );
                let hint = format!("write `{{{{{name}}}}}` for the text in braces itself");
                return Err(not_started(message, &hint));
            }
        }
    }
    Ok(filled)
}

fn prompt<'v>(profile: &AgentProfile, values: &Values<'v>) -> Result<&'v str, Failure> {
    let size = values.prompt.len();
    let hint = "use `{prompt_file}` in place of `{prompt}` in its command";
    if size > LONGEST_PROMPT {
        let message = format!(
            "the prompt for agent `{}` has {} KiB, and an argument can hold {} KiB",
            profile.name,
            size.div_ceil(1024),
            LONGEST_PROMPT / 1024
        );
        return Err(not_started(message, hint));
    }
    if values.prompt.contains('\0') {
        let message = format!("the prompt for agent `{}` has a NUL character", profile.name);
        return Err(not_started(message, hint));
    }
    Ok(values.prompt)
}

fn utf8(path: &Path) -> Result<String, Failure> {
    path.to_str().map(str::to_owned).ok_or_else(|| Failure {
        kind: FailureKind::Environment,
        message: format!("the path {} is not UTF-8", path.display()),
        hint: Some("set XDG_DATA_HOME to a folder whose path is".to_owned()),
    })
}

/// A path is relative to the workspace; a bare name is looked up on the run's PATH.
fn find(
    program: &str,
    profile: &AgentProfile,
    root: &Path,
    environment: &BTreeMap<String, String>,
) -> Result<PathBuf, Failure> {
    let agent = &profile.name;
    if program.contains('/') {
        let path = root.join(program);
        // The workspace may be gone, but a missing program is by far the likelier case.
        return if path.is_file() {
            Ok(path)
        } else {
            let message =
                format!("the program {} of agent `{agent}` does not exist", path.display());
            Err(not_started(message, "correct `command` in the agent file"))
        };
    }
    let folders = environment.get("PATH").map(String::as_str).unwrap_or_default();
    // Relative entries would find programs that the workspace brings.
    let folders = std::env::split_paths(folders).filter(|folder| folder.is_absolute());
    let is_program = |path: &PathBuf| path.is_file() && access(path, Access::EXEC_OK).is_ok();
    folders.map(|folder| folder.join(program)).find(is_program).ok_or_else(|| {
        let message = format!("the program `{program}` of agent `{agent}` is not on PATH");
        not_started(message, "install it, or name its path in `command` of the agent file")
    })
}

fn not_started(message: String, hint: &str) -> Failure {
    Failure { kind: FailureKind::NotStarted, message, hint: Some(hint.to_owned()) }
}
