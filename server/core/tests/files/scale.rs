//! Large files: ten thousand steps are checked at once, too many are refused with the limit.

use crate::catalogue::catalog;
use orchestra_core::{
    agent::Origin,
    diagnostic::Diagnostic,
    planner::{self, Planned, Request},
};
use serde_json::Map;
use std::{fmt::Write as _, time::Instant};

fn plan(text: &str) -> Result<Planned, Vec<Diagnostic>> {
    let (catalog, params) = (catalog(), Map::new());
    let started = Instant::now();
    let planned = planner::plan(&Request {
        text,
        file: "large.yaml",
        origin: Origin::Workspace,
        catalog: &catalog,
        params: &params,
        mode: None,
        approve: None,
    });
    println!("{} KiB in {:?}", text.len() >> 10, started.elapsed());
    planned
}

fn workflow(count: usize, step: impl Fn(usize) -> String) -> String {
    let mut text = "name: large\nsteps:\n".to_owned();
    for number in 0..count {
        writeln!(text, "  - id: s{number}\n    {}", step(number)).unwrap();
    }
    text
}

/// Measured in a release build: see the closing note. Here only what would be quadratic is noticed.
fn assert_linear(text: &str, tasks: usize) {
    let started = Instant::now();
    let planned = plan(text).unwrap();
    assert_eq!(planned.plan.tasks.len(), tasks);
    assert!(started.elapsed().as_secs() < 20, "took {:?}", started.elapsed());
}

#[test]
fn ten_thousand_steps_with_prompts_and_needs() {
    let text = workflow(10_000, |number| {
        let before = number.saturating_sub(1);
        match number {
            0 => "action: todo.scan".to_owned(),
            _ => format!(
                "agent: coder\n    prompt: \"Go on from {{{{ steps.s{before}.summary }}}}\"\n    \
                 needs: [s{before}]\n    when: steps.s{before}.status == 'succeeded'"
            ),
        }
    });
    assert_linear(&text, 10_000);
}

#[test]
fn ten_thousand_steps_that_read_from_far_back() {
    let text = workflow(10_000, |number| match number {
        0 => "action: todo.scan".to_owned(),
        _ => format!(
            "agent: coder\n    prompt: \"{{{{ steps.s0.summary }}}}\"\n    needs: [s{}]",
            number - 1
        ),
    });
    assert_linear(&text, 10_000);
}

#[test]
fn a_wide_join_of_ten_thousand() {
    let all: Vec<String> = (0..9_999).map(|number| format!("s{number}")).collect();
    let text = workflow(10_000, |number| match number {
        9_999 => format!("action: report.write\n    needs: [{}]", all.join(", ")),
        _ => "action: todo.scan".to_owned(),
    });
    assert_linear(&text, 10_000);
}

#[test]
fn ten_thousand_wrong_steps_are_named_without_delay() {
    let text = workflow(10_000, |number| {
        format!("action: todo.scn\n    needs: [x{number}]\n    prompt: \"{{{{ steps.y.x }}}}\"")
    });
    let started = Instant::now();
    let errors = plan(&text).unwrap_err();
    assert_eq!(errors.len(), 100);
    assert!(errors[99].hint.contains("more findings are not shown"), "{}", errors[99]);
    assert!(started.elapsed().as_secs() < 20, "took {:?}", started.elapsed());
}

#[test]
fn a_cycle_through_ten_thousand_steps_is_shown_in_short() {
    let text = workflow(10_000, |number| {
        format!("action: todo.scan\n    needs: [s{}]", (number + 1) % 10_000)
    });
    let errors = plan(&text).unwrap_err();
    assert_eq!(errors.len(), 1);
    assert_eq!(
        errors[0].message,
        "steps need each other in a cycle: s0 → s1 → s2 → s3 → … 9993 more … → s9997 → s9998 → \
         s9999 → s0"
    );
}

#[test]
fn more_steps_than_the_limit_are_refused_with_the_limit() {
    let step = |_: usize| "action: todo.scan".to_owned();
    assert!(plan(&workflow(20_000, step)).is_ok());
    for count in [20_001, 200_000] {
        let errors = plan(&workflow(count, step)).unwrap_err();
        assert_eq!(errors.len(), 1);
        assert_eq!(
            errors[0].message,
            "more than 20,000 entries in one list, which is the limit for steps and for every \
             other list"
        );
        assert_eq!((errors[0].line, errors[0].column), (3, 3));
    }
}

#[test]
fn a_file_over_the_limit_is_refused_unread() {
    let text = "x".repeat((16 << 20) + 1);
    let errors = plan(&text).unwrap_err();
    assert_eq!(errors[0].message, "the file is larger than 16 MiB");
}
