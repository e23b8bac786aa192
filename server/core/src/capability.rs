//! The catalogue of capabilities: the words by which steps ask for agents, each with what it means.

use crate::source::did_you_mean;
use serde::Serialize;
use std::fmt::Write as _;

/// One word of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Capability {
    /// As it is written in agent files and steps, such as `code_review`.
    pub id: &'static str,
    /// What somebody who has it can do, in one sentence.
    pub description: &'static str,
    /// The fields that it belongs to.
    pub domains: &'static [&'static str],
    /// What an agent needs for it, in the words of the key `tools`.
    pub tools: &'static [&'static str],
    /// Beginnings of words that hint at it in a text, in lower case.
    #[serde(skip)]
    pub(crate) hints: &'static [&'static str],
}

macro_rules! capabilities {
    ($($id:ident: $description:literal, $domains:expr, $tools:expr, $hints:expr;)+) => {
        /// Every capability, sorted by domain and then as they are listed.
        pub static CAPABILITIES: &[Capability] = &[$(Capability {
            id: stringify!($id),
            description: $description,
            domains: &$domains,
            tools: &$tools,
            hints: &$hints,
        },)+];
    };
}

capabilities! {
    task_decomposition: "Breaks a goal into steps that can be given out and checked one by one.",
        ["planning"], ["read"], ["break down", "decompos"];
    dependency_analysis: "Finds what has to happen before what, in plans and between modules.",
        ["planning", "architecture"], ["read", "search"], ["call graph", "depends on"];
    workflow_design: "Writes workflows: steps, their order, who does them and when they are done.",
        ["planning"], ["read", "edit"], ["workflow", "orchestrat"];
    planning: "Plans work: scope, order, risks, and what to leave out.",
        ["planning"], ["read"], ["plan", "roadmap", "mileston"];
    requirements_analysis: "Turns wishes into requirements that can be tested.",
        ["planning", "product"], ["read", "search"], ["requirement", "user stor", "acceptance"];
    product_management: "Weighs what to build and why, for whom, and how success shows.",
        ["product"], ["read", "web"], ["product manag", "product owner", "stakeholder"];
    architecture_design: "Designs the parts of a system, their contracts, and the trade-offs between designs.",
        ["architecture"], ["read", "search"], ["architect", "design pattern", "system design"];

    web_research: "Finds and weighs sources on the web, and names them.",
        ["research"], ["web"], ["research", "investigat", "literature"];
    document_analysis: "Reads long documents and takes out what matters, with the place of each fact.",
        ["research"], ["read"], ["document analy", "specification"];
    data_synthesis: "Joins several reports into one, and says where they contradict each other.",
        ["research", "writing"], ["read"], ["synthes", "summar", "consolidat"];
    critical_review: "Looks for what is wrong or missing in plans, claims and results of others.",
        ["quality", "research"], ["read", "search"], ["critique", "second opinion", "devil's advocate"];

    code_generation: "Writes new code that fits the code around it.",
        ["development"], ["read", "edit", "shell"], ["implement", "coding", "programm", "developer"];
    code_review: "Reads changes and names defects, with place, reason and cure.",
        ["quality"], ["read", "search"], ["review"];
    code_refactoring: "Improves the shape of code while its behaviour stays as it is.",
        ["development"], ["read", "edit", "shell"], ["refactor", "clean up", "technical debt"];
    code_migration: "Moves code to another version, library, language or platform.",
        ["development"], ["read", "edit", "shell"], ["migrat", "port ", "moderni"];
    code_documentation: "Documents code for those who use and change it: comments, references, guides.",
        ["documentation"], ["read", "edit"], ["document", "docstring", "api reference"];
    frontend_development: "Builds user interfaces for browsers and apps.",
        ["development"], ["read", "edit", "shell"], ["frontend", "front-end", "css", "react", "user interface"];
    backend_development: "Builds services: requests, state, jobs, and their failures.",
        ["development"], ["read", "edit", "shell"], ["backend", "server-side", "microservice"];
    api_integration: "Connects programs with other services, with their errors, limits and versions.",
        ["development"], ["read", "edit", "shell", "web"], ["api", "endpoint", "openapi", "graphql", "webhook"];
    database_operations: "Designs schemas, queries and migrations, and keeps the data safe while doing so.",
        ["data", "development"], ["read", "edit", "shell"], ["database", "sql", "schema", "query"];
    file_operations: "Moves, renames, converts and tidies up files in bulk.",
        ["development"], ["read", "edit", "shell"], ["rename", "bulk edit", "file tree"];
    conflict_resolution: "Joins changes that contradict each other, so that the intent of both is kept.",
        ["development"], ["read", "edit", "shell"], ["merge conflict", "resolve conflict"];

    testing: "Writes and runs tests that fail when the behaviour is wrong.",
        ["quality"], ["read", "edit", "shell"], ["test", "coverage"];
    fuzz_testing: "Feeds programs what nobody expected, and makes small cases of what breaks.",
        ["quality", "security"], ["read", "edit", "shell"], ["fuzz", "property-based"];
    performance_testing: "Measures speed and load in a way that others can repeat.",
        ["quality", "performance"], ["read", "edit", "shell"], ["benchmark", "load test", "stress test"];
    debugging: "Finds the cause of a fault and proves it.",
        ["quality"], ["read", "edit", "shell"], ["debug", "root cause", "bug"];
    error_diagnosis: "Reads errors, logs and traces, and says what has happened.",
        ["quality", "operations"], ["read", "search"], ["diagnos", "stack trace", "error message"];
    accessibility_review: "Checks that people with disabilities can use an interface.",
        ["quality", "design"], ["read", "search"], ["accessib", "a11y", "wcag"];
    ux_review: "Checks that an interface lets people do what they came for.",
        ["design"], ["read"], ["usability", "user experience", "ux"];
    security_audit: "Finds ways to attack a system, and what would stop them.",
        ["security"], ["read", "search"], ["security", "vulnerab", "threat", "owasp"];
    compliance_review: "Checks work against rules: licences, policies, standards, records.",
        ["security", "quality"], ["read", "search"], ["complian", "licen", "gdpr", "audit trail"];
    performance_optimization: "Makes programs faster or smaller, guided by measurements.",
        ["performance"], ["read", "edit", "shell"], ["optimi", "performance", "profil", "latency"];

    deployment: "Brings software into operation, and back out when it fails.",
        ["operations"], ["read", "edit", "shell"], ["deploy", "rollout", "rollback"];
    infrastructure: "Describes machines, networks and pipelines as code.",
        ["operations"], ["read", "edit", "shell"], ["kubernetes", "docker", "terraform", "infrastructure"];
    monitoring: "Makes the state of running systems visible, and alerts that mean something.",
        ["operations"], ["read", "edit", "shell"], ["monitor", "observab", "telemetry", "alert"];
    incident_response: "Limits damage first, then finds the cause and what prevents the next one.",
        ["operations"], ["read", "search", "shell"], ["incident", "postmortem", "on-call", "outage"];
    release_management: "Decides what goes into a release, numbers it, and says what has changed.",
        ["operations"], ["read", "edit", "shell"], ["release", "changelog", "version bump"];
    dependency_management: "Keeps dependencies few, current and free of known holes.",
        ["development", "security"], ["read", "edit", "shell", "web"], ["dependenc", "upgrade", "lock file"];

    data_analysis: "Answers questions with data, and says how sure the answer is.",
        ["data"], ["read", "shell"], ["data analy", "dataset", "statistic"];
    pattern_recognition: "Finds what recurs in code, logs or data, and what does not fit.",
        ["data", "quality"], ["read", "search"], ["anomal", "outlier", "recurring"];
    document_creation: "Writes documents for a stated reader: reports, guides, specifications.",
        ["writing", "documentation"], ["read", "edit"], ["readme", "tutorial", "technical writ"];
    presentation: "Makes slides and talks that carry one thought at a time.",
        ["writing"], ["read", "edit"], ["presentation", "slide", "pitch"];
    email_management: "Sorts, drafts and answers mail in the tone that the case asks for.",
        ["writing"], ["read", "edit"], ["email", "e-mail", "mail", "newsletter"];
    localization: "Translates texts and prepares programs for other languages and regions.",
        ["writing", "development"], ["read", "edit"], ["translat", "locali", "i18n", "l10n"];
    mentoring: "Explains code and decisions so that somebody can go on alone.",
        ["documentation"], ["read", "search"], ["mentor", "teach", "onboard"];
}

/// A capability by its id.
pub fn find(id: &str) -> Option<&'static Capability> {
    CAPABILITIES.iter().find(|capability| capability.id == id)
}

/// What to do about a word that is not in the catalogue.
pub(crate) fn hint_for_unknown(word: &str) -> String {
    // Other tools separate words with dashes or spaces.
    let written_here = word.replace(['-', ' '], "_");
    match did_you_mean(&written_here, CAPABILITIES.iter().map(|capability| capability.id)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "it can be used; `orchestra agents capabilities` lists the common ones".to_owned(),
    }
}

/// `docs/capabilities.md`.
pub fn reference_page() -> String {
    let mut page = String::from(
        "<!-- Generated from the catalogue; `UPDATE=1 cargo test -p orchestra-core reference` writes it \
         anew. -->\n\
         # Capabilities\n\n\
         The words by which steps ask for agents (`capability: code_review`) and agents say what they can do \
         (`capabilities: [code_review]`). Other words can be used, too; the checks warn about them, because a slip \
         would leave a step without anybody. Native actions answer to words of their own, which `orchestra agents \
         list` shows. `orchestra agents capabilities` prints this list with the agents that have each.\n\n\
         | capability | what somebody who has it can do | domains | tools |\n\
         |---|---|---|---|\n",
    );
    for capability in CAPABILITIES {
        // Writing into a string cannot fail.
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {} |",
            capability.id,
            capability.description,
            capability.domains.join(", "),
            capability.tools.join(", "),
        );
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::BTreeSet, fs, path::Path};

    #[test]
    fn every_word_is_there_once_and_says_what_it_means() {
        let ids: BTreeSet<&str> = CAPABILITIES.iter().map(|capability| capability.id).collect();
        assert_eq!(ids.len(), CAPABILITIES.len());
        for capability in CAPABILITIES {
            let id = capability.id;
            assert!(capability.description.ends_with('.'), "{id}");
            assert!(!capability.domains.is_empty() && !capability.tools.is_empty(), "{id}");
            assert!(capability.hints.iter().all(|hint| *hint == hint.to_lowercase()), "{id}");
        }
        for needed in [
            "task_decomposition",
            "dependency_analysis",
            "workflow_design",
            "web_research",
            "document_analysis",
            "data_synthesis",
            "code_generation",
            "code_review",
            "code_refactoring",
            "testing",
            "email_management",
            "document_creation",
            "presentation",
            "api_integration",
            "database_operations",
            "file_operations",
            "data_analysis",
            "pattern_recognition",
            "error_diagnosis",
        ] {
            assert!(find(needed).is_some(), "{needed}");
        }
    }

    #[test]
    fn a_slip_is_met_with_the_word_that_was_meant() {
        assert_eq!(hint_for_unknown("code-review"), "did you mean `code_review`?");
        assert_eq!(hint_for_unknown("tsting"), "did you mean `testing`?");
        assert!(hint_for_unknown("juggling").starts_with("it can be used"));
    }

    #[test]
    fn reference_page_is_up_to_date() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/capabilities.md");
        let page = reference_page();
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&path, &page).unwrap();
        }
        let written = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(written, page, "write it anew with UPDATE=1");
    }
}
