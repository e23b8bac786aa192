//! What a person sees and types: the live board, Ctrl-C, and questions.

use orchestra_testkit::{CTRL_C, Gate, Sandbox, Signal, Terminal};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(30);

/// A workspace with an agent at a gate, and a run of it on a terminal.
fn running() -> (Sandbox, Gate, Terminal) {
    let sandbox = Sandbox::new();
    let gate = sandbox.gate("worker");
    sandbox.agent_script("worker", &format!("{gate}\necho all done"));
    sandbox.workflow(
        "w",
        "steps:\n  - { id: first, agent: worker, prompt: go }\n  \
         - { id: second, action: todo.scan, needs: [first] }\n",
    );
    sandbox.git_repo([("a", "b")]).trust();
    sandbox.git_commit("all");
    let terminal = sandbox.orchestra(["run", "w"]).spawn_on_terminal();
    (sandbox, gate, terminal)
}

#[test]
fn the_board_shows_what_runs_and_how_it_ended() {
    let (_sandbox, gate, terminal) = running();
    let arrived = gate.wait();
    terminal.wait_for("waits for first", LIMIT);
    let shown = terminal.wait_for("\u{1b}[36m▶\u{1b}[0m first   worker", LIMIT);
    assert!(shown.contains("w  0/2 tasks"), "{shown}");
    drop(arrived);
    let outcome = terminal.wait(LIMIT).success();
    outcome.stdout_has("w  2/2 tasks").stdout_has("✓").stdout_has("all done");
}

#[test]
fn ctrl_c_asks_and_detaching_leaves_the_run_to_itself() {
    let (sandbox, gate, mut terminal) = running();
    let arrived = gate.wait();
    terminal.wait_for("waits for first", LIMIT);
    terminal.press(CTRL_C);
    terminal.wait_for("r1: [d]etach, [c]ancel, or go on with Enter?", LIMIT);
    terminal.press("d\n");
    let outcome = terminal.wait(LIMIT).success();
    outcome.stdout_has("r1 goes on; follow it with `orchestra watch r1`");
    assert_eq!(sandbox.status("r1"), "running");
    drop(arrived);
    sandbox.orchestra(["watch", "r1"]).run().success();
}

#[test]
fn ctrl_c_asks_and_cancelling_stops_the_run() {
    let (sandbox, gate, mut terminal) = running();
    let _stays = gate.wait();
    terminal.wait_for("waits for first", LIMIT);
    terminal.press(CTRL_C);
    terminal.wait_for("[c]ancel", LIMIT);
    terminal.press("c\n");
    terminal.wait(LIMIT).code(1).stdout_has("cancelled");
    assert_eq!(sandbox.status("r1"), "cancelled");
}

#[test]
fn after_ctrl_c_enter_goes_on_and_a_second_ctrl_c_lets_go() {
    let (sandbox, gate, mut terminal) = running();
    let arrived = gate.wait();
    terminal.wait_for("waits for first", LIMIT);
    terminal.press(CTRL_C);
    terminal.wait_for("[c]ancel", LIMIT);
    terminal.press("\n");
    drop(arrived);
    terminal.wait(LIMIT).success().stdout_has("2/2 tasks");

    let mut terminal = sandbox.orchestra(["run", "w"]).spawn_on_terminal();
    let arrived = gate.wait();
    terminal.wait_for("waits for first", LIMIT);
    terminal.press(CTRL_C);
    terminal.wait_for("[c]ancel", LIMIT);
    terminal.press(CTRL_C);
    terminal.wait(LIMIT).success().stdout_has("r2 goes on");
    drop(arrived);
    sandbox.orchestra(["watch", "r2"]).run().success();
}

#[test]
fn an_interrupt_without_a_terminal_detaches_and_names_the_run() {
    let sandbox = Sandbox::new();
    let gate = sandbox.gate("worker");
    sandbox.agent_script("worker", &format!("{gate}"));
    sandbox.git_repo([("a", "b")]).trust();
    let running = sandbox.orchestra(["start", "worker", "go", "--follow"]).spawn();
    let arrived = gate.wait();
    running.wait_for_stdout("r1.1 worker running", LIMIT);
    running.signal(Signal::INT);
    let outcome = running.wait(LIMIT).success();
    outcome.stdout_has("r1 goes on; follow it with `orchestra watch r1`");
    drop(arrived);
    sandbox.orchestra(["watch", "r1"]).run().success();
}

#[test]
fn a_person_on_a_terminal_is_asked_for_approval() {
    let sandbox = Sandbox::new();
    sandbox.workflow(
        "w",
        "approve: true\nsteps:\n  - { id: a, action: value.set, with: { value: 1 } }\n",
    );
    let mut terminal = sandbox.orchestra(["run", "w"]).spawn_on_terminal();
    terminal.wait_for("start r1 as planned? [y/N]", LIMIT);
    terminal.press("n\n");
    terminal.wait(LIMIT).success().stdout_has("r1 waits for approval: `orchestra approve r1`");
    assert_eq!(sandbox.status("r1"), "awaiting-approval");

    let mut terminal = sandbox.orchestra(["watch", "r1"]).spawn_on_terminal();
    terminal.wait_for("start r1 as planned? [y/N]", LIMIT);
    terminal.press("y\n");
    terminal.wait(LIMIT).success().stdout_has("1/1 tasks");
}

#[test]
fn a_person_on_a_terminal_is_asked_for_trust() {
    let sandbox = Sandbox::new();
    sandbox.agent_script("coder", "true");
    sandbox.git_repo([("a", "b")]);
    let mut terminal = sandbox.orchestra(["trust"]).spawn_on_terminal();
    terminal.wait_for("let agents run in", LIMIT);
    terminal.press("\n");
    terminal.wait(LIMIT).code(4).stdout_has("you said no");
    let mut terminal = sandbox.orchestra(["trust"]).spawn_on_terminal();
    terminal.wait_for("let agents run in", LIMIT);
    terminal.press("y\n");
    terminal.wait(LIMIT).success().stdout_has("is trusted").stdout_has("{prompt_file}");
}
