//! What attempts keep for one another, and for how long.

use crate::support::{Simulator, limits, plan, succeeded};
use orchestra_core::{ids::RunId, memory::Scope};
use serde_json::{Value, json};

fn recall(sim: &Simulator, run: RunId, scope: &Scope, key: &str) -> Option<Value> {
    sim.state.run(run).unwrap().memory.get(scope, key, sim.now).cloned()
}

fn private(agent: &str) -> Scope {
    Scope::Private { agent: agent.to_owned() }
}

#[test]
fn what_one_task_keeps_the_next_one_finds_also_after_a_crash() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().step("a").agent("coder").step("b").agent("tester").needs(&["a"]));
    let a = sim.attempt(run, "a");
    sim.remember(a, false, "api", json!(2), None).unwrap();
    sim.remember(a, true, "draft", json!("mine"), None).unwrap();
    assert_eq!(sim.remember(a, false, "api", json!(2), None), Ok(vec![]), "said twice");
    sim.finish(run, "a", succeeded());
    sim.crash();
    assert_eq!(recall(&sim, run, &Scope::Shared, "api"), Some(json!(2)));
    assert_eq!(recall(&sim, run, &private("coder"), "draft"), Some(json!("mine")));
    assert_eq!(recall(&sim, run, &private("tester"), "draft"), None, "that is the coder's own");
    assert_eq!(sim.remember(a, false, "late", json!(1), None), Ok(vec![]), "it has ended");
    assert_eq!(sim.state.run(run).unwrap().memory.keys(&Scope::Shared, sim.now), ["api"]);
}

#[test]
fn an_entry_is_gone_when_its_time_is_up_and_when_it_is_removed() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().step("a").agent("coder"));
    let a = sim.attempt(run, "a");
    sim.remember(a, false, "soon", json!(1), Some(1_000)).unwrap();
    sim.remember(a, false, "gone", json!(1), None).unwrap();
    sim.remember(a, false, "gone", Value::Null, None).unwrap();
    assert_eq!(sim.remember(a, false, "gone", Value::Null, None), Ok(vec![]));
    assert_eq!(recall(&sim, run, &Scope::Shared, "gone"), None);
    sim.pass(999);
    assert_eq!(recall(&sim, run, &Scope::Shared, "soon"), Some(json!(1)));
    sim.pass(1);
    assert_eq!(recall(&sim, run, &Scope::Shared, "soon"), None);
}

#[test]
fn a_memory_that_is_full_takes_nothing_more_until_something_goes() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().step("a").agent("coder"));
    let a = sim.attempt(run, "a");
    for key in ["1", "2"] {
        sim.remember(a, false, key, json!(0), None).unwrap();
    }
    sim.remember(a, false, "3", json!(0), Some(1_000)).unwrap();
    let refusal = sim.remember(a, false, "4", json!(0), None).unwrap_err();
    assert_eq!(refusal.message, "the memory of this run is full: 3 entries, 6 bytes");
    sim.remember(a, false, "1", json!("another value for what is there"), None).unwrap();
    sim.pass(1_000);
    sim.remember(a, false, "4", json!(0), None).unwrap();
    assert_eq!(sim.state.run(run).unwrap().memory.keys(&Scope::Shared, sim.now), ["1", "2", "4"]);
    let large = sim.remember(a, false, "2", json!("x".repeat(90)), None).unwrap_err();
    assert_eq!(large.message, "the memory of this run is full: 3 entries, 38 bytes");
}

#[test]
fn what_is_too_large_or_has_no_proper_name_is_not_kept() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().step("a").agent("coder"));
    let a = sim.attempt(run, "a");
    let refused = |sim: &mut Simulator, key: &str, value| {
        sim.remember(a, false, key, value, None).unwrap_err().message
    };
    assert_eq!(
        refused(&mut sim, "k", json!("x".repeat(65_536))),
        "the value of `k` has 65538 bytes as JSON, and 65536 are allowed"
    );
    for key in ["", "a\nb", &"k".repeat(129)] {
        assert_eq!(
            refused(&mut sim, key, json!(1)),
            "a key has 1 to 128 bytes, and no control characters"
        );
    }
}
