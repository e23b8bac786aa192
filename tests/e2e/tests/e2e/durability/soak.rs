//! Many kills at random moments, and two crashes in one run; `cargo xtask soak` does them in full.

use super::{
    crew::{Crew, LIMIT, list, text},
    failpoints::COVERED,
};
use orchestra_testkit::{Dice, Process, seed, size};
use std::collections::BTreeMap;

/// What can be killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Victim {
    Daemon,
    Shim,
    Agent,
}

impl Victim {
    fn draw(dice: &mut Dice) -> Self {
        match dice.below(10) {
            0..6 => Self::Daemon,
            6..9 => Self::Shim,
            _ => Self::Agent,
        }
    }

    fn is(self, process: &Process) -> bool {
        process.command_line.contains(match self {
            Self::Daemon => "daemon __serve",
            Self::Shim => "__shim",
            Self::Agent => ".orchestra/bin/",
        })
    }
}

#[test]
fn soak_of_random_kills() {
    let seed = seed();
    println!("seed {seed}; repeat with ORCHESTRA_TEST_SEED={seed}");
    let mut dice = Dice::new(seed);
    let kills = size().pick(25, 500);
    let crew = Crew::that(|_, _| "sleep 0.05".to_owned());
    let mut killed: BTreeMap<Victim, u32> = BTreeMap::new();
    let mut runs: Vec<String> = Vec::new();
    while killed.values().sum::<u32>() < kills {
        if runs.last().is_none_or(|run| is_over(&crew, run)) {
            let started = crew.sandbox.orchestra(["run", "crew", "--detach"]).run().success();
            runs.push(started.stdout.trim().to_owned());
        }
        // The kill falls into any moment of what a run does.
        let pause = format!("0.{:03}", dice.below(120));
        crew.sandbox.command("sleep").arg(pause).run().success();
        let victim = Victim::draw(&mut dice);
        if let Some(process) = crew.sandbox.processes().iter().find(|p| victim.is(p)) {
            process.kill();
            *killed.entry(victim).or_default() += 1;
        }
        // Mostly a client starts the next daemon at once, and sometimes it is left to the shims.
        if dice.below(4) > 0 {
            crew.sandbox.orchestra(["daemon", "start"]).run().success();
        }
    }
    let mut attempts = 0;
    for run in &runs {
        crew.wait_for_end(run);
        crew.check(run);
        let shown = crew.sandbox.show(run);
        attempts += list(&shown["tasks"]).iter().map(|t| list(&t["attempts"]).len()).sum::<usize>();
    }
    println!("{killed:?}; {} runs, {attempts} attempts", runs.len());
}

/// Whether the run will not go on; without a daemon nobody knows better.
fn is_over(crew: &Crew, run: &str) -> bool {
    super::crew::has_ended(&crew.sandbox.show(run)["run"])
}

#[test]
fn soak_of_pairs_of_crashes() {
    let seed = seed();
    println!("seed {seed}; repeat with ORCHESTRA_TEST_SEED={seed}");
    let mut dice = Dice::new(seed);
    let pairs: Vec<(&str, &str)> =
        COVERED.iter().flat_map(|one| COVERED.iter().map(|other| (*one, *other))).collect();
    let all = pairs.len();
    let chosen: Vec<(&str, &str)> = size().pick(
        (0..2).map(|_| pairs[usize::try_from(dice.below(all as u64)).unwrap()]).collect(),
        pairs,
    );
    println!("{} of {all} pairs: {chosen:?}", chosen.len());
    for (first, second) in chosen {
        println!("{first}, then {second}");
        crash_twice(first, second);
    }
}

/// The first daemon and its shims crash at the first point, its successor and its shims at the second.
fn crash_twice(first: &str, second: &str) {
    let crew = Crew::new();
    crew.start_daemon(&format!("{first}=return"));
    let armed = crew.sandbox.orchestra(["run", "crew", "--detach"]);
    let started = armed.failpoints(&format!("{second}=return")).run();
    // Daemons that crash at each commit record nothing, and the client says so.
    assert!(matches!(started.exit_code(), Some(0 | 3)), "{started}");
    let watch = || crew.sandbox.orchestra(["watch", "r1"]).limit(LIMIT);
    if recorded(&crew) {
        // Until the armed daemons give up, or have done all of it.
        let ended = watch().failpoints(&format!("{second}=return")).run();
        assert!(matches!(ended.exit_code(), Some(0 | 1 | 3)), "{ended}");
    }
    crew.sandbox.orchestra(["daemon", "stop"]).run().success();
    if !recorded(&crew) {
        crew.sandbox.orchestra(["run", "crew"]).limit(LIMIT).run().success();
    } else if watch().run().exit_code() != Some(0) {
        // Whatever crashed all shims of three tries has failed a task.
        crew.sandbox.orchestra(["retry", "r1"]).run().success();
        watch().run().success();
    }
    crew.check("r1");
    assert_eq!(text(&crew.sandbox.show("r1")["run"]["status"]), "succeeded");
}

fn recorded(crew: &Crew) -> bool {
    crew.sandbox.orchestra(["show", "r1"]).run().exit_code() == Some(0)
}
