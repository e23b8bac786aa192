//! Agent files: Markdown with YAML front matter, as written for Orchestra or for another tool.

mod capabilities;
mod command;
mod foreign;
mod front_matter;
mod profile;
mod state_entry;
mod surroundings;

pub use foreign::{Dialect, read_foreign};
pub use state_entry::StateEntry;

use crate::{
    agent::{AgentProfile, AgentStatus, Completion, Origin, Runtime},
    diagnostic::Diagnostic,
    ids::is_plain_word,
    source::{At, Findings, Source},
    workflow::plain_word_hint,
};
use front_matter::{Split, split};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The largest file that is read.
pub const MAX_FILE_BYTES: usize = 1 << 20;

/// What an agent file says.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentFile {
    /// `None` when there are errors among the diagnostics.
    pub profile: Option<AgentProfile>,
    /// Keys that Orchestra does not know, kept for whoever does.
    pub unknown: Map<String, Value>,
    /// Sorted by position.
    pub diagnostics: Vec<Diagnostic>,
}

impl AgentFile {
    fn refused(diagnostic: Diagnostic) -> Self {
        Self { profile: None, unknown: Map::new(), diagnostics: vec![diagnostic] }
    }
}

/// Reads an agent file written for Orchestra. `file` is its name as the user would type it.
pub fn read(text: &str, file: &str, origin: Origin) -> AgentFile {
    if let Some(refused) = too_large(text, file) {
        return refused;
    }
    let source = Source::new(file, text);
    match split(source) {
        Err(diagnostic) => AgentFile::refused(*diagnostic),
        Ok(Split { front: Some(front), body }) => profile::read(front, body, origin),
        Ok(Split { front: None, body }) => from_text(source, body, origin),
    }
}

fn too_large(text: &str, file: &str) -> Option<AgentFile> {
    (text.len() > MAX_FILE_BYTES).then(|| {
        let message = format!("the file is larger than {} MiB", MAX_FILE_BYTES >> 20);
        let hint = "keep what an agent must know at once, and put the rest where it can read it";
        AgentFile::refused(Diagnostic::error(file, message, hint))
    })
}

/// A file without front matter: its name and its text say all there is.
fn from_text(source: Source<'_>, body: &str, origin: Origin) -> AgentFile {
    let mut findings = Findings::new(source);
    let at = source.at(0);
    let name = name_from_file(source.file, at, &mut findings);
    findings.warning(
        at,
        "the file has no front matter, so all that is known of this agent is guessed from its text",
        "start it with `---`, `name: …`, `capabilities: […]`, `---`",
    );
    let profile = name.map(|name| AgentProfile {
        description: describe(body),
        capabilities: capabilities::infer(body),
        system_prompt: body.trim().to_owned(),
        ..blank(name, origin)
    });
    AgentFile { profile, unknown: Map::new(), diagnostics: findings.finish() }
}

/// A profile with every default.
fn blank(name: String, origin: Origin) -> AgentProfile {
    AgentProfile {
        name,
        description: String::new(),
        kind: String::new(),
        category: String::new(),
        capabilities: Vec::new(),
        tools: Vec::new(),
        model: None,
        runtime: Runtime::Cli,
        command: Vec::new(),
        backend: None,
        writes: false,
        completion: Completion::default(),
        priority: 0,
        max_load: AgentProfile::DEFAULT_MAX_LOAD,
        timeout: AgentProfile::DEFAULT_TIMEOUT,
        fallback: Vec::new(),
        env: Vec::new(),
        state: Vec::new(),
        state_mode: Default::default(),
        caches: Vec::new(),
        own_sandbox: false,
        sandbox_off: Vec::new(),
        variables: BTreeMap::new(),
        prints: Default::default(),
        requires: Vec::new(),
        status: AgentStatus::default(),
        origin,
        system_prompt: String::new(),
    }
}

/// The name that a file's name gives: `agents/reviewer.md` and `agents/reviewer.agent.md` are `reviewer`.
pub fn stem(file: &str) -> &str {
    let name = file.rsplit(['/', '\\']).next().unwrap_or_default();
    let stem = name.strip_suffix(".md").unwrap_or(name);
    stem.strip_suffix(".agent").unwrap_or(stem)
}

fn name_from_file(file: &str, at: At, findings: &mut Findings<'_>) -> Option<String> {
    let stem = stem(file);
    if is_plain_word(stem) {
        return Some(stem.to_owned());
    }
    let message = format!("the file's name `{stem}` cannot be the name of an agent");
    findings.error(at, message, format!("add `name:`; {}", plain_word_hint(stem)));
    None
}

/// The first heading, or else the first sentence.
fn describe(body: &str) -> String {
    let mut lines = body.lines().map(str::trim).filter(|line| !line.is_empty());
    let Some(first) = lines.next() else { return String::new() };
    let text = match first.strip_prefix('#') {
        Some(heading) => heading.trim_start_matches('#').trim(),
        None => first.split_once(". ").map_or(first, |(sentence, _)| sentence),
    };
    text.trim_end_matches('.').chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Millis;

    #[test]
    fn every_key_reaches_the_profile() {
        let text = "---\n\
            name: reviewer\n\
            description: Reads code\n\
            type: reviewer\n\
            category: quality\n\
            capabilities: [code_review]\n\
            tools: [read, grep]\n\
            model: small\n\
            command: [agent, --model, \"{model}\", \"{prompt}\"]\n\
            writes: true\n\
            isolation: tree\n\
            completion: sentinel\n\
            priority: 3\n\
            max_load: 2\n\
            timeout: 5m\n\
            fallback: coder\n\
            env: [API_KEY]\n\
            requires: [git]\n\
            status: inactive\n\
            colour: blue\n\
            ---\n\
            \n\
            Be kind.\n";
        let read = read(text, "agents/x.md", Origin::User);
        let profile = read.profile.unwrap();
        let expected = AgentProfile {
            name: "reviewer".into(),
            description: "Reads code".into(),
            kind: "reviewer".into(),
            category: "quality".into(),
            capabilities: vec!["code_review".into()],
            tools: vec!["read".into(), "grep".into()],
            model: Some("small".into()),
            runtime: Runtime::Cli,
            command: ["agent", "--model", "{model}", "{prompt}"].map(str::to_owned).to_vec(),
            backend: None,
            writes: true,
            completion: Completion::Sentinel,
            priority: 3,
            max_load: 2,
            timeout: Millis::minutes(5),
            fallback: vec!["coder".into()],
            env: vec!["API_KEY".into()],
            state: Vec::new(),
            state_mode: Default::default(),
            caches: crate::confinement::Cache::WORDS.iter().map(|(_, cache)| *cache).collect(),
            own_sandbox: false,
            sandbox_off: Vec::new(),
            variables: BTreeMap::new(),
            prints: Default::default(),
            requires: vec!["git".into()],
            status: AgentStatus::Inactive,
            origin: Origin::User,
            system_prompt: "Be kind.".into(),
        };
        assert_eq!(profile, expected);
        assert_eq!(read.unknown, Map::from_iter([("colour".to_owned(), "blue".into())]));
        let shown: Vec<String> = read.diagnostics.iter().map(ToString::to_string).collect();
        assert_eq!(shown.len(), 1);
        assert!(shown[0].starts_with("agents/x.md:20:1: warning: an agent has no key `colour`"));
    }

    #[test]
    fn a_file_without_front_matter_is_described_by_its_text() {
        let text = "# Database expert\n\nYou review SQL migrations and write tests.\n";
        let read = read(text, ".orchestra/agents/dba.md", Origin::Workspace);
        let profile = read.profile.unwrap();
        assert_eq!(
            (profile.name.as_str(), profile.description.as_str()),
            ("dba", "Database expert")
        );
        assert_eq!(
            profile.capabilities,
            ["database_operations", "code_review", "code_migration", "testing"]
        );
        assert_eq!(profile.system_prompt, text.trim());
        assert!(profile.command.is_empty());
    }
}
