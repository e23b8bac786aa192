//! Stopping, bounds, and values that pass through.

use crate::support::{Bench, messy};
use orchestra_core::{outcome::Output, time::Timestamp};
use orchestra_runtimes::native::{self, Context, Stop};
use serde_json::{Map, Value, json};
use std::sync::atomic::{AtomicBool, Ordering};

#[test]
fn a_cancelled_action_stops() {
    let bench = messy();
    for action in ["workspace.metrics", "todo.scan", "secrets.scan", "deps.list"] {
        assert_eq!(bench.run_with(action, json!({}), true), Err(Stop::Cancelled), "{action}");
    }
}

#[test]
fn a_scan_stops_in_the_middle_when_it_is_cancelled() {
    let bench = Bench::new();
    for number in 0..2_000 {
        bench.write(format!("d{}/f{number}.rs", number % 50), "// TODO: x\n");
    }
    let cancelled = AtomicBool::new(false);
    let with = Map::new();
    let ctx = Context {
        root: &bench.root,
        repo: None,
        run_name: "",
        run_description: "",
        with: &with,
        prompt: None,
        output: None,
        inputs: &[],
        cancelled: &cancelled,
        progress: &|progress| {
            assert!(progress.done < 2_000);
            cancelled.store(true, Ordering::Relaxed);
        },
        now: Timestamp(0),
    };
    assert_eq!(native::find("todo.scan").unwrap().run(&ctx), Err(Stop::Cancelled));
}

#[test]
fn a_value_is_handed_on_as_it_is() {
    let bench = Bench::new();
    assert_eq!(bench.run("value.set", json!({ "value": [1, "a"] })).result, json!([1, "a"]));
    assert_eq!(bench.run("value.set", json!({})).result, Value::Null);
    let Err(Stop::Failed(failure)) = bench.run_with("value.set", json!({ "x": 1 }), false) else {
        panic!("an unknown argument is an error");
    };
    assert_eq!(failure.hint.as_deref(), Some("known arguments: value"));
}

#[test]
fn many_findings_stay_within_the_bounds_of_a_result() {
    let bench = Bench::new();
    for file in 0..20 {
        // The first ones alone are more than a result may hold.
        let words = if file < 2 { "x".repeat(300) } else { "x".to_owned() };
        bench.write(format!("f{file:02}.rs"), format!("// TODO: {words}\n").repeat(3_000));
    }
    let report = bench.run("todo.scan", json!({ "limit": 5_000 }));
    assert_eq!(report.result["total"], json!(60_000));
    assert!(report.result.to_string().len() <= Output::MAX_RESULT_BYTES);
    let listing: Value = serde_json::from_slice(&report.files[0].content).unwrap();
    assert_eq!(listing["findings"].as_array().unwrap().len(), 50_000);
    assert_eq!(listing["total"], json!(60_000));
}
