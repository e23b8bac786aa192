//! What evidence means: whether the work of an attempt holds.

use super::{Check, CheckKind, CheckOutcome, CheckRun, Verdict, shown};

/// How many reasons and names a message lists.
const LISTED: usize = 3;

/// What is known about the work of an attempt that ended as its profile says.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// Whether the task was to change files.
    pub writes: bool,
    /// Whether it may have changed none.
    pub allow_empty: bool,
    /// `None`: what it left was not collected.
    pub change_is_empty: Option<bool>,
    pub checks: &'a [Check],
}

/// Whether a command that ended so on the result must also run on the snapshot.
///
/// An accept command that is not green has failed whatever was before; one that is must have been
/// red. A verify command that is not green may have been so before. One that took too long says
/// nothing about tests, and would take as long again.
pub fn needs_snapshot_run(kind: CheckKind, on_result: &CheckOutcome) -> bool {
    match kind {
        CheckKind::Accept => on_result.is_green(),
        CheckKind::Verify => {
            !matches!(on_result, CheckOutcome::Green | CheckOutcome::TimedOut { .. })
        }
    }
}

/// Decides whether the work holds. A command that should have run on the snapshot and did not counts
/// against the work.
pub fn judge(facts: &Facts<'_>) -> Verdict {
    if facts.writes && !facts.allow_empty && facts.change_is_empty != Some(false) {
        let reason = match facts.change_is_empty {
            Some(_) => "it changed nothing, and `allow_empty` is not set",
            None => "what it changed is not known",
        };
        return Verdict::Failed { reason: reason.to_owned() };
    }
    if facts.checks.is_empty() {
        return Verdict::Unchecked;
    }
    let (mut reasons, mut red_before) = (Vec::new(), Vec::new());
    for (position, check) in facts.checks.iter().enumerate() {
        match look_at(check) {
            Standing::Good => {}
            Standing::WasRedBefore => red_before.push(position),
            Standing::Bad(reason) => {
                reasons.push(format!("{} {reason}", shown(&check.command)));
            }
        }
    }
    if !reasons.is_empty() {
        return Verdict::Failed { reason: listed(&reasons, "; ") };
    }
    if red_before.is_empty() {
        Verdict::Passed
    } else {
        Verdict::WasRedBefore { checks: red_before }
    }
}

/// What one check says about the work.
enum Standing {
    Good,
    WasRedBefore,
    /// Reads after the command.
    Bad(String),
}

fn look_at(check: &Check) -> Standing {
    let after = &check.on_result;
    match (check.kind, &check.on_snapshot) {
        (CheckKind::Accept, _) if !after.outcome.is_green() => {
            Standing::Bad(format!("{}{}", after.outcome, failures(after)))
        }
        (CheckKind::Accept, Some(before)) if before.outcome.is_green() => Standing::Bad(
            "was green before the work, so that it does not show that anything was done".to_owned(),
        ),
        (CheckKind::Accept, Some(_)) => Standing::Good,
        (CheckKind::Verify, _) if after.outcome.is_green() => Standing::Good,
        (CheckKind::Verify, Some(before)) => compare(check, before, after),
        (CheckKind::Verify, None) if !needs_snapshot_run(check.kind, &after.outcome) => {
            Standing::Bad(after.outcome.to_string())
        }
        (_, None) => {
            Standing::Bad(format!("{}, and has not been run before the work", after.outcome))
        }
    }
}

/// A verify command that is not green on the result: whether the work made it so.
fn compare(check: &Check, before: &CheckRun, after: &CheckRun) -> Standing {
    let ended = &after.outcome;
    if after.outcome.did_not_run() {
        return Standing::Bad(if before.outcome.did_not_run() {
            ended.to_string()
        } else {
            format!("{ended}; it did run before the work")
        });
    }
    if before.outcome.is_green() {
        return Standing::Bad(format!("{ended} and was green before the work{}", failures(after)));
    }
    if !check.newly_failing.is_empty() {
        let names = listed(&check.newly_failing, ", ");
        return Standing::Bad(format!("{ended}; newly failing: {names}"));
    }
    match (&before.tests, &after.tests) {
        (_, Some(tests)) if tests.cut => {
            Standing::Bad(format!("{ended}, and not all of its tests can be seen"))
        }
        (Some(_), Some(_)) => Standing::WasRedBefore,
        (Some(_), None) => Standing::Bad(format!("{ended}, and its tests do not run any more")),
        (None, _) if before.outcome == after.outcome => Standing::WasRedBefore,
        (None, _) => Standing::Bad(format!(
            "{ended}, which is not how it ended before the work: it {}",
            before.outcome
        )),
    }
}

fn failures(run: &CheckRun) -> String {
    match &run.tests {
        Some(tests) if !tests.failures.is_empty() => {
            format!("; failing: {}", listed(&tests.failures, ", "))
        }
        _ => String::new(),
    }
}

fn listed(items: &[String], separator: &str) -> String {
    let shown = items[..items.len().min(LISTED)].join(separator);
    match items.len().saturating_sub(LISTED) {
        0 => shown,
        more => format!("{shown}{separator}and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        evidence::{Evidence, TestCounts},
        outcome::FailureKind,
        time::Millis,
    };

    const GREEN: CheckOutcome = CheckOutcome::Green;
    const RED: CheckOutcome = CheckOutcome::Red { code: 1 };

    fn missing() -> CheckOutcome {
        CheckOutcome::Missing { what: "program cargo".to_owned() }
    }

    fn run(outcome: CheckOutcome) -> CheckRun {
        CheckRun {
            outcome,
            took: Millis(7),
            tests: None,
            cached: false,
            log: None,
            last_lines: Vec::new(),
            confined: None,
        }
    }

    /// A run with tests of which these fail.
    fn tested(failures: &[&str]) -> CheckRun {
        let tests = TestCounts {
            runner: "cargo test".to_owned(),
            passed: 3,
            failed: u32::try_from(failures.len()).unwrap(),
            skipped: 0,
            failures: failures.iter().map(|&name| name.to_owned()).collect(),
            cut: false,
        };
        CheckRun { tests: Some(tests), ..run(RED) }
    }

    fn check(kind: CheckKind, before: Option<CheckRun>, after: CheckRun) -> Check {
        Check {
            kind,
            command: vec!["cargo".to_owned(), "test".to_owned()],
            on_result: after,
            on_snapshot: before,
            newly_failing: Vec::new(),
            newly_passing: 0,
            removed: 0,
        }
    }

    fn verify(before: Option<CheckRun>, after: CheckRun) -> Check {
        check(CheckKind::Verify, before, after)
    }

    fn accept(before: CheckRun, after: CheckRun) -> Check {
        check(CheckKind::Accept, Some(before), after)
    }

    /// The verdict on work that changed something.
    fn verdict(checks: &[Check]) -> Verdict {
        judge(&Facts { writes: true, allow_empty: false, change_is_empty: Some(false), checks })
    }

    fn reason(checks: &[Check]) -> String {
        match verdict(checks) {
            Verdict::Failed { reason } => reason,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn work_that_changed_nothing_fails_unless_that_is_allowed() {
        let green = [verify(None, run(GREEN))];
        for (writes, allow_empty, change_is_empty, holds) in [
            (true, false, Some(false), true),
            (true, false, Some(true), false),
            (true, false, None, false),
            (true, true, Some(true), true),
            (true, true, None, true),
            (false, false, Some(true), true),
            (false, false, None, true),
        ] {
            let facts = Facts { writes, allow_empty, change_is_empty, checks: &green };
            assert_eq!(judge(&facts) == Verdict::Passed, holds, "{facts:?}");
        }
    }

    #[test]
    fn without_a_command_nothing_is_checked_and_that_is_said() {
        assert_eq!(verdict(&[]), Verdict::Unchecked);
        assert_eq!(verdict(&[accept(run(RED), run(GREEN))]), Verdict::Passed);
    }

    #[test]
    fn a_verify_that_the_work_made_red_fails() {
        let after = tested(&["a", "b", "c", "d"]);
        assert_eq!(
            reason(&[verify(Some(run(GREEN)), after)]),
            "`cargo test` exited with code 1 and was green before the work; \
             failing: a, b, c, and 1 more"
        );
    }

    #[test]
    fn a_verify_that_was_red_before_does_not_fail_the_work() {
        let same = verify(Some(tested(&["old"])), tested(&["old"]));
        assert_eq!(
            verdict(&[verify(None, run(GREEN)), same.clone()]),
            Verdict::WasRedBefore { checks: vec![1] }
        );
        let worse = Check { newly_failing: vec!["new".to_owned()], ..same };
        assert_eq!(
            reason(&[verify(None, run(GREEN)), worse]),
            "`cargo test` exited with code 1; newly failing: new"
        );
    }

    #[test]
    fn without_tests_to_compare_the_exit_code_decides() {
        let was_red = Verdict::WasRedBefore { checks: vec![0] };
        assert_eq!(verdict(&[verify(Some(run(RED)), run(RED))]), was_red);
        // It did not even compile before, and does now.
        assert_eq!(verdict(&[verify(Some(run(RED)), tested(&["a"]))]), was_red);
        let other = run(CheckOutcome::Red { code: 2 });
        assert_eq!(
            reason(&[verify(Some(run(RED)), other)]),
            "`cargo test` exited with code 2, which is not how it ended before the work: it exited \
             with code 1"
        );
        let crashed = run(CheckOutcome::Signalled { signal: 11 });
        assert!(reason(&[verify(Some(run(RED)), crashed)]).contains("signal 11"));
    }

    #[test]
    fn breaking_the_build_is_not_hidden_by_a_test_that_failed_before() {
        assert_eq!(
            reason(&[verify(Some(tested(&["old"])), run(RED))]),
            "`cargo test` exited with code 1, and its tests do not run any more"
        );
        let mut flooded = tested(&["old"]);
        flooded.tests.as_mut().unwrap().cut = true;
        assert_eq!(
            reason(&[verify(Some(tested(&["old"])), flooded)]),
            "`cargo test` exited with code 1, and not all of its tests can be seen"
        );
    }

    #[test]
    fn an_accept_must_turn_from_red_to_green() {
        assert_eq!(verdict(&[accept(run(RED), run(GREEN))]), Verdict::Passed);
        // What it runs may be what the work was to make.
        assert_eq!(verdict(&[accept(run(missing()), run(GREEN))]), Verdict::Passed);
        assert!(reason(&[accept(run(GREEN), run(GREEN))]).contains("was green before the work"));
        assert_eq!(reason(&[accept(run(RED), run(RED))]), "`cargo test` exited with code 1");
        let alone = check(CheckKind::Accept, None, run(GREEN));
        assert_eq!(reason(&[alone]), "`cargo test` is green, and has not been run before the work");
    }

    #[test]
    fn a_verify_that_says_nothing_is_not_taken_for_a_good_one() {
        let limit = Millis::minutes(10);
        let late = run(CheckOutcome::TimedOut { limit });
        assert_eq!(reason(&[verify(None, late)]), "`cargo test` took longer than 10m 0s");
        assert_eq!(
            reason(&[verify(None, run(RED))]),
            "`cargo test` exited with code 1, and has not been run before the work"
        );
    }

    #[test]
    fn what_is_missing_is_no_failing_test_and_no_reason_to_try_again() {
        let failure = |before: CheckOutcome| {
            let checks = vec![verify(Some(run(before)), run(missing()))];
            let verdict = verdict(&checks);
            Evidence { checks, verdict }.failure().unwrap()
        };
        let never = failure(missing());
        assert_eq!(never.kind, FailureKind::Environment);
        assert_eq!(never.message, "`cargo test` could not run: program cargo is missing");
        assert!(never.hint.unwrap().starts_with("install what `cargo test` needs"));
        // The work took it away.
        let taken = failure(GREEN);
        assert_eq!(taken.kind, FailureKind::Evidence);
        assert!(taken.message.ends_with("it did run before the work"), "{taken}");
    }

    #[test]
    fn the_snapshot_is_only_looked_at_where_it_can_tell_something() {
        let limit = Millis(1);
        let ends = [
            (GREEN, false, true),
            (RED, true, false),
            (CheckOutcome::Signalled { signal: 9 }, true, false),
            (CheckOutcome::TimedOut { limit }, false, false),
            (missing(), true, false),
        ];
        for (outcome, on_verify, on_accept) in ends {
            assert_eq!(needs_snapshot_run(CheckKind::Verify, &outcome), on_verify, "{outcome}");
            assert_eq!(needs_snapshot_run(CheckKind::Accept, &outcome), on_accept, "{outcome}");
        }
    }

    #[test]
    fn every_reason_is_listed_up_to_a_few() {
        let red = verify(None, run(RED));
        let reason = reason(&[red.clone(), red.clone(), red.clone(), red]);
        assert!(reason.ends_with("; and 1 more"), "{reason}");
    }

    #[test]
    fn evidence_is_recorded_as_it_is_read() {
        let check = verify(Some(tested(&["old"])), tested(&["old"]));
        let evidence =
            Evidence { checks: vec![check], verdict: Verdict::WasRedBefore { checks: vec![0] } };
        let recorded = serde_json::to_value(&evidence).unwrap();
        assert_eq!(
            recorded["checks"][0]["on_result"]["outcome"],
            serde_json::json!({"type": "red", "code": 1})
        );
        assert_eq!(
            recorded["verdict"],
            serde_json::json!({"type": "was-red-before", "checks": [0]})
        );
        assert_eq!(serde_json::from_value::<Evidence>(recorded).unwrap(), evidence);
    }
}
