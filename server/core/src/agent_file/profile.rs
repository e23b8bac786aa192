//! The front matter of an agent file that is written for Orchestra.

use super::{AgentFile, blank, capabilities, command, describe, name_from_file, surroundings};
use crate::{
    agent::{AgentProfile, AgentStatus, Completion, Origin, Runtime},
    capability,
    ids::is_plain_word,
    source::{self, At, Fields, Findings, Node, Source, Text, Value, shortened},
    time::Millis,
    workflow::plain_word_hint,
};
use serde_json::Map;

const KEYS: [&str; 21] = [
    "name",
    "description",
    "type",
    "category",
    "capabilities",
    "tools",
    "model",
    "runtime",
    "command",
    "backend",
    "writes",
    "isolation",
    "completion",
    "priority",
    "max_load",
    "timeout",
    "fallback",
    "env",
    "requires",
    "status",
    "max_cost",
];

const RUNTIMES: &[(&str, Runtime)] =
    &[("cli", Runtime::Cli), ("acp", Runtime::Acp), ("model", Runtime::Model)];
const COMPLETIONS: &[(&str, Completion)] =
    &[("exit", Completion::Exit), ("sentinel", Completion::Sentinel), ("tool", Completion::Tool)];
const STATUSES: &[(&str, AgentStatus)] =
    &[("active", AgentStatus::Active), ("inactive", AgentStatus::Inactive)];

const MAX_PRIORITY: i64 = 1_000;
const MAX_LOAD: i64 = 1_000;

fn is_known(key: &str) -> bool {
    KEYS.contains(&key) || surroundings::KEYS.contains(&key)
}

pub(super) fn read(front: Source<'_>, body: &str, origin: Origin) -> AgentFile {
    let root = match source::parse(front) {
        Ok(root) => root,
        Err(diagnostic) => return AgentFile::refused(*diagnostic),
    };
    let mut findings = Findings::new(front);
    let entries = match &root.value {
        Value::Map(entries) => entries.as_slice(),
        Value::Null => &[],
        _ => {
            let message = format!("front matter is a mapping, but this is {}", root.kind());
            findings.error(root.at, message, "write `name: …` and the other keys line by line");
            return AgentFile {
                profile: None,
                unknown: Map::new(),
                diagnostics: findings.finish(),
            };
        }
    };
    let mut unknown = Map::new();
    for entry in entries.iter().filter(|entry| !is_known(&entry.key)) {
        let key = shortened(&entry.key);
        let hint = findings.near(&entry.key, KEYS.into_iter().chain(surroundings::KEYS));
        let hint = hint.unwrap_or_else(|| "it is kept, but nothing reads it".to_owned());
        findings.warning(entry.key_at, format!("an agent has no key `{key}`"), hint);
        unknown.insert(entry.key.clone(), entry.value.to_json());
    }
    let profile = profile(Fields::any(entries), &root, body, origin, &mut findings);
    let profile = profile.filter(|_| !findings.has_errors());
    AgentFile { profile, unknown, diagnostics: findings.finish() }
}

fn profile<'n>(
    fields: Fields<'n>,
    root: &'n Node,
    body: &str,
    origin: Origin,
    findings: &mut Findings<'n>,
) -> Option<AgentProfile> {
    let name = name(fields, root, findings);
    let model = text(fields, "model", findings);
    let runtime = fields.choice("runtime", RUNTIMES, &[], findings).unwrap_or(Runtime::Cli);
    let description = text(fields, "description", findings).unwrap_or_else(|| describe(body));
    let command = command::read(fields, model.is_some(), findings);
    let backend = backend(fields, findings);
    if runtime != Runtime::Cli
        && let Some(entry) = fields.get("runtime")
    {
        let message = format!("the runtime {runtime} is not supported by this version");
        findings.warning(entry.value.at, message, "the agent is listed, but cannot be given work");
    }
    later(fields, findings);
    let capabilities = match fields.get("capabilities") {
        Some(_) => capabilities(fields, findings),
        None => capabilities::infer(&format!("{description}\n{body}")),
    };
    let profile = AgentProfile {
        description,
        kind: text(fields, "type", findings).unwrap_or_default(),
        category: text(fields, "category", findings).unwrap_or_default(),
        capabilities,
        tools: texts(fields, "tools", findings),
        model,
        runtime,
        command: command.unwrap_or_default(),
        backend,
        writes: fields.flag("writes", findings).unwrap_or(false),
        completion: fields.choice("completion", COMPLETIONS, &[], findings).unwrap_or_default(),
        priority: integer(fields, "priority", -MAX_PRIORITY, MAX_PRIORITY, findings).unwrap_or(0),
        max_load: integer(fields, "max_load", 1, MAX_LOAD, findings)
            .unwrap_or(AgentProfile::DEFAULT_MAX_LOAD),
        timeout: timeout(fields, findings).unwrap_or(AgentProfile::DEFAULT_TIMEOUT),
        fallback: words(fields, "fallback", is_plain_word, "the name of an agent", findings),
        env: words(fields, "env", is_variable, "the name of a variable", findings),
        requires: words(fields, "requires", is_program, "the name of a program", findings),
        status: fields.choice("status", STATUSES, &[], findings).unwrap_or_default(),
        system_prompt: body.trim().to_owned(),
        ..blank(name?, origin)
    };
    Some(surroundings::read(fields, findings, profile))
}

/// Who of the known agent programs has to run it.
fn backend<'n>(fields: Fields<'n>, findings: &mut Findings<'n>) -> Option<String> {
    let name = text(fields, "backend", findings)?;
    let entry = fields.get("backend")?;
    if fields.get("command").is_some() {
        let message =
            "`backend` says that a known program runs the agent, and `command` that another does";
        findings.error(entry.key_at, message, "remove one of the two");
    } else if !is_plain_word(&name) {
        let message =
            format!("`backend`: `{}` is not the name of an agent program", shortened(&name));
        findings.error(entry.value.at, message, "see `agents.backends` in docs/configuration.md");
    }
    Some(name)
}

/// Words that are not in the catalogue are used as they are.
fn capabilities<'n>(fields: Fields<'n>, findings: &mut Findings<'n>) -> Vec<String> {
    let listed = listed(fields, "capabilities", findings);
    for text in listed.iter().filter(|text| capability::find(text.value).is_none()) {
        let message = format!("the catalogue has no capability `{}`", shortened(text.value));
        findings.warning(text.at, message, capability::hint_for_unknown(text.value));
    }
    listed.into_iter().map(|text| text.value.to_owned()).collect()
}

/// What belongs to the format and must not be ignored, because it limits what an agent may do.
fn later<'n>(fields: Fields<'n>, findings: &mut Findings<'n>) {
    if let Some(entry) = fields.get("max_cost") {
        let message = "`max_cost` is not supported by this version";
        findings.error(entry.key_at, message, "remove it, or upgrade orchestra");
    }
    fields.choice("isolation", &[("tree", ())], &[], findings);
}

fn name<'n>(fields: Fields<'n>, root: &'n Node, findings: &mut Findings<'n>) -> Option<String> {
    if fields.get("name").is_none() {
        return name_from_file(findings.source.file, root.at, findings);
    }
    let text = fields.filled("name", findings)?;
    if is_plain_word(text.value) {
        return Some(text.value.to_owned());
    }
    let message = format!("`{}` cannot be the name of an agent", shortened(text.value));
    findings.error(text.at, message, plain_word_hint(text.value));
    None
}

fn text<'n>(fields: Fields<'n>, key: &str, findings: &mut Findings<'n>) -> Option<String> {
    if fields.value(key).is_some_and(|node| node.value == Value::Null) {
        return None;
    }
    fields.text(key, findings).map(|text| text.value.trim().to_owned())
}

fn texts<'n>(fields: Fields<'n>, key: &str, findings: &mut Findings<'n>) -> Vec<String> {
    listed(fields, key, findings).into_iter().map(|text| text.value.to_owned()).collect()
}

/// The texts of a list, each once.
fn listed<'n>(fields: Fields<'n>, key: &str, findings: &mut Findings<'n>) -> Vec<Text<'n>> {
    let mut list: Vec<Text<'n>> = Vec::new();
    for text in fields.texts(key, findings) {
        if text.value.trim().is_empty() {
            findings.error(text.at, format!("`{key}` has an empty entry"), "remove it");
        } else if !list.iter().any(|known| known.value == text.value) {
            list.push(text);
        }
    }
    list
}

fn words<'n>(
    fields: Fields<'n>,
    key: &str,
    is_right: fn(&str) -> bool,
    what: &str,
    findings: &mut Findings<'n>,
) -> Vec<String> {
    let wrong = |text: &Text<'_>, findings: &mut Findings<'_>| {
        let message = format!("`{key}`: `{}` is not {what}", shortened(text.value));
        let hint = match key {
            "env" => "name the variable only; its value comes from your environment",
            "requires" => "name the program as you would type it",
            _ => "see `orchestra agents list`",
        };
        findings.error(text.at, message, hint);
    };
    let mut list = Vec::new();
    for text in fields.texts(key, findings) {
        if is_right(text.value) {
            list.push(text.value.to_owned());
        } else {
            wrong(&text, findings);
        }
    }
    list
}

pub(super) fn is_variable(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn is_program(text: &str) -> bool {
    !text.trim().is_empty() && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}

fn integer<'n, T: TryFrom<i64>>(
    fields: Fields<'n>,
    key: &str,
    low: i64,
    high: i64,
    findings: &mut Findings<'n>,
) -> Option<T> {
    fields.integer(key, low..=high, findings).and_then(|number| T::try_from(number).ok())
}

fn timeout<'n>(fields: Fields<'n>, findings: &mut Findings<'n>) -> Option<Millis> {
    let (span, at): (Millis, At) = fields.duration("timeout", findings)?;
    if span == Millis(0) {
        let message = "a timeout of 0 ends every attempt before it starts";
        findings.error(at, message, "write a time such as `30m`");
        return None;
    }
    Some(span)
}
