//! A crash at every single point between the intent and the files, each followed by a later start.

use super::{
    checks, collecting,
    crew::{Crew, LIMIT, list, text},
    merging,
};
use crate::applying::crashes as applying;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// One test for each point at which the sources let a process abort.
macro_rules! crashes {
    ($($name:ident at $point:literal)*) => {
        pub(super) const COVERED: &[&str] = &[$($point),*];
        $(
            #[test]
            fn $name() {
                crash_at($point, "return");
            }
        )*
    };
}

crashes! {
    a_run_survives_a_crash_before_its_intent_is_handed_over at "engine::intent::before"
    a_run_survives_a_crash_after_its_intent_is_durable at "engine::intent::after"
    a_run_survives_a_crash_before_a_commit at "store::commit::before"
    a_run_survives_a_crash_after_a_commit at "store::commit::after"
    a_run_survives_a_crash_before_its_snapshot_is_taken at "engine::snapshot::before"
    a_run_survives_a_crash_after_its_snapshot_is_taken at "engine::snapshot::after"
    a_run_survives_a_crash_when_a_tree_is_promised at "trees::acquire::leased"
    a_run_survives_a_crash_when_a_tree_is_half_made at "trees::acquire::filled"
    a_run_survives_a_crash_when_a_tree_is_whole at "trees::acquire::whole"
    a_run_survives_a_crash_while_a_tree_is_given_back at "trees::release::emptied"
    a_run_survives_a_crash_before_a_shim_is_started at "attempt::spawn::before"
    a_run_survives_a_crash_after_a_shim_is_started at "attempt::spawn::after"
    a_run_survives_shims_that_crash_before_their_claim at "shim::claim::before"
    a_run_survives_shims_that_crash_after_their_claim at "shim::claim::after"
    a_run_survives_shims_that_crash_before_their_agent_starts at "shim::agent::before"
    a_run_survives_shims_that_crash_after_their_agent_has_started at "shim::agent::after"
    a_run_survives_shims_that_crash_before_their_result_has_its_name at "shim::result::before_rename"
    a_run_survives_shims_that_crash_after_their_result_is_there at "shim::result::after_rename"
    a_run_survives_a_crash_before_a_result_is_taken_in at "engine::ingest::before"
    a_run_survives_a_crash_after_a_result_is_taken_in at "engine::ingest::after"
    a_run_survives_a_crash_while_an_output_is_kept at "store::artifact::rename"
    a_run_survives_a_crash_before_a_file_is_projected at "store::projection::before"
    a_run_survives_a_crash_after_a_file_is_projected at "store::projection::written"
}

/// What happens to a slot that is used again or broken, and while hunks are put together and the user's files
/// are written: the scenarios of `vcs` crash there.
const IN_ANOTHER_ROOM: &[&str] = &[
    "trees::acquire::checked_out",
    "trees::acquire::cleaned",
    "trees::acquire::index_taken",
    "trees::acquire::read",
    "trees::discard::forgotten",
    "trees::discard::renamed",
    "trees::release::recorded",
    "review::selected",
    "vcs::apply::captured",
    "vcs::apply::carried_out",
    "vcs::apply::committed",
    "vcs::apply::emptied",
    "vcs::apply::exchanged",
    "vcs::apply::imported",
    "vcs::apply::prepared",
    "vcs::apply::put",
    "vcs::apply::recovered",
    "vcs::apply::remade",
    "vcs::apply::removed",
    "vcs::apply::staged",
    "vcs::apply::synced",
    "vcs::apply::taken",
    "vcs::apply::taken_away",
    "vcs::apply::written",
];

#[test]
fn no_point_of_the_sources_is_left_out() {
    let points = abort_points();
    let covered = COVERED
        .iter()
        .chain(checks::COVERED)
        .chain(collecting::COVERED)
        .chain(merging::COVERED)
        .chain(applying::REVIEWING)
        .chain(applying::OPERATING)
        .chain(applying::CLEANING)
        .chain(IN_ANOTHER_ROOM)
        .map(|point| (*point).to_owned());
    let covered: BTreeSet<String> = covered.collect();
    assert_eq!(points, covered, "every point in the sources has its line in `crashes!`");
}

#[test]
fn an_output_outlives_the_tree_that_it_lay_in() {
    // The third agent is the one that hands over an output; its tree is gone when the daemon dies.
    crash_at("engine::ingest::after", "2*off->return");
}

/// The daemon is started with the point armed, and its shims with it. The daemon that takes its place
/// is not.
fn crash_at(point: &str, when: &str) {
    let crew = Crew::new();
    let first = crew.start_daemon(&format!("{point}={when}"));

    let outcome = crew.sandbox.orchestra(["run", "crew"]).limit(LIMIT).run();

    if !point.starts_with("shim::") {
        outcome.success();
        assert_ne!(crew.daemon(), first, "the daemon did not crash at {point}");
    } else if point == "shim::result::after_rename" {
        // All is there; that nobody said so costs the daemon nothing, since it watches the shim.
        outcome.success();
    } else {
        // Whatever crashes every shim is wrong with the machine, and is said so.
        outcome.code(1).stdout_has("3 attempts in a row vanished");
        crew.check("r1");
        crew.sandbox.orchestra(["daemon", "stop"]).run().success();
        crew.sandbox.orchestra(["retry", "r1"]).run().success();
        crew.wait_for_end("r1").success();
    }
    crew.check("r1");
    let shown = crew.sandbox.show("r1");
    assert_eq!(shown["run"]["status"], "succeeded", "{shown:#}");
    let report = crew.sandbox.read(".orchestra/workspace/documentation/report.md");
    assert!(report.contains("TODO: greet"), "the report lacks what was found: {report}");
    assert_eq!(crew.sandbox.read(".orchestra/workspace/notes/join.md"), "joined\n");
    let steps: Vec<String> = list(&shown["tasks"]).iter().map(|task| text(&task["step"])).collect();
    assert_eq!(steps, ["look", "left", "right", "join", "report"]);
}

/// The names of all points that abort, as the sources have them.
fn abort_points() -> BTreeSet<String> {
    let server = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../server");
    let mut points = BTreeSet::new();
    for file in sources(&server) {
        let text = fs::read_to_string(&file).expect("read a source file");
        for call in text.split("fail_point!(").skip(1) {
            let mut parts = call.split('"');
            let name = parts.nth(1).expect("a point has a name");
            if parts.next().is_some_and(|rest| rest.contains("abort()")) {
                points.insert(name.to_owned());
            }
        }
    }
    points
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("read a folder of sources");
    entries
        .flatten()
        .flat_map(|entry| match entry.path() {
            path if path.is_dir() => sources(&path),
            path => vec![path],
        })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}
