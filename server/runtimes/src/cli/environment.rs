//! The environment of an agent: a list of what may pass, never all that the user has.

use crate::attempt::{Spec, own_log};
use orchestra_core::agent::AgentProfile;
use std::{collections::BTreeMap, path::Path};

/// Without these, programs do not find their files or do not speak the user's language.
const PASSED: [&str; 9] =
    ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TERM", "TZ", "TMPDIR"];
const PASSED_PREFIXES: [&str; 2] = ["LC_", "XDG_"];

/// Whether every agent gets this variable.
pub fn is_always_passed(name: &str) -> bool {
    PASSED.contains(&name) || PASSED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Whether the value of this variable must not get into a log.
pub fn looks_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    ["KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL"]
        .iter()
        .any(|word| name.contains(word))
}

/// What the agent gets of the run's environment, and what tells it about its task.
pub(super) fn of_agent(
    profile: &AgentProfile,
    run: &BTreeMap<String, String>,
    spec: &Spec,
    plan: &Path,
) -> BTreeMap<String, String> {
    let mut environment: BTreeMap<String, String> = run
        .iter()
        .filter(|(name, _)| is_always_passed(name) || profile.env.contains(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    environment.extend(profile.variables.clone());
    let path = |path: &Path| path.to_string_lossy().into_owned();
    environment.extend([
        ("TMPDIR".to_owned(), path(&spec.slot.join("tmp"))),
        ("ORCHESTRA_DIR".to_owned(), path(&spec.out())),
        ("ORCHESTRA_PLAN".to_owned(), path(plan)),
        ("ORCHESTRA_LOG".to_owned(), path(&own_log(&spec.slot))),
        ("ORCHESTRA_TASK_ID".to_owned(), spec.attempt.task().to_string()),
        (Spec::MARKER.to_owned(), spec.marker()),
    ]);
    environment
}
