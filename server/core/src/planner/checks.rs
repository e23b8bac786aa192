//! With what the work on a step is checked.

use crate::{
    catalog::{COMMANDS_ARGUMENT, Catalog},
    source::Findings,
    workflow::{Step, Work, Workflow},
};
use serde_json::{Map, Value};

/// What [`crate::plan::PlannedTask`] says about checks.
pub(super) struct Checks {
    pub(super) verify: Vec<Vec<String>>,
    pub(super) accept: Vec<Vec<String>>,
    pub(super) allow_empty: bool,
}

/// What a step says, else the workflow, else the configuration. Who only reads has nothing that could
/// be checked.
pub(super) fn of(
    workflow: &Workflow<'_>,
    step: &Step<'_>,
    writes: bool,
    catalog: &Catalog,
    params: &Map<String, Value>,
    findings: &mut Findings<'_>,
) -> Checks {
    if !writes {
        useless(step, findings);
        return Checks { verify: Vec::new(), accept: Vec::new(), allow_empty: false };
    }
    Checks {
        verify: match &step.verify {
            Some(commands) => commands.resolve(params, findings),
            None => of_merges(workflow, catalog, params, findings),
        },
        accept: match &step.accept {
            Some(commands) => commands.resolve(params, findings),
            None => Vec::new(),
        },
        allow_empty: step.allow_empty.is_some_and(|(allowed, _)| allowed),
    }
}

/// Puts the values of parameters among the commands that an action is given. Without any, it gets none.
pub(super) fn fill_in(
    step: &Step<'_>,
    params: &Map<String, Value>,
    with: &mut Map<String, Value>,
    findings: &mut Findings<'_>,
) {
    let Some(commands) = step.commands.as_ref().filter(|commands| commands.has_params()) else {
        return;
    };
    let list = commands.resolve(params, findings);
    if list.is_empty() {
        with.remove(COMMANDS_ARGUMENT);
    } else {
        with.insert(COMMANDS_ARGUMENT.to_owned(), list.into());
    }
}

/// Works that have come together are checked as each of them is where its step says nothing.
pub(super) fn of_merges(
    workflow: &Workflow<'_>,
    catalog: &Catalog,
    params: &Map<String, Value>,
    findings: &mut Findings<'_>,
) -> Vec<Vec<String>> {
    match &workflow.verify {
        Some(commands) => commands.resolve(params, findings),
        None => catalog.checks.commands.clone(),
    }
}

fn useless(step: &Step<'_>, findings: &mut Findings<'_>) {
    // Whether those who have a capability write differs from machine to machine.
    if matches!(step.work, Some(Work::Capable { .. })) {
        return;
    }
    let keys = [
        ("verify", step.verify.as_ref().map(|commands| commands.at)),
        ("accept", step.accept.as_ref().map(|commands| commands.at)),
        ("allow_empty", step.allow_empty.map(|(_, at)| at)),
    ];
    for (key, at) in keys {
        let Some(at) = at else { continue };
        let message =
            format!("`{key}` is not used, because nobody who does this step writes files");
        findings.warning(
            at,
            message,
            "give it to an agent with `writes: true`, or remove the line",
        );
    }
}
