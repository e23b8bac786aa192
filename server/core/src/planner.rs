//! Planning: from a workflow file and the catalogue to a checked plan.

mod checks;
mod executors;
mod graph;
mod merges;
mod params;
mod start;
mod templates;

pub use start::{StartError, plan_for_start};

use crate::{
    agent::Origin,
    catalog::Catalog,
    diagnostic::Diagnostic,
    ids::StepId,
    plan::{Executor, Mode, Pattern, Plan, PlannedTask, Retry, Source as PlanSource},
    source::{self, Findings, Source, shortened},
    time::Millis,
    workflow::{MAX_FILE_BYTES, MAX_STEPS, RetryKeys, Step, Work, Workflow, plain_word_hint},
};
use checks::Checks;
use executors::Team;
use graph::Graph;
use merges::{Common, Merges};
use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet};

/// What a plan is made from.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The workflow file.
    pub text: &'a str,
    /// Its name as the user would type it, for diagnostics.
    pub file: &'a str,
    pub origin: Origin,
    pub catalog: &'a Catalog,
    /// As given by the user. Texts are read as the type of the parameter's default.
    pub params: &'a Map<String, Value>,
    /// In place of every mode that the file names.
    pub mode: Option<Mode>,
    /// In place of what the file says.
    pub approve: Option<bool>,
}

/// A plan, and what is doubtful about its file.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    pub plan: Plan,
    /// Sorted by position.
    pub warnings: Vec<Diagnostic>,
}

/// Makes a plan, or names everything that stands in the way, sorted by position.
pub fn plan(request: &Request<'_>) -> Result<Planned, Vec<Diagnostic>> {
    let (plan, diagnostics) = examine(request, Purpose::Run);
    match plan {
        Some(plan) => Ok(Planned { plan, warnings: diagnostics }),
        None => Err(diagnostics),
    }
}

/// Everything that is wrong or doubtful about a workflow file, sorted by position. Nobody runs it yet: a
/// required parameter is not missing here, and agents that are absent are only doubtful.
pub fn check(text: &str, file: &str, catalog: &Catalog) -> Vec<Diagnostic> {
    let params = Map::new();
    let request = Request {
        text,
        file,
        origin: Origin::Workspace,
        catalog,
        params: &params,
        mode: None,
        approve: None,
    };
    examine(&request, Purpose::Check).1
}

/// What a file is looked at for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// Parameters and agents must be there.
    Run,
    Check,
}

fn examine(request: &Request<'_>, purpose: Purpose) -> (Option<Plan>, Vec<Diagnostic>) {
    if request.text.len() > MAX_FILE_BYTES {
        let message = format!("the file is larger than {} MiB", MAX_FILE_BYTES >> 20);
        let hint = "split the work into several workflows";
        return (None, vec![Diagnostic::error(request.file, message, hint)]);
    }
    let source = Source::new(request.file, request.text);
    let root = match source::parse(source) {
        Ok(root) => root,
        Err(diagnostic) => return (None, vec![*diagnostic]),
    };
    let mut findings = Findings::new(source);
    let plan = Workflow::read(&root, &mut findings)
        .and_then(|workflow| assemble(request, workflow, purpose, &mut findings))
        .filter(|_| !findings.has_errors());
    (plan, findings.finish())
}

/// Resolves every reference; the plan is only good when there are no errors among the findings.
fn assemble<'n>(
    request: &Request<'n>,
    mut workflow: Workflow<'n>,
    purpose: Purpose,
    findings: &mut Findings<'_>,
) -> Option<Plan> {
    let mut team = Team::new(request.catalog);
    let left_out = leave_out_optional(request, &mut workflow, &team, findings);
    let workflow = &workflow;
    let params = params::resolve(workflow, request.params, purpose, findings);
    let ids = index(&workflow.steps, findings);
    let graph = Graph::build(workflow, &ids, findings);

    let mut tasks = Vec::with_capacity(workflow.steps.len());
    let mut files = Vec::with_capacity(workflow.steps.len());
    for (position, step) in workflow.steps.iter().enumerate() {
        let mode = mode(request, workflow.mode, step);
        let executors = team.executors(step, mode, findings);
        files.push(team.files(&executors));
        if let Some(id) = step.id.and_then(|id| id.parse::<StepId>().ok()) {
            let needs = graph.needs(position).to_vec();
            // Of a step that has nobody, more than that is not to be said.
            let writes = executors.is_empty() || team.writes(&executors);
            let checks = checks::of(workflow, step, writes, request.catalog, &params, findings);
            let mut task = task(workflow, step, id, needs, mode, executors, checks);
            checks::fill_in(step, &params, &mut task.with, findings);
            tasks.push(task);
        }
    }
    let merges = Merges::find(&workflow.steps, &graph, &files);
    templates::check(workflow, &ids, &graph, &merges, findings);
    let common = Common {
        mode: request.mode.or(workflow.mode).unwrap_or_default(),
        resolvers: resolvers(request, workflow, &merges, &mut team, findings),
        retry: retry(RetryKeys::default(), workflow.retry),
        verify: checks::of_merges(workflow, request.catalog, &params, findings),
    };
    if !team.lacks_somebody() {
        say_left_out(&left_out, findings);
    }
    team.say_who_is_absent(purpose == Purpose::Run, findings);
    // With errors there is no plan, and steps may be missing among the tasks.
    if !findings.has_errors() {
        tasks = merges.insert(tasks, &common);
    }
    Some(Plan {
        name: name(request, workflow, findings)?,
        description: workflow.description.trim().to_owned(),
        source: PlanSource::Workflow {
            name: name(request, workflow, findings)?,
            origin: request.origin,
            file: (request.origin == Origin::Workspace).then(|| request.file.to_owned()),
        },
        pattern: workflow.pattern,
        tasks,
        agents: team.into_agents(),
        params,
        order: request.catalog.order.clone(),
        max_parallel: workflow.max_parallel,
        timeout: workflow.timeout,
        approve: request.approve.unwrap_or(workflow.approve),
        with_conflicts: false,
        unsaved: Vec::new(),
        tree: request.catalog.tree.clone(),
        checks: request.catalog.checks.clone(),
        apply: workflow.apply.unwrap_or(request.catalog.apply),
    })
}

fn mode(request: &Request<'_>, of_workflow: Option<Mode>, step: &Step<'_>) -> Mode {
    request.mode.or(step.mode).or(of_workflow).unwrap_or_default()
}

/// Who takes over where works do not fit together.
fn resolvers<'n>(
    request: &Request<'n>,
    workflow: &Workflow<'n>,
    merges: &Merges,
    team: &mut Team<'n>,
    findings: &mut Findings<'_>,
) -> Vec<Executor> {
    let Some(resolve) = &workflow.resolve else { return Vec::new() };
    let why_not = if merges.is_empty() {
        "no two works come together"
    } else if request.mode.or(workflow.mode) == Some(Mode::Speed) {
        "mode speed is native only"
    } else {
        return team.resolvers(resolve, findings);
    };
    let message = format!("`resolve` is not used, because {why_not}");
    findings.warning(resolve.at, message, "remove the line");
    Vec::new()
}

/// Takes the optional steps away that nobody can do, and returns them. No step may need one, whether it
/// is there or not: otherwise a file would be right on one machine and wrong on another.
fn leave_out_optional<'n>(
    request: &Request<'n>,
    workflow: &mut Workflow<'n>,
    team: &Team<'n>,
    findings: &mut Findings<'_>,
) -> Vec<Step<'n>> {
    let optional: HashSet<&str> =
        workflow.steps.iter().filter(|step| step.optional).filter_map(|step| step.id).collect();
    if optional.is_empty() {
        return Vec::new();
    }
    for need in workflow.steps.iter().flat_map(|step| &step.needs) {
        if optional.contains(need.value) {
            let message = format!("step `{}` is optional, so no step may need it", need.value);
            findings.error(need.at, message, "take the need away, or `optional` from that step");
        }
    }
    for step in &mut workflow.steps {
        step.needs.retain(|need| !optional.contains(need.value));
    }
    let of_workflow = workflow.mode;
    let is_left_out = |step: &mut Step<'_>| {
        step.optional && !team.has_anybody(step, mode(request, of_workflow, step))
    };
    workflow.steps.extract_if(.., is_left_out).collect()
}

/// Where other steps have nobody either, what is wrong is said about them.
fn say_left_out(steps: &[Step<'_>], findings: &mut Findings<'_>) {
    for step in steps {
        let message =
            format!("step `{}` is left out: nobody can do it", step.id.unwrap_or_default());
        let hint = "it is optional; see `orchestra agents list` for who is there";
        findings.warning(step.at, message, hint);
    }
}

fn task(
    workflow: &Workflow<'_>,
    step: &Step<'_>,
    id: StepId,
    needs: Vec<u32>,
    mode: Mode,
    executors: Vec<Executor>,
    checks: Checks,
) -> PlannedTask {
    PlannedTask {
        step: id,
        needs,
        mode,
        capabilities: match &step.work {
            Some(Work::Capable { capabilities, .. }) => {
                capabilities.iter().map(|capability| capability.value.to_owned()).collect()
            }
            Some(Work::Named { .. }) | None => Vec::new(),
        },
        executors,
        prompt: step.prompt.map(|text| text.value.to_owned()),
        with: step.with.iter().map(|entry| (entry.key.clone(), entry.value.to_json())).collect(),
        when: step.when.map(|text| text.value.to_owned()),
        timeout: step.timeout,
        retry: retry(step.retry, workflow.retry),
        priority: step.priority,
        approve: step.approve,
        output: step.output.map(str::to_owned),
        verify: checks.verify,
        accept: checks.accept,
        allow_empty: checks.allow_empty,
        optional: step.optional,
    }
}

/// The wait before the first retry where nobody says anything else.
const DEFAULT_BACKOFF: Millis = Millis::seconds(2);

fn retry(step: RetryKeys, workflow: RetryKeys) -> Retry {
    match step.max.or(workflow.max).unwrap_or(0) {
        0 => Retry::default(),
        max => {
            let backoff = step.backoff.or(workflow.backoff).unwrap_or(DEFAULT_BACKOFF);
            Retry { max, backoff }
        }
    }
}

/// Its own name, or else that of its file.
fn name(
    request: &Request<'_>,
    workflow: &Workflow<'_>,
    findings: &mut Findings<'_>,
) -> Option<String> {
    if let Some(name) = workflow.name {
        return Some(name.to_owned());
    }
    let file = request.file.rsplit(['/', '\\']).next().unwrap_or_default();
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    if crate::ids::is_plain_word(stem) {
        return Some(stem.to_owned());
    }
    let at = findings.source.at(0);
    findings.error(
        at,
        "the workflow has no name",
        format!("add `name:`; {}", plain_word_hint(stem)),
    );
    None
}

/// The steps by their ids; of two with the same id the first.
fn index<'n>(steps: &[Step<'n>], findings: &mut Findings<'_>) -> HashMap<&'n str, usize> {
    let mut ids = HashMap::with_capacity(steps.len());
    for (position, step) in steps.iter().enumerate() {
        let Some(id) = step.id else { continue };
        if let Some(&first) = ids.get(id) {
            let first: &Step<'_> = &steps[first];
            let (line, column) = (first.at.line, first.at.column);
            let message =
                format!("step id `{id}` is used twice, first at line {line}, column {column}");
            findings.error(step.at, message, "give one of the two another id");
        } else {
            ids.insert(id, position);
        }
    }
    debug_assert!(steps.len() <= MAX_STEPS);
    ids
}

/// How a step is called in messages.
fn called(steps: &[Step<'_>], position: usize) -> String {
    match steps.get(position).and_then(|step| step.id) {
        Some(id) => shortened(id),
        None => format!("step {}", position + 1),
    }
}

/// Whether each step needs the one before it.
fn is_sequential(workflow: &Workflow<'_>) -> bool {
    workflow.pattern == Pattern::Sequential
}
