//! Agent files that were written for other tools. They say what an agent is for; how it is run is
//! left to whoever runs it.

use super::{AgentFile, blank, capabilities, describe, front_matter, stem, too_large};
use crate::{
    agent::{AgentProfile, AgentStatus, Origin},
    diagnostic::{Diagnostic, Severity},
    ids::is_plain_word,
    source::{self, At, Entry, Findings, Node, Source, Value, shortened},
};
use serde_json::Map;

/// The tool that a file was written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// `.claude/agents/*.md`
    Claude,
    /// `.opencode/agents/*.md`
    OpenCode,
    /// `.github/agents/*.agent.md`
    Copilot,
}

impl Dialect {
    /// Keys that the tool knows. They are kept, and are no reason for a warning.
    fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Claude => &[
                "name",
                "description",
                "tools",
                "disallowedTools",
                "model",
                "permissionMode",
                "maxTurns",
                "skills",
                "mcpServers",
                "hooks",
                "background",
                "initialPrompt",
                "color",
                "memory",
                "effort",
                "isolation",
            ],
            Self::OpenCode => &[
                "name",
                "description",
                "mode",
                "model",
                "prompt",
                "temperature",
                "top_p",
                "steps",
                "hidden",
                "disable",
                "color",
                "permission",
                "tools",
                "maxSteps",
            ],
            Self::Copilot => &[
                "name",
                "description",
                "argument-hint",
                "tools",
                "agents",
                "model",
                "user-invocable",
                "disable-model-invocation",
                "target",
                "mcp-servers",
                "hooks",
                "handoffs",
                "infer",
            ],
        }
    }
}

/// Reads an agent file that was written for another tool. It names no command: a known agent program
/// runs it.
pub fn read_foreign(text: &str, file: &str, origin: Origin, dialect: Dialect) -> AgentFile {
    if let Some(refused) = too_large(text, file) {
        return refused;
    }
    let (front, body) = match front_matter::split(Source::new(file, text)) {
        Err(diagnostic) => return AgentFile::refused(*diagnostic),
        Ok(split) => (split.front.unwrap_or(Source::new(file, "")), split.body),
    };
    match source::parse(front) {
        Ok(root) => read(&root, front, body, origin, dialect),
        // These tools read line by line, so that `description: Use it when: …` is fine for them.
        Err(diagnostic) => {
            let mut read = read(&line_by_line(front), front, body, origin, dialect);
            read.diagnostics.insert(0, Diagnostic { severity: Severity::Warning, ..*diagnostic });
            read.diagnostics.sort();
            read
        }
    }
}

fn read(root: &Node, front: Source<'_>, body: &str, origin: Origin, dialect: Dialect) -> AgentFile {
    let mut findings = Findings::new(front);
    let entries = match &root.value {
        Value::Map(entries) => entries.as_slice(),
        _ => &[],
    };
    let mut unknown = Map::new();
    for entry in entries {
        let key = entry.key.as_str();
        if !dialect.keys().contains(&key) {
            let hint = findings.near(key, dialect.keys().iter().copied());
            let hint = hint.unwrap_or_else(|| "it is kept, but nothing reads it".to_owned());
            let message = format!("{dialect:?} agents have no key `{}`", shortened(key));
            findings.warning(entry.key_at, message, hint);
        }
        if !matches!(key, "name" | "description" | "model" | "tools") {
            unknown.insert(entry.key.clone(), entry.value.to_json());
        }
    }
    let value = |key: &str| entries.iter().find(|entry| entry.key == key).map(|e| &e.value);
    let text = |key: &str| match value(key).map(|node| &node.value) {
        Some(Value::Text(text)) => Some(text.trim().to_owned()),
        Some(Value::List(items)) => items.iter().find_map(|item| match &item.value {
            Value::Text(text) => Some(text.trim().to_owned()),
            _ => None,
        }),
        _ => None,
    };
    let disabled = value("disable").is_some_and(|node| node.value == Value::Bool(true));
    let name = text("name")
        .filter(|name| is_plain_word(name))
        .or_else(|| word(stem(front.file)))
        .or_else(|| text("name").as_deref().and_then(word));
    let Some(name) = name else {
        let hint = "rename the file with letters, digits and dashes";
        findings.error(root.at, "neither the file nor its `name` can name an agent", hint);
        return AgentFile { profile: None, unknown, diagnostics: findings.finish() };
    };
    let description = text("description").unwrap_or_else(|| describe(body));
    let profile = AgentProfile {
        capabilities: capabilities::infer(&format!("{description}\n{body}")),
        description,
        tools: value("tools").map(tools).unwrap_or_default(),
        model: text("model").filter(|model| model != "inherit" && !model.is_empty()),
        status: if disabled { AgentStatus::Inactive } else { AgentStatus::Active },
        system_prompt: body.trim().to_owned(),
        ..blank(name, origin)
    };
    AgentFile { profile: Some(profile), unknown, diagnostics: findings.finish() }
}

/// A list, a text with commas, or a mapping of names to whether they are allowed.
fn tools(node: &Node) -> Vec<String> {
    let texts: Vec<&str> = match &node.value {
        Value::Text(text) => text.split(',').collect(),
        Value::List(items) => items
            .iter()
            .filter_map(|item| match &item.value {
                Value::Text(text) => Some(text.as_str()),
                _ => None,
            })
            .collect(),
        Value::Map(entries) => entries
            .iter()
            .filter(|entry| entry.value.value == Value::Bool(true))
            .map(|entry| entry.key.as_str())
            .collect(),
        _ => Vec::new(),
    };
    texts.into_iter().map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned).collect()
}

/// A name that can name an agent: `Code Reviewer` becomes `code-reviewer`.
fn word(name: &str) -> Option<String> {
    if is_plain_word(name) {
        return Some(name.to_owned());
    }
    let lower: String = name
        .trim()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '_' { c.to_ascii_lowercase() } else { '-' })
        .collect();
    let parts: Vec<&str> = lower.split('-').filter(|part| !part.is_empty()).collect();
    let word = parts.join("-");
    is_plain_word(&word).then_some(word)
}

/// `key: rest of the line` for every line that looks like one.
fn line_by_line(source: Source<'_>) -> Node {
    let mut entries = Vec::new();
    let mut start = 0;
    for (number, line) in (1..).zip(source.text.split_inclusive('\n')) {
        if let Some((key, rest)) = line.split_once(':')
            && is_plain_word(key)
        {
            let at = At { line: source.lines_before + number, column: 1, start, end: start };
            entries.push(Entry {
                key: key.to_owned(),
                key_at: at,
                value: Node { at, value: Value::Text(rest.trim().trim_matches('"').to_owned()) },
            });
        }
        start += line.len();
    }
    Node { at: source.at(0), value: Value::Map(entries) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claude_agent_is_listed_with_what_it_says() {
        let text = "---\nname: code-reviewer\n\
            description: Use this agent when: code was written. Examples: <x>Context: y</x>\n\
            tools: Read, Grep\nmodel: inherit\ncolor: red\n---\nYou review code.\n";
        let read = read_foreign(text, ".claude/agents/cr.md", Origin::Workspace, Dialect::Claude);
        let profile = read.profile.unwrap();
        assert_eq!(profile.name, "code-reviewer");
        assert!(profile.description.starts_with("Use this agent when: code"), "{profile:?}");
        assert_eq!(profile.tools, ["Read", "Grep"]);
        assert_eq!((profile.model, profile.command), (None, Vec::new()));
        assert_eq!(profile.capabilities, ["code_review"]);
        assert_eq!(read.diagnostics.len(), 1);
        assert_eq!(read.diagnostics[0].severity, Severity::Warning);
        assert_eq!(read.diagnostics[0].line, 3);
    }

    #[test]
    fn names_that_are_sentences_become_words() {
        let text = "---\nname: Code Reviewer\ntools: [search, edit]\nmodel: [big, small]\n---\nx\n";
        let file = ".github/agents/My Reviewer.agent.md";
        let read = read_foreign(text, file, Origin::Workspace, Dialect::Copilot);
        let profile = read.profile.unwrap();
        assert_eq!((profile.name.as_str(), profile.model.as_deref()), ("my-reviewer", Some("big")));
        assert_eq!(read.diagnostics, []);
    }

    #[test]
    fn an_opencode_agent_may_be_disabled() {
        let text = "---\ndescription: Plans\ndisable: true\ntools: { write: false, read: true }\n\
            temprature: 1\n---\n";
        let read =
            read_foreign(text, ".opencode/agents/plan.md", Origin::Workspace, Dialect::OpenCode);
        let profile = read.profile.unwrap();
        assert_eq!((profile.status, profile.tools), (AgentStatus::Inactive, vec!["read".into()]));
        assert!(read.diagnostics[0].hint.contains("temperature"), "{:?}", read.diagnostics);
        assert_eq!(read.unknown.len(), 2);
    }
}
