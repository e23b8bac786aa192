//! The claim protocol under random kills, in small.

use super::{
    Scenario,
    bench::{Bench, PATIENCE},
};
use orchestra_runtimes::attempt::{Found, end_leftovers, probe};
use std::{
    fs,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

pub(crate) const SCENARIOS: &[Scenario] = &[("random_kills_of_shims", random_kills)];

const KILLS: u32 = 50;

/// xorshift: a seed that is printed repeats a run.
struct Random(AtomicU64);

impl Random {
    fn below(&self, limit: u64) -> u64 {
        let mut x = self.0.load(Ordering::Relaxed);
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        self.0.store(x, Ordering::Relaxed);
        x % limit
    }
}

/// Each attempt gets two shims, of which the first is killed at a random moment, and a daemon that looks
/// for it at another one. It has at most one effect, its fate is told by one word for ever, and who
/// never started has no effect at all.
fn random_kills() {
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    let seed = std::env::var("SEED").map_or(clock | 1, |seed| seed.parse().unwrap());
    println!("SEED={seed}");
    let random = Random(AtomicU64::new(seed));
    let mut fates = std::collections::BTreeMap::new();
    for round in 0..KILLS {
        let mut bench = Bench::new("echo ran >> $ORCHESTRA_DIR/effects; echo a word");
        bench.create();
        bench.spawn();
        // Waiting for nothing on purpose: the moment is what is random.
        wait(Duration::from_micros(random.below(15_000)));
        let _ = bench.child().kill();
        let second_comes_first = random.below(2) == 0;
        if second_comes_first {
            bench.spawn();
        }
        wait(Duration::from_micros(random.below(4_000)));
        let first_look = fate(&bench);
        if !second_comes_first {
            bench.spawn();
        }
        bench.wait_for_shims();
        let last_look = fate(&bench);
        end_leftovers(std::slice::from_ref(&bench.attempt), Duration::ZERO, PATIENCE).unwrap();
        let effects = fs::read_to_string(bench.spec.out().join("effects")).unwrap_or_default();
        let context = format!("round {round}: {first_look}, {last_look}, {effects:?}");
        assert!(effects.is_empty() || effects == "ran\n", "{context}");
        assert!(first_look == last_look || first_look == "alive", "{context}");
        match last_look {
            "ended" => assert_eq!(effects, "ran\n", "{context}"),
            "never started" => assert_eq!(effects, "", "{context}"),
            "lost" => {}
            _ => panic!("{context}"),
        }
        *fates.entry(last_look).or_insert(0) += 1;
    }
    println!("{fates:?}");
    assert!(fates.len() > 1, "every kill came at the same moment: {fates:?}");
}

fn fate(bench: &Bench) -> &'static str {
    match probe(&bench.attempt).unwrap() {
        Found::Ended(_) => "ended",
        Found::Alive { .. } => "alive",
        Found::Lost => "lost",
        Found::NeverStarted => "never started",
    }
}

/// Lets a random time pass: there is no event to wait for, since the moment itself is the input.
fn wait(duration: Duration) {
    let timeout = rustix::event::Timespec::try_from(duration).unwrap();
    rustix::event::poll(&mut [], Some(&timeout)).unwrap();
}
