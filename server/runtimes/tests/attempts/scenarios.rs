//! The scenarios by what they are about.

mod bench;
mod checks;
mod confined;
mod crashes;
mod daemon;
mod ends;
mod full_disk;
mod output;
mod sentinels;
mod soak;
mod stops;
mod tools;

pub(crate) use confined::{ATTACK, TABLE, attack, run_table};
pub(crate) use daemon::{STARTED, started};
pub(crate) use full_disk::{TINY_DISK, on_tiny_disk};
pub(crate) use tools::{CALLS, calls};

/// A scenario by its name; it fails by a panic.
type Scenario = (&'static str, fn());

pub(crate) fn all() -> impl Iterator<Item = Scenario> {
    let scenarios = [
        ends::SCENARIOS,
        checks::SCENARIOS,
        stops::SCENARIOS,
        output::SCENARIOS,
        full_disk::SCENARIOS,
        sentinels::SCENARIOS,
        crashes::SCENARIOS,
        daemon::SCENARIOS,
        confined::SCENARIOS,
        soak::SCENARIOS,
        tools::SCENARIOS,
    ];
    scenarios.into_iter().flatten().copied()
}
