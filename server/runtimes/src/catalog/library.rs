//! The built-in library: role agents, which any known agent program can play.

use orchestra_core::{
    agent::{AgentProfile, Origin},
    agent_file::{self, AgentFile},
    confinement::Cache,
};
use std::sync::LazyLock;

macro_rules! roles {
    ($($name:literal),+ $(,)?) => {
        /// Names and files, sorted by name.
        static TEXTS: &[(&str, &str)] = &[
            $(($name, include_str!(concat!("builtin/agents/", $name, ".md"))),)+
        ];
    };
}

roles! {
    "accessibility",
    "api-integrator",
    "architect",
    "auditor",
    "backend",
    "coder",
    "conflict-resolver",
    "critic",
    "data-analyst",
    "database",
    "debugger",
    "dependency-manager",
    "deployer",
    "devops",
    "director",
    "document-analyst",
    "documenter",
    "error-analyst",
    "file-organizer",
    "frontend",
    "fuzz-tester",
    "incident-responder",
    "mail-writer",
    "mentor",
    "migrator",
    "monitor",
    "optimizer",
    "pattern-finder",
    "performance-tester",
    "planner",
    "presenter",
    "product-manager",
    "refactorer",
    "release-manager",
    "requirements-analyst",
    "researcher",
    "reviewer",
    "security",
    "synthesizer",
    "tester",
    "translator",
    "ux-reviewer",
    "workflow-designer",
    "writer",
}

/// Reading them costs more than everything else that a small command does.
static ROLES: LazyLock<Vec<(&str, AgentFile)>> = LazyLock::new(|| {
    let read = |(name, text): &(&'static str, &str)| {
        let mut role = agent_file::read(text, &format!("built-in {name}"), Origin::BuiltIn);
        if let Some(profile) = &mut role.profile {
            share_downloads(profile);
        }
        (*name, role)
    };
    TEXTS.iter().map(read).collect()
});

/// Who writes also builds and tests, in any language.
fn share_downloads(profile: &mut AgentProfile) {
    if profile.writes {
        profile.caches = Cache::WORDS.map(|(_, cache)| cache).to_vec();
    }
}

/// Every role with its name, sorted.
pub(super) fn roles() -> &'static [(&'static str, AgentFile)] {
    &ROLES
}

/// The file of a built-in role, to start one of one's own from.
pub fn role_text(name: &str) -> Option<&'static str> {
    TEXTS.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use orchestra_core::capability::CAPABILITIES;
    use std::collections::{BTreeMap, BTreeSet};

    fn profiles() -> impl Iterator<Item = &'static AgentProfile> {
        roles().iter().map(|(name, role)| {
            assert_eq!(role.diagnostics, [], "{name}");
            role.profile.as_ref().unwrap()
        })
    }

    #[test]
    fn every_role_is_complete_and_needs_somebody_to_play_it() {
        assert!(roles().len() >= 36, "{} roles", roles().len());
        assert!(roles().is_sorted_by_key(|(name, _)| *name));
        for ((name, _), profile) in roles().iter().zip(profiles()) {
            assert_eq!(profile.name, *name);
            assert!(!profile.description.is_empty() && !profile.category.is_empty(), "{name}");
            assert!(!profile.tools.is_empty() && !profile.capabilities.is_empty(), "{name}");
            assert_eq!(profile.kind, *name);
            assert!(profile.command.is_empty() && profile.backend.is_none(), "{name}");
            // Whoever has written an agent of their own wants that one.
            assert!(profile.priority < 0, "{name}");
            for fallback in &profile.fallback {
                assert!(role_text(fallback).is_some() && fallback != name, "{name}: {fallback}");
            }
        }
    }

    #[test]
    fn every_capability_of_the_catalogue_has_a_role_and_every_role_is_in_the_catalogue() {
        let held: BTreeSet<&str> =
            profiles().flat_map(|role| &role.capabilities).map(String::as_str).collect();
        let known: BTreeSet<&str> = CAPABILITIES.iter().map(|capability| capability.id).collect();
        assert_eq!(held, known);
    }

    #[test]
    fn every_prompt_says_how_to_work_what_to_hand_over_and_what_not_to_do() {
        for profile in profiles() {
            let (name, prompt) = (&profile.name, &profile.system_prompt);
            let lines = prompt.lines().count();
            assert!((15..=40).contains(&lines), "{name} has {lines} lines");
            assert!(prompt.contains("$ORCHESTRA_DIR") && prompt.contains("Hand over"), "{name}");
            assert!(prompt.contains("Do not"), "{name}");
            // What a reader hands over would otherwise be looked for in a tree that is thrown away.
            assert!(profile.writes || !prompt.contains("in your tree"), "{name}");
        }
    }

    #[test]
    fn no_two_prompts_are_alike() {
        let mut lines: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for profile in profiles() {
            for line in profile.system_prompt.lines().filter(|line| line.len() > 40) {
                lines.entry(line).or_default().push(&profile.name);
            }
        }
        lines.retain(|_, names| names.len() > 1);
        assert_eq!(lines, BTreeMap::new());
    }
}
