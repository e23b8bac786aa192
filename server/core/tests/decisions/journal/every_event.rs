//! A history in which everything happens that can be written down.

use crate::support::{
    PlanBuilder, Simulator, applied, apply, cancelled, change, conflict, failed, hunk, in_client,
    limits, lost, never_started, no_snapshot, on_disk, plan, result, succeeded, succeeded_with,
    timed_out, wrote,
};
use orchestra_core::{
    agent::{Completion, Runtime},
    confinement::{Cache, Confinement, StateMode},
    decide::{Apply, InputKind, Target},
    event::Event,
    evidence::{Check, CheckKind, CheckOutcome, CheckRun, Evidence, TestCounts, Verdict},
    merge::{Foreseen, Party},
    operation::{FileState, OperationEnd, Target as Place},
    outcome::{Artifact, AttemptOutcome, Failure, FailureKind, Output, SettingsChange},
    plan::Mode,
    review::Verdict as Judgement,
    time::Millis,
};
use serde_json::json;

pub(super) fn happens() -> Vec<Event> {
    let mut sim = Simulator::new(limits());
    a_run_that_fails_and_is_retried(&mut sim);
    a_run_that_is_cancelled(&mut sim);
    a_run_whose_time_is_up(&mut sim);
    a_run_whose_snapshot_fails_at_first(&mut sim);
    a_run_that_asks_and_remembers(&mut sim);
    a_run_that_is_reviewed_applied_and_undone(&mut sim);
    sim.journal.into_iter().flatten().collect()
}

fn audit() -> PlanBuilder {
    plan()
        .approve_plan()
        .param("scope", json!("full"))
        .max_parallel(4)
        .run_timeout(3_600_000)
        .step("scan")
        .native("secrets.scan")
        .with("paths", json!(["src", "{{ params.scope }}"]))
        .step("fix")
        .mode(Mode::Strategic)
        .agent("coder")
        .fallback("spare")
        .needs(&["scan"])
        .when("steps.scan.result.total > 0")
        .prompt("Fix {{ steps.scan.result.total }} findings")
        .retry(1, 2_000)
        .timeout(60_000)
        .priority(3)
        .step("deploy")
        .inline()
        .needs(&["scan"])
        .when("params.scope == 'production'")
        .step("check")
        .needs(&["fix"])
        .approve()
        .step("report")
        .inline()
        .needs(&["check", "deploy"])
        .agent_profile("coder", |agent| {
            agent.description = "writes code".to_owned();
            agent.kind = "coder".to_owned();
            agent.category = "development".to_owned();
            agent.capabilities = vec!["code".to_owned()];
            agent.tools = vec!["edit".to_owned()];
            agent.model = Some("any".to_owned());
            agent.runtime = Runtime::Cli;
            agent.command = vec!["agent".to_owned(), "{prompt}".to_owned()];
            agent.writes = true;
            agent.completion = Completion::Sentinel;
            agent.priority = 2;
            agent.max_load = 2;
            agent.fallback = vec!["spare".to_owned()];
            agent.env = vec!["TOKEN".to_owned()];
            agent.state = vec!["$AGENT_HOME".to_owned()];
            agent.state_mode = StateMode::Private;
            agent.caches = vec![Cache::Cargo];
            agent.own_sandbox = true;
            agent.sandbox_off = vec!["--no-sandbox".to_owned()];
            agent.requires = vec!["git".to_owned()];
            agent.system_prompt = "You write code.".to_owned();
        })
}

fn made() -> AttemptOutcome {
    let artifact =
        Artifact { path: "reports/fix.md".to_owned(), bytes: 12, sha256: "ab".repeat(32) };
    AttemptOutcome::Succeeded {
        output: Output {
            summary: "2 fixed".to_owned(),
            result: json!({ "fixed": 2 }),
            artifacts: vec![artifact],
            tree: Some("trees/0".to_owned()),
            change: Some(change("ab")),
            confined: Some(Confinement::None),
            confine_problem: Some("this kernel has no Landlock".to_owned()),
            settings: vec![SettingsChange {
                path: "/home/ada/.codex/config.toml".to_owned(),
                kept: Some("attempts/r1.2-1/settings/0-config.toml".to_owned()),
                problem: Some("no space".to_owned()),
            }],
            usage: None,
            evidence: Some(Box::new(seen())),
            unmerged: None,
        },
    }
}

fn seen() -> Evidence {
    let red = CheckRun {
        outcome: CheckOutcome::Red { code: 101 },
        took: Millis(1_200),
        tests: Some(TestCounts {
            runner: "cargo test".to_owned(),
            passed: 2,
            failed: 1,
            skipped: 1,
            failures: vec!["old".to_owned()],
            cut: false,
        }),
        cached: true,
        log: Some("verify-1.log".to_owned()),
        last_lines: vec!["test result: FAILED".to_owned()],
        confined: Some(Confinement::Landlock { abi: 7 }),
    };
    let check = Check {
        kind: CheckKind::Verify,
        command: vec!["cargo".to_owned(), "test".to_owned()],
        on_snapshot: Some(red.clone()),
        on_result: red,
        newly_failing: vec![],
        newly_passing: 1,
        removed: 1,
    };
    Evidence { checks: vec![check], verdict: Verdict::WasRedBefore { checks: vec![0] } }
}

fn broken() -> AttemptOutcome {
    let failure = Failure {
        kind: FailureKind::Protocol,
        message: "no sentinel".to_owned(),
        hint: Some("look at its log".to_owned()),
    };
    AttemptOutcome::Failed { failure, output: Output::default() }
}

fn a_run_that_fails_and_is_retried(sim: &mut Simulator) {
    let run = sim.create(audit());
    sim.pass(1_000);
    sim.approve(Target::Run(run)).unwrap();
    sim.finish(run, "scan", never_started());
    sim.finish(run, "scan", succeeded_with(json!({ "total": 2 })));
    sim.pass(1_000);
    sim.finish(run, "fix", lost());
    sim.finish(run, "fix", broken());
    sim.pass_until_woken();
    let fix = sim.task(run, "fix");
    sim.set_timeout(Target::Task(fix), 90_000).unwrap();
    sim.finish(run, "fix", timed_out(90_000));
    sim.finish(run, "fix", failed());
    sim.pass_until_woken();
    sim.finish(run, "fix", failed());
    sim.retry(Target::Task(fix)).unwrap();
    sim.pause(run).unwrap();
    sim.finish(run, "fix", made());
    sim.pass(1_000);
    sim.resume(run).unwrap();
    sim.set_timeout(Target::Run(run), 7_200_000).unwrap();
    let check = sim.task(run, "check");
    sim.approve(Target::Task(check)).unwrap();
    sim.finish(run, "check", succeeded());
    sim.finish(run, "report", succeeded());
    assert_eq!(
        sim.line(run),
        "succeeded: scan succeeded, fix succeeded, deploy skipped, check succeeded, \
         report succeeded"
    );
}

fn a_run_that_is_cancelled(sim: &mut Simulator) {
    let run = sim.create(plan().step("a").step("b").needs(&["a"]).step("c").agent("coder"));
    let a = sim.task(run, "a");
    sim.finish(run, "c", failed());
    sim.cancel(Target::Task(a)).unwrap();
    sim.cancel(Target::Run(run)).unwrap();
    sim.finish(run, "a", cancelled());
    assert_eq!(sim.line(run), "cancelled: a cancelled, b cancelled, c failed");
}

fn a_run_whose_time_is_up(sim: &mut Simulator) {
    let run = sim.create(plan().run_timeout(5_000).step("a").step("b").needs(&["a"]));
    sim.pass(Millis::seconds(5).0);
    sim.finish(run, "a", cancelled());
    assert_eq!(sim.line(run), "timed-out: a timed-out, b cancelled");
    let run = sim.create(plan().step("a"));
    sim.finish(run, "a", failed());
    assert_eq!(sim.line(run), "failed: a failed");
    let open = sim.create(plan().step("a").retry(1, 1_000).step("b").step("c").needs(&["b"]));
    sim.finish(open, "a", failed());
    assert_eq!(sim.line(open), "running: a delayed, b running, c waiting");
}

fn a_run_whose_snapshot_fails_at_first(sim: &mut Simulator) {
    let run = sim.create_without_snapshot(plan().step("a").agent("coder"));
    let result = Err(no_snapshot());
    sim.send(InputKind::SnapshotEnded { run, result }).unwrap();
    sim.finish(run, "a", failed());
    sim.retry(Target::Run(run)).unwrap();
    sim.take_snapshot(run);
    sim.finish(run, "a", succeeded());
    assert_eq!(sim.line(run), "succeeded: a succeeded");
}

fn a_run_that_asks_and_remembers(sim: &mut Simulator) {
    let run = sim.create(plan().step("a").agent("coder"));
    let attempt = sim.attempt(run, "a");
    sim.remember(attempt, false, "api", json!({ "version": 2 }), None).unwrap();
    sim.remember(attempt, true, "draft", json!("first"), Some(60_000)).unwrap();
    sim.remember(attempt, false, "api", json!(null), None).unwrap();
    let answered = sim.ask(attempt, "colour", &["red", "green"], Some("red")).unwrap().unwrap();
    sim.answer(answered, "green").unwrap();
    sim.deliver(answered);
    sim.ask(attempt, "name", &[], Some("nobody")).unwrap();
    sim.ask(attempt, "why", &[], None).unwrap();
    sim.pass(60_000);
    sim.ask(attempt, "what", &["this", "that"], None).unwrap();
    sim.finish(run, "a", succeeded());
    assert_eq!(sim.line(run), "succeeded: a succeeded");
}

fn a_run_that_is_reviewed_applied_and_undone(sim: &mut Simulator) {
    let run = sim.create(plan().step("a").agent("coder").step("b").needs(&["a"]).agent("coder"));
    let between = [Party::User, Party::Attempt(sim.attempt(run, "a"))];
    let conflicts = vec![Foreseen { between, conflict: conflict("a.txt") }];
    sim.send(InputKind::Foresee { run, conflicts }).unwrap();
    sim.finish(run, "a", wrote("aa"));
    sim.finish(run, "b", failed());
    sim.judge(run, &[hunk(1)], Some(Judgement::Accepted)).unwrap();
    sim.judge(run, &[hunk(1)], None).unwrap();
    let partly = sim.apply(apply(run)).unwrap();
    sim.prepare(partly, &[on_disk("a.txt"), in_client("b.txt"), in_client("c.txt")]);
    sim.write(partly, &[applied("a.txt")]);
    sim.confirm(partly, &[result("b.txt", FileState::ChangedMeanwhile)]).unwrap();
    sim.pass(60_000);
    let undone = sim.undo(partly).unwrap();
    sim.carry_out(undone);
    let refused = sim.apply(apply(run)).unwrap();
    let (message, hint) = ("a.txt is read-only".to_owned(), "make it writable".to_owned());
    sim.end_early(refused, OperationEnd::Refused { message, hint });
    let branch = Place::Branch { name: Place::branch_of(run) };
    let branched = sim.apply(Apply { target: branch, all: true, ..apply(run) }).unwrap();
    sim.end_early(branched, OperationEnd::Applied);
    let nothing = sim.apply(Apply { target: Place::Commit, ..apply(run) }).unwrap();
    sim.end_early(nothing, OperationEnd::Nothing);
    let conflicting = sim.apply(apply(run)).unwrap();
    let conflicts = vec![conflict("a.txt")];
    sim.end_early(conflicting, OperationEnd::Conflict { conflicts: conflicts.clone() });
    sim.answer("r8/d1".parse().unwrap(), "mine").unwrap();
    let again = "r8/o7".parse().unwrap();
    sim.end_early(again, OperationEnd::Conflict { conflicts: conflicts.clone() });
    let superseded = sim.apply(apply(run)).unwrap();
    sim.end_early(superseded, OperationEnd::Conflict { conflicts });
    let discarded = sim.discard(run).unwrap();
    sim.undo(discarded).unwrap();
    sim.send_back(run, "Once more", &[]).unwrap();
    sim.finish(run, "follow-up-1", wrote("ab"));
    let cleaned = sim.clean(run).unwrap();
    sim.carry_out(cleaned);
    let broken = sim.create(plan().step("a").agent("coder"));
    sim.make_reviews(false);
    sim.finish(broken, "a", wrote("ac"));
    sim.end_review(broken, Err(no_snapshot()));
    sim.make_reviews(true);
    assert_eq!(sim.line(broken), "succeeded: a succeeded");
}
