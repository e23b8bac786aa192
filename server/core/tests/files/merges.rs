//! Where the works of several steps come together: tasks that nobody writes down.

use crate::catalogue::{agent, catalog};
use orchestra_core::{
    agent::Origin,
    catalog::Catalog,
    diagnostic::Diagnostic,
    plan::{Executor, Lane, Mode, Plan, Retry},
    planner::{self, Planned, Request},
    time::Millis,
};
use proptest::{collection::vec, prelude::*};
use serde_json::{Map, Value};
use std::{collections::BTreeSet, fmt::Write as _};

fn planned(text: &str, catalog: &Catalog, mode: Option<Mode>) -> Result<Planned, Vec<Diagnostic>> {
    planner::plan(&Request {
        text,
        file: "test.yaml",
        origin: Origin::Workspace,
        catalog,
        params: &Map::<String, Value>::new(),
        mode,
        approve: None,
    })
}

#[track_caller]
fn plan(text: &str) -> Plan {
    let Planned { plan, warnings } = planned(text, &catalog(), None).unwrap();
    assert_eq!(warnings, []);
    plan
}

/// Steps of one line each: `write a`, `read b: a, w`, `scan c: b`.
fn workflow(steps: &[&str]) -> String {
    let mut text = "steps:\n".to_owned();
    for step in steps {
        let (what, needs) = step.split_once(": ").unwrap_or((step, ""));
        let (kind, id) = what.split_once(' ').unwrap();
        let who = match kind {
            "write" => "agent: writer, prompt: go",
            "read" => "agent: coder, prompt: go",
            "check" => "action: checks.run",
            "scan" => "action: todo.scan",
            // Whether it writes is seen only when it runs.
            "either" => "action: todo.scan, agent: writer, prompt: go",
            other => panic!("no kind {other}"),
        };
        writeln!(text, "- {{ id: {id}, {who}, needs: [{needs}] }}").unwrap();
    }
    text
}

/// The plan in the same form.
fn lines(plan: &Plan) -> Vec<String> {
    let step = |&need: &u32| plan.tasks[need as usize].step.to_string();
    plan.tasks
        .iter()
        .map(|task| {
            let needs: Vec<String> = task.needs.iter().map(step).collect();
            match needs.as_slice() {
                [] => task.step.to_string(),
                needs => format!("{}: {}", task.step, needs.join(", ")),
            }
        })
        .collect()
}

#[track_caller]
fn becomes(steps: &[&str], expected: &[&str]) {
    assert_eq!(lines(&plan(&workflow(steps))), expected, "{steps:?}");
}

#[test]
fn works_come_together_before_the_step_that_needs_them() {
    becomes(
        &["write a", "write b", "read c: a, b"],
        &["a", "b", "merge-c: a, b", "c: a, b, merge-c"],
    );
    // The work of a step that starts from a merge is on top of it.
    becomes(
        &["write a", "write b", "write c: a, b", "read d: c, a"],
        &["a", "b", "merge-c: a, b", "c: a, b, merge-c", "d: a, c"],
    );
    becomes(
        &["read c: a, b", "write a", "write b"],
        &["merge-c: a, b", "c: merge-c, a, b", "a", "b"],
    );
}

#[test]
fn one_work_on_top_of_the_other_needs_no_merge() {
    becomes(
        &["write a", "write b: a", "read c: a, b", "check d: c"],
        &["a", "b: a", "c: a, b", "d: c"],
    );
    becomes(&["read a", "read b", "read c: a, b"], &["a", "b", "c: a, b"]);
    becomes(&["write a", "read b", "check c: a, b"], &["a", "b", "c: a, b"]);
}

#[test]
fn steps_that_do_not_write_pass_works_on() {
    becomes(
        &["write a", "write b", "read c: a", "scan d: b", "check e: c, d"],
        &["a", "b", "c: a", "d: b", "merge-e: a, b", "e: c, d, merge-e"],
    );
    // A native action that looks at no tree gives nobody a reason to merge, and what is behind it does.
    becomes(
        &["write a", "write b", "scan c: a, b", "read d: c"],
        &["a", "b", "c: a, b", "merge-d: a, b", "d: c, merge-d"],
    );
}

#[test]
fn the_same_works_come_together_once() {
    becomes(
        &["write a", "write b", "read c: a, b", "check d: b, a", "read e: c, d"],
        &["a", "b", "merge-c: a, b", "c: a, b, merge-c", "d: a, b, merge-c", "e: c, d"],
    );
}

#[test]
fn at_the_end_all_works_come_together() {
    becomes(&["write a", "write b", "scan c"], &["a", "b", "c", "merge: a, b"]);
    becomes(
        &["write a", "write b", "read c: a, b", "write d: a"],
        &["a", "b", "merge-c: a, b", "c: a, b, merge-c", "d: a", "merge: merge-c, d"],
    );
    becomes(&["write a", "write b: a"], &["a", "b: a"]);
}

#[test]
fn a_step_writes_when_one_of_those_may_who_can_do_it() {
    becomes(&["either a", "either b"], &["a", "b", "merge: a, b"]);
}

#[test]
fn a_merge_has_an_id_that_no_step_has() {
    becomes(
        &["write merge", "write merge-c", "read c: merge, merge-c", "write d"],
        &[
            "merge",
            "merge-c",
            "merge-c-2: merge, merge-c",
            "c: merge, merge-c, merge-c-2",
            "d",
            "merge-2: merge-c-2, d",
        ],
    );
    let long = "x".repeat(64);
    let plan = plan(&workflow(&["write a", "write b", &format!("read {long}: a, b")]));
    assert_eq!(plan.tasks[2].step.as_str(), format!("merge-{}", "x".repeat(58)));
}

#[test]
fn a_merge_is_checked_and_retried_as_the_workflow_says_and_is_native_in_every_mode() {
    let text = format!(
        "verify: cargo test\nretry: {{ max: 1 }}\nresolve: writer\n{}",
        workflow(&["write a", "write b"])
    );
    let merge =
        Executor::Native { action: "changes.merge".to_owned(), inline: false, spawns: true };
    let writer = Executor::Agent { name: "writer".to_owned(), fallback: false };
    assert_eq!(merge.lane(), Lane::Process);
    for mode in [Mode::Intelligent, Mode::Strategic] {
        let plan = planned(&text, &catalog(), Some(mode)).unwrap().plan;
        let last = plan.tasks.last().unwrap();
        assert!(last.is_merge());
        assert_eq!(last.executors, [merge.clone(), writer.clone()]);
        assert_eq!(last.mode, mode);
        assert_eq!(last.verify, [["cargo", "test"]]);
        assert_eq!(last.retry, Retry { max: 1, backoff: Millis::seconds(2) });
    }
}

#[test]
fn who_resolves_is_named_as_steps_name_who_does_them() {
    let mut catalog = catalog();
    catalog.agents.push(agent("mender", "capabilities: [writing]\nwrites: true\npriority: 3"));
    catalog.agents.push(agent("looker", "capabilities: [writing]\npriority: 9"));
    catalog.agents.push(agent("other", "writes: true\nfallback: [mender, looker]"));
    let resolvers = |resolve: &str| {
        let text = format!("resolve: {resolve}\n{}", workflow(&["write a", "write b"]));
        let plan = planned(&text, &catalog, None).unwrap().plan;
        for executor in &plan.tasks[2].executors[1..] {
            assert!(plan.agents.contains_key(executor.name()));
        }
        let executors = plan.tasks[2].executors.iter();
        executors.map(Executor::name).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(resolvers("writer"), "changes.merge writer");
    assert_eq!(resolvers("[writing]"), "changes.merge mender writer");
    assert_eq!(resolvers("other"), "changes.merge other mender");
}

#[test]
fn a_template_names_the_merge_before_its_step() {
    let text = "steps:\n\
        - { id: a, agent: writer, prompt: go }\n\
        - { id: b, agent: writer, prompt: go }\n\
        - { id: c, agent: coder, needs: [a, b], prompt: '{{ steps[\"merge-c\"].summary }}' }\n\
        - { id: d, action: todo.scan, needs: c, when: 'steps[\"merge-c\"].result.files > 0' }\n";
    plan(text);
    let errors = planned(&text.replace("needs: c", "needs: a"), &catalog(), None).unwrap_err();
    let messages: Vec<&str> = errors.iter().map(|error| error.message.as_str()).collect();
    assert_eq!(messages, ["the merge `merge-c` may not have ended, because nothing here needs it"]);
}

#[test]
fn where_nobody_can_write_any_more_nothing_is_merged() {
    let mut plan = plan(&workflow(&["either a", "either b", "either c: a, b"]));
    assert_eq!(lines(&plan), ["a", "b", "merge-c: a, b", "c: a, b, merge-c"]);
    assert_eq!(plan.leave_out(|task| task.is_merge()), []);
    assert_eq!(lines(&plan), ["a", "b", "c: a, b"]);
}

#[test]
fn ten_thousand_works_come_together_without_delay() {
    let all: Vec<String> = (0..9_999).map(|number| format!("s{number}")).collect();
    let join = format!("read end: {}", all.join(", "));
    let steps: Vec<String> = all.iter().map(|id| format!("write {id}")).chain([join]).collect();
    let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
    let plan = plan(&workflow(&steps));
    assert_eq!((plan.tasks.len(), plan.tasks[9_999].needs.len()), (10_001, 9_999));
}

/// Whose works the task at `position` finds in its tree: writers, and merges.
fn works(plan: &Plan, position: usize) -> BTreeSet<usize> {
    let mut works = BTreeSet::new();
    for need in plan.tasks[position].needs.iter().map(|&need| need as usize) {
        if hands_on(plan, need) {
            works.insert(need);
        } else {
            works.append(&mut self::works(plan, need));
        }
    }
    works
}

fn hands_on(plan: &Plan, position: usize) -> bool {
    let task = &plan.tasks[position];
    let writes = |executor: &Executor| plan.agents.get(executor.name()).is_some_and(|a| a.writes);
    task.is_merge() || task.executors.iter().any(writes)
}

fn is_upstream(plan: &Plan, other: usize, position: usize) -> bool {
    let mut needs = plan.tasks[position].needs.iter().map(|&need| need as usize);
    needs.any(|need| need == other || is_upstream(plan, other, need))
}

fn maximal(plan: &Plan, works: &BTreeSet<usize>) -> Vec<usize> {
    let is_free = |one: &&usize| !works.iter().any(|other| is_upstream(plan, **one, *other));
    works.iter().filter(is_free).copied().collect()
}

proptest! {
    #[test]
    fn whoever_works_in_a_tree_finds_one_work_and_one_is_left_at_the_end(
        steps in vec((0..5usize, any::<u16>(), any::<u16>()), 0..9),
        backwards in any::<bool>(),
    ) {
        let kinds = ["write", "read", "check", "scan", "either"];
        let step = |(at, (kind, some, few)): (usize, &(usize, u16, u16))| {
            let needs: Vec<String> = (0..at)
                .filter(|bit| some & few & (1 << bit) != 0)
                .map(|bit| format!("s{bit}"))
                .collect();
            format!("{} s{at}: {}", kinds[*kind], needs.join(", "))
        };
        let mut steps: Vec<String> = steps.iter().enumerate().map(step).collect();
        if steps.is_empty() {
            return Ok(());
        }
        if backwards {
            steps.reverse();
        }
        let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
        let plan = plan(&workflow(&steps));
        for (at, task) in plan.tasks.iter().enumerate() {
            prop_assert!(task.needs.is_sorted(), "{:?}", lines(&plan));
            let found = maximal(&plan, &works(&plan, at));
            if task.is_merge() {
                let needs: Vec<usize> = task.needs.iter().map(|&need| need as usize).collect();
                prop_assert!(found.len() > 1 && found == needs, "{:?}", lines(&plan));
            } else if task.executors.iter().any(|executor| executor.lane() == Lane::Process) {
                prop_assert!(found.len() <= 1, "{} of {:?}", task.step, lines(&plan));
            }
        }
        let all: BTreeSet<usize> =
            (0..plan.tasks.len()).filter(|&at| hands_on(&plan, at)).collect();
        prop_assert!(maximal(&plan, &all).len() <= 1, "{:?}", lines(&plan));
    }
}
