//! Attempts that ask a person: who answers, when nobody does, and what stands still meanwhile.

use crate::support::{Simulator, cancelled, limits, lost, plan, succeeded};
use orchestra_core::{
    decide::{InputKind, RefusalKind, Target},
    decision::{AnsweredBy, Asker, DecisionStatus, WithdrawReason},
    ids::{AttemptId, DecisionId, RunId},
    pending::{Effect, next_wake},
    time::Millis,
};

/// A run of one agent that is under way.
fn asker() -> (Simulator, RunId, AttemptId) {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().step("a").agent("coder"));
    let attempt = sim.attempt(run, "a");
    (sim, run, attempt)
}

fn status(sim: &Simulator, id: DecisionId) -> DecisionStatus {
    sim.state.run(id.run()).unwrap().decision_view(id).unwrap().status
}

#[test]
fn an_answer_reaches_the_attempt_once_and_again_after_a_crash_until_it_is_taken_up() {
    let (mut sim, run, attempt) = asker();
    let decision = sim.ask(attempt, "colour", &["red", "green"], None).unwrap().unwrap();
    assert_eq!(decision.to_string(), "r1/d1");
    assert_eq!(sim.view(run).decisions[0].question, "colour?");
    assert_eq!(sim.view(run).detail, "a task is waiting for an answer");
    assert_eq!(sim.task_view(run, "a").detail, "waits for an answer: r1/d1");

    sim.answer(decision, "green").unwrap();
    let (choice, by, at) = ("green".to_owned(), AnsweredBy::Person, sim.now);
    assert_eq!(status(&sim, decision), DecisionStatus::Answered { choice, by, at });
    assert_eq!(sim.view(run).decisions, []);
    assert_eq!(sim.task_view(run, "a").decisions.len(), 1, "the task keeps what was asked");
    let deliver = Effect::Deliver { attempt, decision };
    assert!(sim.has(deliver));
    sim.crash();
    assert!(sim.has(deliver), "and again after a crash");
    assert_eq!(sim.deliver(decision).len(), 1);
    assert!(!sim.has(deliver));
    assert_eq!(sim.deliver(decision), [], "said twice");
}

#[test]
fn asked_twice_under_one_key_it_is_one_decision() {
    let (mut sim, _, attempt) = asker();
    let first = sim.ask(attempt, "colour", &["red", "green"], None).unwrap().unwrap();
    assert_eq!(sim.ask(attempt, "colour", &["red", "green"], None), Ok(None));
    sim.answer(first, "red").unwrap();
    assert_eq!(sim.ask(attempt, "colour", &["red", "green"], None), Ok(None), "answered, too");
    let second = sim.ask(attempt, "size", &[], None).unwrap().unwrap();
    assert_eq!(second.to_string(), "r1/d2");
}

#[test]
fn the_first_answer_wins_and_the_second_one_says_which_was_first() {
    let (mut sim, _, attempt) = asker();
    let decision = sim.ask(attempt, "colour", &["red", "green"], None).unwrap().unwrap();
    sim.answer(decision, "green").unwrap();
    let refusal = sim.answer(decision, "red").unwrap_err();
    assert_eq!(
        refusal.message,
        "r1/d1 was answered already: `green`, by a person, 1970-01-01T00:16:40Z"
    );
    assert_eq!(refusal.kind, RefusalKind::WrongState);
}

#[test]
fn what_is_no_choice_and_what_was_never_asked_is_refused() {
    let (mut sim, run, attempt) = asker();
    let decision = sim.ask(attempt, "colour", &["red", "green"], None).unwrap().unwrap();
    let refusal = sim.answer(decision, "blue").unwrap_err();
    assert_eq!(refusal.message, "r1/d1 has no choice `blue`");
    assert_eq!(refusal.hint, "choose one of: red, green");
    assert_eq!(refusal.kind, RefusalKind::Invalid);
    let free = sim.ask(attempt, "name", &[], None).unwrap().unwrap();
    let refusal = sim.answer(free, " ").unwrap_err();
    assert_eq!(refusal.message, "the answer to r1/d2 is empty or has more than 65536 bytes");
    let unknown = sim.answer(DecisionId::new(run, 9).unwrap(), "red").unwrap_err();
    assert_eq!(unknown.message, "r1 has no decision r1/d9");
    let nowhere = sim.answer("r7/d1".parse().unwrap(), "red").unwrap_err();
    assert_eq!(nowhere.message, "there is no run r7 in this workspace");
}

#[test]
fn a_time_out_takes_the_default_and_the_attempt_is_told() {
    let (mut sim, _, attempt) = asker();
    let decision = sim.ask(attempt, "colour", &["red", "green"], Some("red")).unwrap().unwrap();
    assert_eq!(next_wake(&sim.state, sim.now), Some(sim.now.after(Millis::minutes(1))));
    assert!(sim.pass_until_woken());
    let (choice, by, at) = ("red".to_owned(), AnsweredBy::Timeout, sim.now);
    assert_eq!(status(&sim, decision), DecisionStatus::Answered { choice, by, at });
    assert!(sim.has(Effect::Deliver { attempt, decision }));
    let refusal = sim.answer(decision, "green").unwrap_err();
    assert!(refusal.message.contains("`red`, by the time-out"), "{refusal}");
}

#[test]
fn a_time_out_without_a_default_withdraws_the_question_and_the_attempt_is_told() {
    let (mut sim, _, attempt) = asker();
    let decision = sim.ask(attempt, "name", &[], None).unwrap().unwrap();
    sim.crash();
    sim.pass(60_000);
    let (reason, at) = (WithdrawReason::Timeout, sim.now);
    assert_eq!(status(&sim, decision), DecisionStatus::Withdrawn { reason, at });
    assert!(sim.has(Effect::Deliver { attempt, decision }));
    let refusal = sim.answer(decision, "Ada").unwrap_err();
    assert!(refusal.message.starts_with("r1/d1 needs no answer any more: nobody answered in time"));
}

#[test]
fn the_end_of_an_attempt_withdraws_what_it_has_asked() {
    let (mut sim, run, attempt) = asker();
    let open = sim.ask(attempt, "colour", &["red"], None).unwrap().unwrap();
    let answered = sim.ask(attempt, "name", &[], None).unwrap().unwrap();
    sim.answer(answered, "Ada").unwrap();
    sim.finish(run, "a", lost());
    let (reason, at) = (WithdrawReason::AttemptEnded, sim.now);
    assert_eq!(status(&sim, open), DecisionStatus::Withdrawn { reason, at });
    let refusal = sim.answer(open, "red").unwrap_err();
    assert!(refusal.message.contains("whoever asked has ended"), "{refusal}");
    assert_eq!(sim.deliver(answered), [], "nobody is left to be told");
    assert_eq!(sim.ask(attempt, "late", &[], None), Ok(None), "and nobody to ask");
    let next = sim.attempt(run, "a");
    let again = sim.ask(next, "colour", &["red"], None).unwrap().unwrap();
    assert_eq!(again.to_string(), "r1/d3", "the next attempt asks for itself");
    sim.finish(run, "a", succeeded());
    assert_eq!(sim.line(run), "succeeded: a succeeded");
}

#[test]
fn orchestra_asks_about_what_an_agent_has_left_when_that_needs_no_answers_any_more() {
    let (mut sim, run, attempt) = asker();
    let of_agent = sim.ask(attempt, "held", &["red"], None).unwrap().unwrap();
    sim.ask(attempt, "second", &["red"], None).unwrap();
    assert!(sim.ask(attempt, "third", &["red"], None).is_err(), "too many");

    // Not among the agent's, by key or by count.
    let choices = ["include", "leave-out"];
    let ask = |sim: &mut Simulator| {
        sim.ask_as(Asker::Orchestra, attempt, "held", &choices, Some("leave-out")).unwrap()
    };
    let decision = ask(&mut sim).unwrap();
    assert_eq!(sim.send(InputKind::AgentEnded { attempt }).unwrap().len(), 2);
    let (reason, at) = (WithdrawReason::AttemptEnded, sim.now);
    assert_eq!(status(&sim, of_agent), DecisionStatus::Withdrawn { reason, at });
    // Found again by another daemon, it is the same question.
    sim.crash();
    assert_eq!(sim.send(InputKind::AgentEnded { attempt }).unwrap(), []);
    assert_eq!(ask(&mut sim), None);
    let open = sim.view(run).decisions;
    assert_eq!((open.len(), open[0].id, open[0].asker), (1, decision, Asker::Orchestra));

    sim.answer(decision, "include").unwrap();
    let deliver = Effect::Deliver { attempt, decision };
    sim.crash();
    assert!(sim.has(deliver), "until the attempt has ended");
    sim.finish(run, "a", succeeded());
    assert!(!sim.has(deliver));
}

#[test]
fn an_attempt_that_asks_and_asks_is_refused_what_is_too_much() {
    let (mut sim, _, attempt) = asker();
    let first = sim.ask(attempt, "one", &[], None).unwrap().unwrap();
    sim.ask(attempt, "two", &[], None).unwrap();
    let refusal = sim.ask(attempt, "three", &[], None).unwrap_err();
    assert_eq!(refusal.message, "r1.1@1 has 2 open questions, and no more are allowed");
    sim.answer(first, "yes").unwrap();
    let third = sim.ask(attempt, "three", &[], None).unwrap().unwrap();
    sim.answer(third, "yes").unwrap();
    let fourth = sim.ask(attempt, "four", &[], None).unwrap().unwrap();
    sim.answer(fourth, "yes").unwrap();
    let refusal = sim.ask(attempt, "five", &[], None).unwrap_err();
    assert_eq!(refusal.message, "r1.1@1 has asked 4 questions, and no more are allowed");
    let refusal = sim.ask(attempt, "", &[], None).unwrap_err();
    assert_eq!(refusal.message, "its key is empty or has more than 64 bytes");
}

#[test]
fn the_runs_clock_stands_still_while_its_only_attempt_waits_for_an_answer() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().run_timeout(10_000).step("a").agent("coder"));
    let attempt = sim.attempt(run, "a");
    sim.pass(6_000);
    let decision = sim.ask(attempt, "colour", &["red"], None).unwrap().unwrap();
    sim.pass(50_000);
    assert_eq!(sim.line(run), "running: a running");
    sim.answer(decision, "red").unwrap();
    sim.pass(3_999);
    assert_eq!(sim.line(run), "running: a running");
    sim.pass(1);
    assert_eq!(sim.line(run), "stopping: a stopping");
}

#[test]
fn the_runs_clock_goes_on_while_another_attempt_works() {
    let mut sim = Simulator::new(limits());
    let run = sim.create(plan().run_timeout(10_000).step("a").agent("coder").step("b"));
    let attempt = sim.attempt(run, "a");
    sim.ask(attempt, "colour", &["red"], None).unwrap();
    sim.pass(10_000);
    assert_eq!(sim.line(run), "stopping: a stopping, b stopping");
}

#[test]
fn a_task_that_asks_can_be_cancelled() {
    let (mut sim, run, attempt) = asker();
    let decision = sim.ask(attempt, "colour", &["red"], None).unwrap().unwrap();
    sim.cancel(Target::Run(run)).unwrap();
    assert!(sim.is_told_to_stop(attempt));
    sim.answer(decision, "red").unwrap();
    sim.finish(run, "a", cancelled());
    assert_eq!(sim.line(run), "cancelled: a cancelled");
}
