//! The program ends in the middle of it, the disk is full, or somebody writes at the last moment: it goes on
//! where it was, and nothing of anybody's is lost.

use crate::support::{
    Sandbox, Wish, Work, assert_applied, assert_same, commit, ready, set_mode, write,
};
use orchestra_core::operation::{FilePlan, FileState, Owner};
use orchestra_vcs::apply::Transition;
use std::{env, fs, os::unix::fs::symlink, path::PathBuf, process::Command};

const SANDBOX: &str = "ORCHESTRA_TEST_SANDBOX";
const NUMBER: &str = "ORCHESTRA_TEST_OPERATION";
const POINT: &str = "ORCHESTRA_TEST_POINT";

/// Runs the test called `name` once more in a process of its own, which works on this sandbox and ends at a
/// failpoint; true when it did.
fn crashes(sandbox: &Sandbox, name: &str, number: u32, point: &str) -> bool {
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", &format!("crashes::{name}"), "--nocapture"])
        .env(SANDBOX, sandbox.folder())
        .env(NUMBER, number.to_string())
        .env(POINT, point)
        .output()
        .unwrap();
    !output.status.success()
}

/// In such a process.
struct Child {
    sandbox: Sandbox,
    number: u32,
    _armed: fail::FailScenario<'static>,
}

fn child() -> Option<Child> {
    let sandbox = Sandbox::at(PathBuf::from(env::var_os(SANDBOX)?));
    let number = env::var(NUMBER).unwrap().parse().unwrap();
    let armed = fail::FailScenario::setup();
    let point = env::var(POINT).unwrap();
    let (point, action) = point.split_once('=').unwrap_or((&point, "return"));
    fail::cfg(point, action).unwrap();
    Some(Child { sandbox, number, _armed: armed })
}

/// The files of a change that does everything, sorted.
const TOUCHED: [&str; 10] = [
    "changed",
    "deep/gone",
    "file",
    "file/x",
    "folder",
    "folder/a",
    "folder/b/c",
    "link",
    "new/x",
    "run",
];

fn plan() -> Vec<FilePlan> {
    TOUCHED.map(|path| FilePlan { path: path.to_owned(), owner: Owner::Disk }).into()
}

fn everything() -> (Sandbox, Transition) {
    let sandbox = Sandbox::with(&[
        ("changed", "old\n"),
        ("deep/gone", "gone\n"),
        ("file", "file\n"),
        ("folder/a", "a\n"),
        ("folder/b/c", "c\n"),
        ("run", "run\n"),
        ("other", "other\n"),
    ]);
    symlink("changed", sandbox.user().join("link")).unwrap();
    commit(&sandbox.user(), "link");
    sandbox.write("mine", "not committed\n");
    let work = sandbox.work(|agent| {
        write(agent, "changed", "new\n");
        for path in ["file", "link"] {
            fs::remove_file(agent.join(path)).unwrap();
        }
        for path in ["deep", "folder"] {
            fs::remove_dir_all(agent.join(path)).unwrap();
        }
        write(agent, "file/x", "x\n");
        write(agent, "folder", "a file\n");
        symlink("run", agent.join("link")).unwrap();
        write(agent, "new/x", "x\n");
        set_mode(&agent.join("run"), 0o755);
    });
    let transition = ready(sandbox.prepare(1, &work, &Wish::default()));
    assert_eq!(transition.files, plan());
    (sandbox, transition)
}

/// Those that are passed for every file are reached the first and the fourth time.
const POINTS: [&str; 15] = [
    "recovered",
    "written",
    "staged",
    "taken_away=return",
    "taken_away=2*off->return",
    "removed=return",
    "removed=2*off->return",
    "emptied",
    "exchanged=return",
    "exchanged=1*off->return",
    "put=return",
    "put=3*off->return",
    "remade",
    "synced",
    "carried_out",
];

#[test]
fn a_crash_at_any_step_of_apply_and_undo_leaves_what_can_be_gone_on_with() {
    let name = "a_crash_at_any_step_of_apply_and_undo_leaves_what_can_be_gone_on_with";
    if let Some(child) = child() {
        child.sandbox.carry_out(child.number, &plan());
        return;
    }
    for point in POINTS {
        let (sandbox, transition) = everything();
        let before = sandbox.all();
        let point = format!("vcs::apply::{point}");
        assert!(crashes(&sandbox, name, 1, &point), "{point} was not reached");
        assert_applied(&sandbox.carry_out(1, &transition.files));
        let after = sandbox.all();
        assert_eq!(sandbox.read("changed"), "new\n");

        let undo = ready(sandbox.prepare_undo(2, 1, &transition));
        assert_eq!(undo.files, plan());
        assert!(crashes(&sandbox, name, 2, &point), "{point} was not reached in undo");
        assert_applied(&sandbox.carry_out(2, &undo.files));
        assert_same(&before, &sandbox.all());
        sandbox.undo(3, 2, &undo);
        assert_same(&after, &sandbox.all());
    }
}

#[test]
fn a_crash_after_which_nobody_goes_on_is_taken_back_all_the_same() {
    let name = "a_crash_after_which_nobody_goes_on_is_taken_back_all_the_same";
    if let Some(child) = child() {
        child.sandbox.carry_out(child.number, &plan());
        return;
    }
    for point in ["removed=2*off->return", "put=2*off->return", "remade"] {
        let (sandbox, transition) = everything();
        let before = sandbox.all();
        assert!(crashes(&sandbox, name, 1, &format!("vcs::apply::{point}")), "{point}");
        let undo = ready(sandbox.prepare_undo(2, 1, &transition));
        assert_applied(&sandbox.carry_out(2, &undo.files));
        assert_same(&before, &sandbox.all());
    }
}

#[test]
fn a_crash_while_it_is_prepared_changes_nothing() {
    let name = "a_crash_while_it_is_prepared_changes_nothing";
    if let Some(child) = child() {
        let text = fs::read_to_string(child.sandbox.path("work")).unwrap();
        let (base, theirs) = text.split_once('\n').unwrap();
        let work = Work { base: base.to_owned(), theirs: theirs.to_owned() };
        child.sandbox.call(child.number, &work, &Wish::default(), None).unwrap();
        return;
    }
    for point in ["captured", "taken", "imported", "prepared"] {
        let sandbox = Sandbox::with(&[("a", "old\n"), ("b", "b\n")]);
        sandbox.write("b", "not committed\n");
        let work = sandbox.work(|agent| write(agent, "a", "new\n"));
        fs::write(sandbox.path("work"), format!("{}\n{}", work.base, work.theirs)).unwrap();
        let before = sandbox.all();
        assert!(crashes(&sandbox, name, 1, &format!("vcs::apply::{point}")), "{point}");
        assert_same(&before, &sandbox.all());
        for left in fs::read_dir(sandbox.path("scratch")).unwrap() {
            fs::remove_dir_all(left.unwrap().path()).unwrap();
        }
        sandbox.there_and_back(&work, |sandbox| assert_eq!(sandbox.read("a"), "new\n"));
    }
}

#[test]
fn what_is_written_at_the_last_moment_is_put_back() {
    let (sandbox, transition) = everything();
    let _armed = fail::FailScenario::setup();
    let user = sandbox.user();
    fail::cfg_callback("vcs::apply::staged", move || {
        for path in ["changed", "deep/gone", "new"] {
            write(&user, path, "at the last moment\n");
        }
    })
    .unwrap();
    let results = sandbox.carry_out(1, &transition.files);
    for path in ["changed", "deep/gone"] {
        let result = results.iter().find(|result| result.path == path).unwrap();
        assert_eq!(result.state, FileState::ChangedMeanwhile, "{path}");
        assert_eq!(sandbox.read(path), "at the last moment\n");
    }
    assert_eq!(sandbox.read("new"), "at the last moment\n");
    assert_eq!(sandbox.read("folder"), "a file\n");
}

#[test]
fn what_is_written_at_the_last_moment_of_a_crash_is_put_back_later() {
    let name = "what_is_written_at_the_last_moment_of_a_crash_is_put_back_later";
    if let Some(child) = child() {
        let user = child.sandbox.user();
        fail::cfg_callback("vcs::apply::staged", move || {
            for path in ["changed", "deep/gone"] {
                write(&user, path, "at the last moment\n");
            }
        })
        .unwrap();
        child.sandbox.carry_out(child.number, &plan());
        return;
    }
    for (point, path) in [("taken_away", "deep/gone"), ("exchanged", "changed")] {
        let (sandbox, transition) = everything();
        assert!(crashes(&sandbox, name, 1, &format!("vcs::apply::{point}")), "{point}");
        assert_ne!(
            fs::read_to_string(sandbox.user().join(path)).unwrap_or_default(),
            "at the last moment\n"
        );
        let results = sandbox.carry_out(1, &transition.files);
        let result = results.iter().find(|result| result.path == path).unwrap();
        assert_eq!(result.state, FileState::ChangedMeanwhile);
        assert_eq!(sandbox.read(path), "at the last moment\n");
    }
}

#[test]
fn what_is_written_at_the_last_moment_and_again_after_a_crash_is_both_kept() {
    let name = "what_is_written_at_the_last_moment_and_again_after_a_crash_is_both_kept";
    if let Some(child) = child() {
        let user = child.sandbox.user();
        fail::cfg_callback("vcs::apply::staged", move || write(&user, "deep/gone", "first\n"))
            .unwrap();
        child.sandbox.carry_out(child.number, &plan());
        return;
    }
    let (sandbox, transition) = everything();
    assert!(crashes(&sandbox, name, 1, "vcs::apply::taken_away"));
    sandbox.write("deep/gone", "second\n");
    let results = sandbox.carry_out_leaving_something(1, &transition.files);
    let result = results.iter().find(|result| result.path == "deep/gone").unwrap();
    let commit = sandbox.git(&["rev-parse", "refs/orchestra/abcdefgh/backup/o1/raw"]);
    let kept = format!(".orchestra-writing/{commit}/1.old");
    let problem = format!("what was written there at the last moment is in {kept}");
    assert_eq!(result.state, FileState::Failed { problem });
    assert_eq!(sandbox.read("deep/gone"), "second\n");
    assert_eq!(sandbox.read(&kept), "first\n");
}

#[test]
fn a_file_for_which_the_disk_is_full_is_named_and_the_others_are_written() {
    let (sandbox, transition) = everything();
    let before = sandbox.all();
    let armed = fail::FailScenario::setup();
    fail::cfg("vcs::apply::disk_full", "2*off->1*return->off").unwrap();
    let results = sandbox.carry_out(1, &transition.files);
    let failed: Vec<_> =
        results.iter().filter(|result| result.state != FileState::Applied).collect();
    let [failed] = failed[..] else { panic!("{results:?}") };
    assert_eq!(failed.state, FileState::Failed { problem: "no storage space".to_owned() });
    drop(armed);
    sandbox.undo(2, 1, &transition);
    assert_same(&before, &sandbox.all());
}
