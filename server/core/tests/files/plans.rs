//! What a plan contains, for workflows that are fine.

use crate::catalogue::{agent, catalog};
use orchestra_core::{
    agent::Origin,
    catalog::Catalog,
    config::{Config, Layer},
    diagnostic::{Diagnostic, Severity},
    plan::{Executor, Lane, Mode, Plan, Retry, Source},
    planner::{self, Planned, Request, StartError, plan_for_start},
    template,
    time::Millis,
    workflow::check_commands,
};
use serde_json::{Map, Value, json};

fn request<'a>(text: &'a str, catalog: &'a Catalog, params: &'a Map<String, Value>) -> Request<'a> {
    Request {
        text,
        file: ".orchestra/workflows/test.yaml",
        origin: Origin::Workspace,
        catalog,
        params,
        mode: None,
        approve: None,
    }
}

fn plan(text: &str) -> Plan {
    let (catalog, params) = (catalog(), Map::new());
    let Planned { plan, warnings } = planner::plan(&request(text, &catalog, &params)).unwrap();
    assert_eq!(warnings, []);
    plan
}

fn native(action: &str) -> Executor {
    Executor::Native { action: action.to_owned(), inline: false, spawns: false }
}

fn by(name: &str) -> Executor {
    Executor::Agent { name: name.to_owned(), fallback: false }
}

fn fallback(name: &str) -> Executor {
    Executor::Agent { name: name.to_owned(), fallback: true }
}

#[test]
fn every_default_is_filled_in() {
    let plan = plan(
        "retry: { max: 2 }\n\
         steps:\n\
         - { id: a, action: todo.scan }\n\
         - { id: b, action: todo.scan, needs: a, retry: { max: 1, backoff: 5s } }\n\
         - { id: c, action: todo.scan, needs: [b, a], retry: { max: 0 } }\n",
    );
    assert_eq!(plan.name, "test");
    assert_eq!(
        plan.source,
        Source::Workflow {
            name: "test".to_owned(),
            origin: Origin::Workspace,
            file: Some(".orchestra/workflows/test.yaml".to_owned()),
        }
    );
    let needs: Vec<_> = plan.tasks.iter().map(|task| task.needs.clone()).collect();
    assert_eq!(needs, [vec![], vec![0], vec![0, 1]]);
    let retries: Vec<_> = plan.tasks.iter().map(|task| task.retry).collect();
    assert_eq!(
        retries,
        [
            Retry { max: 2, backoff: Millis::seconds(2) },
            Retry { max: 1, backoff: Millis::seconds(5) },
            Retry { max: 0, backoff: Millis(0) },
        ]
    );
    assert_eq!(plan.tasks[0].executors, [native("todo.scan")]);
    assert!(plan.agents.is_empty() && !plan.approve);
}

#[test]
fn in_a_sequence_each_step_needs_the_one_before() {
    let plan = plan(
        "pattern: sequential\nsteps:\n\
         - { id: a, action: todo.scan }\n\
         - { id: b, action: todo.scan }\n\
         - { id: c, action: todo.scan, needs: [a] }\n",
    );
    let needs: Vec<_> = plan.tasks.into_iter().map(|task| task.needs).collect();
    assert_eq!(needs, [vec![], vec![0], vec![0, 1]]);
}

#[test]
fn the_mode_orders_the_layers() {
    let steps = |mode: &str| {
        let text =
            format!("steps: [{{ id: a, capability: reporting, prompt: hi, mode: {mode} }}]\n");
        plan(&text).tasks.remove(0).executors
    };
    assert_eq!(steps("intelligent"), [native("report.write"), by("documenter")]);
    assert_eq!(steps("speed"), [native("report.write")]);
    assert_eq!(steps("strategic"), [by("documenter")]);
}

#[test]
fn without_a_prompt_no_agent_stands_in() {
    let executors = |step: &str| plan(&format!("steps: [{{ id: a, {step} }}]\n")).tasks.remove(0);
    assert_eq!(executors("capability: reporting").executors, [native("report.write")]);
    assert_eq!(executors("action: report.write").executors, [native("report.write")]);
    assert_eq!(
        executors("action: report.write, prompt: hi").executors,
        [native("report.write"), by("documenter")]
    );
    assert_eq!(
        executors("action: report.write, agent: coder, prompt: hi").executors,
        [native("report.write"), by("coder")]
    );
}

#[test]
fn agents_are_ordered_by_priority_then_specialisation_then_name() {
    let mut catalog = catalog();
    catalog.agents = vec![
        agent("zoe", "capabilities: [code_generation]"),
        agent("broad", "capabilities: [code_generation, testing, code_review]"),
        agent("anna", "capabilities: [code_generation]\nfallback: [helper, off]"),
        agent("first", "capabilities: [a, b, c, code_generation]\npriority: 1"),
        agent("helper", "capabilities: [other]\nfallback: [last, anna]"),
        agent("last", "capabilities: [other]"),
        agent("off", "capabilities: [code_generation]\nstatus: inactive"),
        agent("by-type", "type: code_generation"),
    ];
    let params = Map::new();
    let text = "steps: [{ id: a, capability: code_generation, prompt: hi }]\n";
    let plan = planner::plan(&request(text, &catalog, &params)).unwrap().plan;
    assert_eq!(
        plan.tasks[0].executors,
        [
            by("first"),
            by("by-type"),
            by("anna"),
            by("zoe"),
            by("broad"),
            fallback("helper"),
            fallback("last"),
        ]
    );
    let names: Vec<&str> = plan.agents.keys().map(String::as_str).collect();
    assert_eq!(names, ["anna", "broad", "by-type", "first", "helper", "last", "zoe"]);
}

#[test]
fn a_word_that_is_not_in_the_catalogue_works_and_is_doubted() {
    let mut catalog = catalog();
    catalog.agents.push(agent("poet", "capabilities: [dreaming]\ntype: bard"));
    let params = Map::new();
    let plan = |word: &str| {
        let text = format!("steps: [{{ id: a, capability: {word}, prompt: hi }}]\n");
        planner::plan(&request(&text, &catalog, &params)).unwrap()
    };
    let planned = plan("dreaming");
    assert_eq!(planned.plan.tasks[0].executors, [by("poet")]);
    assert_eq!(planned.plan.tasks[0].capabilities, ["dreaming"]);
    assert_eq!(planned.warnings[0].message, "the catalogue has no capability `dreaming`");
    // The type of an agent and the words of a native action are as good.
    assert_eq!(plan("bard").warnings, []);
    assert_eq!(plan("todo-scanning").warnings, []);
}

#[test]
fn of_many_who_were_near_each_reason_is_said_once() {
    let mut catalog = catalog();
    catalog.agents = (0..5)
        .map(|number| agent(&format!("a{number}"), "capabilities: [testing]\nrequires: [gone]"))
        .collect();
    catalog.agents.push(agent("half", "capabilities: [debugging]"));
    let errors = |word: &str| {
        let text = format!("steps: [{{ id: a, capability: [{word}], prompt: hi }}]\n");
        let error = planner::plan(&request(&text, &catalog, &Map::new())).unwrap_err().remove(0);
        format!("{}: {}", error.message, error.hint)
    };
    assert_eq!(
        errors("testing"),
        "nobody has `testing`: `a0`, `a1`, `a2` and 2 more are not available: `gone` is not on PATH"
    );
    assert_eq!(
        errors("debugging, testing"),
        "nobody has `debugging, testing`: `half` lacks `testing`"
    );
}

#[test]
fn the_user_overrides_mode_and_approval() {
    let (catalog, params) = (catalog(), Map::new());
    let text = "approve: true\nmode: speed\nsteps:\n\
        - { id: a, mode: speed, action: report.write, agent: coder, prompt: hi }\n";
    let mut request = request(text, &catalog, &params);
    assert!(planner::plan(&request).unwrap().plan.approve);
    (request.mode, request.approve) = (Some(Mode::Strategic), Some(false));
    let plan = planner::plan(&request).unwrap().plan;
    assert_eq!(
        (plan.tasks[0].executors.as_slice(), plan.approve),
        ([by("coder")].as_slice(), false)
    );
}

#[test]
fn params_from_a_command_line_take_the_type_of_the_default() {
    let catalog = catalog();
    let text = "params:\n  \
          count: { default: 1 }\n  all: { default: false }\n  tags: { default: [] }\n  \
          scope: { default: x }\n  word: { default: x }\n  note: { required: false }\n  free: {}\n\
        steps: [{ id: a, action: todo.scan }]\n";
    let given = json!({
        "count": "3", "all": "true", "tags": "[\"a\"]", "scope": "5", "word": true, "free": "7",
    });
    let given = given.as_object().unwrap();
    let plan = planner::plan(&request(text, &catalog, given)).unwrap().plan;
    assert_eq!(
        Value::Object(plan.params),
        json!({
            "count": 3, "all": true, "tags": ["a"], "scope": "5", "word": "true", "note": null,
            "free": "7",
        })
    );
    // Checking a file is not running it.
    assert_eq!(planner::check(text, "test.yaml", &catalog), []);
    assert_eq!(planner::plan(&request(text, &catalog, &Map::new())).unwrap_err().len(), 1);
}

#[test]
fn a_prompt_on_the_command_line_reaches_the_agent_as_it_is() {
    let catalog = catalog();
    for prompt in ["plain", "explain {{ this }} and {% that %}", "{{ params.prompt }}"] {
        let plan = plan_for_start("coder", prompt, &catalog).unwrap();
        let task = &plan.tasks[0];
        assert_eq!(task.executors, [by("coder")]);
        assert_eq!(plan.source, Source::Start { agent: "coder".to_owned() });
        let context = json!({ "params": plan.params });
        assert_eq!(template::render(task.prompt.as_ref().unwrap(), &context).unwrap(), prompt);
    }
}

#[test]
fn an_agent_that_cannot_start_is_refused_with_the_reason() {
    let catalog = catalog();
    let refused = |agent: &str, prompt: &str| {
        let error = plan_for_start(agent, prompt, &catalog).unwrap_err();
        (error.to_string(), error.hint())
    };
    assert_eq!(
        refused("codr", "hi"),
        ("there is no agent `codr`".into(), "did you mean `coder`?".into())
    );
    assert_eq!(
        refused("sleeper", "hi").0,
        "agent `sleeper` is not available: its status is inactive"
    );
    let empty = plan_for_start("coder", "  ", &catalog);
    assert_eq!(empty, Err(StartError::NoPrompt { agent: "coder".to_owned() }));
}

#[test]
fn a_step_is_checked_with_its_own_commands_or_else_with_the_configured_ones() {
    let mut config = Config::default();
    let text =
        "verify.commands = [\"make test\"]\ntree.setup = [\"npm ci\"]\nverify.timeout = \"1m\"\n";
    assert_eq!(config.layer_file(Layer::User, "config.toml", text), []);
    let (mut catalog, params) = (catalog(), Map::new());
    catalog.configure(&config);
    let plan = |text: &str| planner::plan(&request(text, &catalog, &params)).unwrap().plan;
    let checks = |text: &str| {
        let tasks = plan(text).tasks;
        let shown = |commands: &[Vec<String>]| {
            commands.iter().map(|words| words.join(" ")).collect::<Vec<_>>().join("; ")
        };
        tasks
            .iter()
            .map(|task| (shown(&task.verify), shown(&task.accept), task.allow_empty))
            .collect::<Vec<_>>()
    };
    let step = |keys: &str| format!("- {{ id: s, agent: writer, prompt: hi{keys} }}\n");
    let configured = ("make test".to_owned(), String::new(), false);
    assert_eq!(checks(&format!("steps:\n{}", step(""))), std::slice::from_ref(&configured));
    assert_eq!(
        checks(&format!("steps:\n{}", step(", verify: [], accept: a b, allow_empty: true"))),
        [(String::new(), "a b".to_owned(), true)]
    );
    let of_workflow = format!("verify: [a, [b, c d]]\nsteps:\n{}", step(""));
    assert_eq!(checks(&of_workflow)[0].0, "a; b c d");
    // Who only reads changes nothing that could be checked.
    assert_eq!(checks("steps: [{ id: s, agent: coder, prompt: hi }]\n")[0].0, "");
    assert_eq!(checks("steps: [{ id: s, action: todo.scan }]\n")[0].0, "");

    let start = |agent: &str| plan_for_start(agent, "hi", &catalog).unwrap();
    assert_eq!(start("writer").tasks[0].verify, [["make", "test"]]);
    assert!(start("coder").tasks[0].verify.is_empty());
    for plan in [start("writer"), plan("steps: [{ id: s, action: todo.scan }]\n")] {
        assert_eq!(plan.tree.setup, [["npm", "ci"]]);
        assert_eq!((plan.tree, &plan.checks), (config.tree_plan(), &config.checks_plan()));
        assert_eq!(plan.checks.commands, [["make", "test"]]);
        assert_eq!(plan.checks.timeout, Millis::minutes(1));
    }
}

#[test]
fn a_command_that_is_a_parameter_is_what_the_run_is_given() {
    let text = "params: { test: { default: '' }, more: {} }\n\
        steps:\n\
        - { id: a, agent: writer, prompt: hi, verify: '{{ params.more }}', accept: '{{params.test}}' }\n\
        - { id: b, action: checks.run, with: { commands: ['{{ params.test }}', ls] } }\n\
        - { id: c, action: checks.run, with: { commands: '{{ params.test }}' } }\n";
    let catalog = catalog();
    let plan = |given: Value| {
        let params = given.as_object().cloned().unwrap();
        planner::plan(&request(text, &catalog, &params)).unwrap().plan.tasks
    };
    let tasks = plan(json!({ "more": "make 'a b'" }));
    assert_eq!(
        (&tasks[0].verify[..], tasks[0].accept.len()),
        (&[vec!["make".into(), "a b".into()]][..], 0)
    );
    assert_eq!(Value::Object(tasks[1].with.clone()), json!({ "commands": [["ls"]] }));
    // Without a command of its own it looks for some.
    assert_eq!(Value::Object(tasks[2].with.clone()), json!({}));

    let tasks = plan(json!({ "more": "make", "test": "pytest -k x" }));
    assert_eq!(tasks[0].accept, [["pytest", "-k", "x"]]);
    assert_eq!(
        Value::Object(tasks[1].with.clone()),
        json!({ "commands": [["pytest", "-k", "x"], ["ls"]] })
    );
}

#[test]
fn agents_that_are_absent_are_no_fault_of_a_file_that_is_only_checked() {
    let text = "steps:\n- { id: a, capability: dreaming, prompt: hi }\n\
        - { id: b, capability: dreaming, prompt: hi, needs: a }\n";
    let (catalog, params) = (catalog(), Map::new());
    let of_run = planner::plan(&request(text, &catalog, &params)).unwrap_err();
    let of_check = planner::check(text, "test.yaml", &catalog);
    let said = |found: Vec<Diagnostic>| {
        found.into_iter().map(|found| (found.severity, found.message)).collect::<Vec<_>>()
    };
    let message = "nobody is there for the steps a (`dreaming`), b (`dreaming`)".to_owned();
    assert_eq!(said(of_run), [(Severity::Error, message.clone())]);
    assert_eq!(said(of_check), [(Severity::Warning, message)]);
}

#[test]
fn an_action_that_runs_commands_counts_as_a_process() {
    let plan = plan("steps: [{ id: a, action: checks.run }]\n");
    let executor = &plan.tasks[0].executors[0];
    assert_eq!((executor.name(), executor.lane()), ("checks.run", Lane::Process));
    assert!(plan.has_processes());
}

#[test]
fn the_commands_of_a_file_are_seen_even_when_it_is_wrong() {
    let text = "verify: make\nsteps:\n- { id: a, agent: nobody, verify: [b c], accept: d }\n- {}\n";
    assert_eq!(check_commands(text, "test.yaml"), [vec!["make"], vec!["b", "c"], vec!["d"]]);
    assert!(check_commands("steps: [", "test.yaml").is_empty());
    let run = "steps: [{ id: a, action: checks.run, with: { commands: [a b, './c'] } }]\n";
    assert_eq!(check_commands(run, "test.yaml"), [vec!["a", "b"], vec!["./c"]]);
    // What a file brings as the default of a parameter it brings, too.
    let param = "params: { x: { default: rm all }, y: {} }\n\
        steps: [{ id: a, agent: coder, accept: ['{{ params.x }}', '{{ params.y }}'] }]\n";
    assert_eq!(check_commands(param, "test.yaml"), [["rm", "all"]]);
}

const OPTIONAL: &str = "steps:\n\
    - { id: a, action: todo.scan }\n\
    - { id: b, capability: planning, prompt: hi, optional: true, needs: a }\n\
    - { id: c, capability: code_generation, prompt: hi, optional: true, needs: a }\n\
    - { id: d, action: todo.scan, needs: a }\n";

fn steps(plan: &Plan) -> Vec<(&str, &[u32])> {
    plan.tasks.iter().map(|task| (task.step.as_str(), task.needs.as_slice())).collect()
}

#[test]
fn an_optional_step_that_nobody_can_do_is_left_out_and_it_is_said() {
    let (catalog, params) = (catalog(), Map::new());
    let Planned { mut plan, warnings } =
        planner::plan(&request(OPTIONAL, &catalog, &params)).unwrap();
    let needs_a: &[u32] = &[0];
    assert_eq!(steps(&plan), [("a", [].as_slice()), ("c", needs_a), ("d", needs_a)]);
    let warnings: Vec<String> = warnings.into_iter().map(|warning| warning.message).collect();
    assert_eq!(warnings, ["step `b` is left out: nobody can do it"]);

    let left_out = plan.leave_out(|_| true);
    assert_eq!(left_out.iter().map(|step| step.as_str()).collect::<Vec<_>>(), ["c"]);
    assert_eq!(steps(&plan), [("a", [].as_slice()), ("d", needs_a)]);
}

#[test]
fn positions_stay_right_when_tasks_before_are_left_out() {
    let mut plan = plan(
        "steps:\n\
         - { id: a, capability: code_generation, prompt: hi, optional: true }\n\
         - { id: b, action: todo.scan }\n\
         - { id: c, action: todo.scan, needs: b }\n",
    );
    plan.leave_out(|_| true);
    assert_eq!(steps(&plan), [("b", [].as_slice()), ("c", &[0])]);
}

#[test]
fn the_speed_mode_leaves_optional_work_of_agents_out() {
    let (catalog, params) = (catalog(), Map::new());
    let request = Request { mode: Some(Mode::Speed), ..request(OPTIONAL, &catalog, &params) };
    let plan = planner::plan(&request).unwrap().plan;
    assert_eq!(plan.tasks.iter().map(|task| task.step.as_str()).collect::<Vec<_>>(), ["a", "d"]);
}
