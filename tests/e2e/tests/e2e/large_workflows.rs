//! Workflows at and beyond the limit of their size.

use orchestra_testkit::Sandbox;
use std::{fmt::Write as _, time::Duration};

/// Steps that set a value each; every one but the first needs the one before it.
fn chain(count: usize) -> String {
    let mut text = "steps:\n".to_owned();
    for number in 0..count {
        let needs = match number {
            0 => String::new(),
            number => format!(", needs: [s{}]", number - 1),
        };
        writeln!(
            text,
            "  - {{ id: s{number}, action: value.set, with: {{ value: {number} }}{needs} }}"
        )
        .expect("a string takes it");
    }
    text
}

#[test]
fn ten_thousand_steps_are_accepted_and_complete() {
    let sandbox = Sandbox::new();
    sandbox.workflow("large", &chain(10_000));
    sandbox.orchestra(["run", "large"]).limit(Duration::from_secs(90)).run().success();
    let run = &sandbox.show("r1")["run"];
    assert_eq!((run["tasks"].as_u64(), run["tasks_ended"].as_u64()), (Some(10_000), Some(10_000)));
    assert_eq!(sandbox.show("r1/s9999")["output"]["result"], 9_999);
}

#[test]
fn two_hundred_thousand_steps_are_refused_and_the_limit_is_named() {
    let sandbox = Sandbox::new();
    sandbox.workflow("huge", &chain(200_000));
    sandbox
        .orchestra(["run", "huge"])
        .run()
        .code(2)
        .stderr_has(".orchestra/workflows/huge.yaml")
        .stderr_has("more than 20,000 entries in one list, which is the limit for steps")
        .stderr_has("hint:");
}
