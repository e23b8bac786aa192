//! `orchestra agents add`: writes an agent file to start from.

use crate::{
    arguments::AddAgent,
    commands::Done,
    failure::{Class, Failure},
    session::Session,
};
use orchestra_core::{
    agent::Origin,
    agent_file::{self, AgentFile},
    diagnostic::Severity,
    ids::is_plain_word,
};
use orchestra_runtimes::catalog;
use serde_json::json;
use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

pub(super) fn run(session: &Session, agent: &AddAgent) -> Result<Done, Failure> {
    let what = format!("add the agent `{}`", agent.name.chars().take(80).collect::<String>());
    let usage = |message: String, hint: &str| {
        Failure::new(Class::Usage, format!("{what}: {message}"), hint)
    };
    if !is_plain_word(&agent.name) {
        let hint = "use a letter, then letters, digits, `_` or `-`; 64 characters at most";
        return Err(usage("this cannot be the name of an agent".to_owned(), hint));
    }
    let text = match &agent.from {
        None => template(agent),
        Some(role) => {
            let text = catalog::role_text(role).ok_or_else(|| {
                usage(format!("there is no built-in role `{role}`"), "see `orchestra agents list`")
            })?;
            from_role(text, agent)
        }
    };
    let origin = if agent.user { Origin::User } else { Origin::Workspace };
    let shown = format!("{}.md", agent.name);
    let AgentFile { diagnostics, .. } = agent_file::read(&text, &shown, origin);
    if diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error) {
        return Err(usage("its file would have errors".to_owned(), "correct the command line")
            .with_diagnostics(diagnostics));
    }
    let path = folder(session, agent.user)
        .map_err(|error| Failure::doing(&what, error).with_hint("see what lies there"))?
        .join(shown);
    write_new(&path, &text).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            usage(format!("{} exists", path.display()), "remove it, or choose another name")
        }
        _ => Failure::doing(&format!("{what}: write {}", path.display()), error)
            .with_hint("check that the folder is yours to write"),
    })?;
    let next = match agent.user {
        true => "change its text to your needs; it can be used in every trusted workspace",
        false => "change its text to your needs, then run `orchestra trust`",
    };
    if session.json {
        let written = json!({
            "name": agent.name, "path": path, "next": next, "diagnostics": diagnostics,
        });
        anstream::println!("{written}");
        return Ok(Done::Well);
    }
    for diagnostic in &diagnostics {
        anstream::println!("{diagnostic}");
    }
    anstream::println!("created {}", path.display());
    anstream::println!("next: {next}");
    Ok(Done::Well)
}

/// JSON is YAML, whatever stands in the arguments.
fn command_line(command: &[String]) -> String {
    format!("command: {}", json!(command))
}

fn template(agent: &AddAgent) -> String {
    let command = match agent.command.as_slice() {
        [] => "# command: [my-agent, \"--prompt-file\", \"{prompt_file}\"]".to_owned(),
        command => command_line(command),
    };
    format!(
        "---\n\
         # `orchestra agents check {name}` says what is wrong in this file.\n\
         name: {name}\n\
         description: What {name} is for, in one sentence\n\
         # The words by which steps ask for it; `orchestra agents capabilities` lists the common ones.\n\
         # capabilities: [code_review]\n\
         # The program and its arguments, never a shell. Without it the first agent program on PATH runs it.\n\
         {command}\n\
         # Whether it changes files.\n\
         writes: {writes}\n\
         # Further keys with their defaults:\n\
         # timeout: 30m\n\
         # priority: 0\n\
         # max_load: 1\n\
         # Names of variables that it gets from your environment:\n\
         # env: [API_KEY]\n\
         # Who takes over when it has failed:\n\
         # fallback: [coder]\n\
         ---\n\
         You are {name}. Say here what the goal is, how to work, what to hand over below\n\
         `$ORCHESTRA_DIR`, and what not to do.\n",
        name = agent.name,
        writes = agent.writes,
    )
}

/// The role's own file, with what was asked for in place of what it says.
fn from_role(text: &str, agent: &AddAgent) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut dashes = 0;
    for line in text.lines() {
        dashes += u32::from(line == "---");
        let key = line.split(':').next().filter(|_| dashes == 1).unwrap_or_default();
        match key {
            "name" => {
                lines.push("# From a built-in role; every line is yours to change.".to_owned());
                lines.push(format!("name: {}", agent.name));
            }
            "writes" => {
                lines.push(format!("writes: {}", agent.writes || line.ends_with("true")));
                if !agent.command.is_empty() {
                    lines.push(command_line(&agent.command));
                }
            }
            // Built-in roles stand behind the agents of people.
            "priority" => {}
            _ => lines.push(line.to_owned()),
        }
    }
    lines.join("\n") + "\n"
}

/// The folder for the file, made if need be. One of the workspace must not lead out of it.
fn folder(session: &Session, is_of_user: bool) -> io::Result<PathBuf> {
    if is_of_user {
        let folder = session.folders.config.join("agents");
        fs::create_dir_all(&folder)?;
        return Ok(folder);
    }
    let mut folder = session.root.clone();
    for part in [".orchestra", "agents"] {
        folder.push(part);
        match fs::create_dir(&folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        if !folder.canonicalize()?.starts_with(&session.root) {
            let message = format!("{} leads out of the workspace", folder.display());
            return Err(io::Error::other(message));
        }
    }
    Ok(folder)
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    OpenOptions::new().write(true).create_new(true).open(path)?.write_all(text.as_bytes())
}
