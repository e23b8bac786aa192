//! `orchestra workflows`: list, show and check what can be run. Reads files, needs no daemon.

use crate::{
    arguments::Workflows,
    commands::{Done, agents::report},
    failure::{Class, Failure},
    session::Session,
    show::{style, table::Table},
};
use orchestra_core::{
    diagnostic::Severity,
    plan::Plan,
    planner::{self, Request},
};
use orchestra_runtimes::catalog::{Loaded, WorkflowSource};
use serde_json::{Map, Value, json};

pub(crate) fn run(session: &Session, command: Option<Workflows>) -> Result<Done, Failure> {
    let loaded = session.catalog();
    match command.unwrap_or(Workflows::List) {
        Workflows::List => {
            list(session, &loaded);
            Ok(Done::Well)
        }
        Workflows::Show { name } => {
            show(session, find(&loaded, &name)?);
            Ok(Done::Well)
        }
        Workflows::Check { name: Some(name) } => check(session, &loaded, find(&loaded, &name)?),
        Workflows::Check { name: None } => {
            let mut diagnostics = loaded.diagnostics.clone();
            for workflow in &loaded.workflows {
                diagnostics.extend(planner::check(&workflow.text, &workflow.file, &loaded.catalog));
            }
            Ok(report(session, "workflows", loaded.workflows.len(), &diagnostics))
        }
    }
}

fn find<'a>(loaded: &'a Loaded, name: &str) -> Result<&'a WorkflowSource, Failure> {
    loaded.workflow(name).ok_or_else(|| {
        Failure::new(
            Class::Usage,
            format!("find the workflow `{}`", name.chars().take(80).collect::<String>()),
            "`orchestra workflows list` shows them; a first one of your own goes to \
             .orchestra/workflows/<name>.yaml",
        )
    })
}

fn show(session: &Session, workflow: &WorkflowSource) {
    if session.json {
        let WorkflowSource { name, origin, file, text, .. } = workflow;
        let shown = json!({ "name": name, "origin": origin, "file": file, "text": text });
        anstream::println!("{shown}");
    } else {
        anstream::print!("{}", workflow.text);
    }
}

/// The plan of a workflow without parameters; `None` when it needs some, or has errors.
fn plan(loaded: &Loaded, workflow: &WorkflowSource) -> Option<Plan> {
    let request = Request {
        text: &workflow.text,
        file: &workflow.file,
        origin: workflow.origin,
        catalog: &loaded.catalog,
        params: &Map::new(),
        mode: None,
        approve: None,
    };
    planner::plan(&request).ok().map(|planned| planned.plan)
}

fn list(session: &Session, loaded: &Loaded) {
    let errors = |workflow: &WorkflowSource| {
        planner::check(&workflow.text, &workflow.file, &loaded.catalog)
            .iter()
            .filter(|diagnostic| diagnostic.severity == Severity::Error)
            .count()
    };
    if session.json {
        let workflows: Vec<Value> = loaded
            .workflows
            .iter()
            .map(|workflow| {
                json!({
                    "name": workflow.name,
                    "origin": workflow.origin,
                    "file": workflow.file,
                    "errors": errors(workflow),
                })
            })
            .collect();
        anstream::println!("{}", json!({ "workflows": workflows }));
        return;
    }
    let mut table = Table::new(&["workflow", "from", "steps", "file", "description"]);
    for workflow in &loaded.workflows {
        let plan = plan(loaded, workflow);
        let steps = match (&plan, errors(workflow)) {
            (Some(plan), _) => plan.tasks.len().to_string(),
            (None, 0) => String::new(),
            (None, errors) => format!("{errors} errors"),
        };
        table.row([
            workflow.name.clone(),
            workflow.origin.to_string(),
            steps,
            workflow.file.clone(),
            plan.map(|plan| plan.description).unwrap_or_default(),
        ]);
    }
    table.print();
}

fn check(session: &Session, loaded: &Loaded, workflow: &WorkflowSource) -> Result<Done, Failure> {
    let diagnostics = planner::check(&workflow.text, &workflow.file, &loaded.catalog);
    let plan = plan(loaded, workflow);
    if session.json {
        anstream::println!("{}", json!({ "diagnostics": diagnostics, "plan": plan }));
        let errors = diagnostics.iter().any(|found| found.severity == Severity::Error);
        return Ok(if errors { Done::Badly } else { Done::Well });
    }
    if let Some(plan) = &plan {
        print_plan(plan);
    }
    Ok(report(session, "workflow", 1, &diagnostics))
}

/// The plan with every default as it takes effect.
fn print_plan(plan: &Plan) {
    anstream::println!("{}  {}", style::bold(&plan.name), plan.description);
    anstream::println!(
        "pattern {}; time-out {}; parallel {}; approval {}",
        plan.pattern,
        plan.timeout.map_or_else(|| "none".to_owned(), |timeout| timeout.to_string()),
        plan.max_parallel.map_or_else(|| "as configured".to_owned(), |max| max.to_string()),
        if plan.approve { "needed" } else { "not needed" },
    );
    let mut table =
        Table::new(&["step", "mode", "by", "needs", "time-out", "retries", "priority", "output"]);
    for task in &plan.tasks {
        let names = |positions: &[u32]| {
            let names: Vec<&str> = positions
                .iter()
                .filter_map(|&position| plan.tasks.get(usize::try_from(position).ok()?))
                .map(|task| task.step.as_str())
                .collect();
            names.join(", ")
        };
        let executors: Vec<&str> = task.executors.iter().map(|executor| executor.name()).collect();
        table.row([
            task.step.to_string(),
            task.mode.to_string(),
            executors.join(", "),
            names(&task.needs),
            task.timeout.map_or_else(|| "default".to_owned(), |timeout| timeout.to_string()),
            format!("{} after {}", task.retry.max, task.retry.backoff),
            task.priority.to_string(),
            task.output.clone().unwrap_or_default(),
        ]);
    }
    table.print();
}
