//! The native actions that exist.

use super::{
    changes::{Compare, Review},
    checks::{DetectChecks, RUN_INFO, run_schema},
    contract::{Info, Native},
    deps::ListDependencies,
    docs::OutlineDocs,
    history::ReadHistory,
    hotspots::Hotspots,
    metrics::Metrics,
    outline::Outline,
    report::WriteReport,
    search::Search,
    secrets::ScanSecrets,
    set_value::SetValue,
    todo::ScanTodo,
};
use schemars::Schema;

/// All native actions, by name.
pub fn all() -> &'static [&'static dyn Native] {
    &[
        &Review,
        &DetectChecks,
        &ListDependencies,
        &OutlineDocs,
        &Compare,
        &ReadHistory,
        &Hotspots,
        &WriteReport,
        &ScanSecrets,
        &ScanTodo,
        &SetValue,
        &Metrics,
        &Outline,
        &Search,
    ]
}

/// An action that runs commands of the workspace: in trees, under shims, only when that is trusted. The
/// engine carries it out.
#[derive(Debug, Clone, Copy)]
pub struct Spawning {
    pub info: Info,
    /// The shape of its result, with the words that document it.
    pub result_schema: fn() -> Schema,
}

/// All actions that run commands, by name.
pub fn spawning() -> &'static [Spawning] {
    &[Spawning { info: RUN_INFO, result_schema: run_schema }]
}

/// The native action of this name.
pub fn find(name: &str) -> Option<&'static dyn Native> {
    all().iter().copied().find(|native| native.info().name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_listed_by_name_and_found() {
        let names: Vec<&str> = all().iter().map(|native| native.info().name).collect();
        assert!(names.is_sorted(), "{names:?}");
        assert!(
            names.iter().all(|name| find(name).is_some_and(|found| found.info().name == *name))
        );
        assert!(find("no.such").is_none());
    }
}
