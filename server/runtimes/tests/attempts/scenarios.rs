//! The scenarios by what they are about.

mod bench;
mod crashes;
mod daemon;
mod ends;
mod output;
mod sentinels;
mod soak;
mod stops;

pub(crate) use daemon::{STARTED, started};

/// A scenario by its name; it fails by a panic.
type Scenario = (&'static str, fn());

pub(crate) fn all() -> impl Iterator<Item = Scenario> {
    let scenarios = [
        ends::SCENARIOS,
        stops::SCENARIOS,
        output::SCENARIOS,
        sentinels::SCENARIOS,
        crashes::SCENARIOS,
        daemon::SCENARIOS,
        soak::SCENARIOS,
    ];
    scenarios.into_iter().flatten().copied()
}
