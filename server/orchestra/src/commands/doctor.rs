//! `orchestra doctor`: looks for damage and for what is missing; puts a backup back.

use crate::{
    commands::Done,
    failure::Failure,
    session::{Session, refuse_agents},
    show::style,
};
use orchestra_core::{config::Bytes, confinement::SandboxChoice, ids::AttemptId, view::TaskView};
use orchestra_runtimes::confine::can_hold;
use orchestra_store::{OpenError, Problem, Reader};
use orchestra_vcs::{state as git, trees::Pool};
use serde_json::json;
use std::path::Path;

pub(crate) fn run(session: &Session, restore: Option<&Path>) -> Result<Done, Failure> {
    match restore {
        Some(backup) => put_back(session, backup),
        None => look(session),
    }
}

fn put_back(session: &Session, backup: &Path) -> Result<Done, Failure> {
    let what = format!("restore {}", backup.display());
    refuse_agents(&what)?;
    let kept = orchestra_store::restore(&session.state(), backup).map_err(|error| {
        let hint = match &error {
            OpenError::Locked { .. } => "stop it first with `orchestra daemon stop`".to_owned(),
            error => error.hint(),
        };
        Failure::doing(&what, error).with_hint(hint)
    })?;
    if session.json {
        anstream::println!("{}", json!({ "restored": backup, "kept": kept }));
    } else {
        anstream::println!("restored {}", backup.display());
        anstream::println!("what was there is kept as {}", kept.display());
        anstream::println!("next: `orchestra rebuild`");
    }
    Ok(Done::Well)
}

fn look(session: &Session) -> Result<Done, Failure> {
    let mut facts = vec![
        ("workspace", format!("{} ({})", session.root.display(), session.workspace)),
        ("state", session.state().display().to_string()),
        ("trees", session.folders.data.join("trees").display().to_string()),
        ("socket", session.folders.socket().display().to_string()),
    ];
    let mut problems = Vec::new();
    match git::version() {
        Ok(version) => facts.push(("git", version)),
        Err(error) => problems.push(problem("git", &error, error.hint())),
    }
    if rustix::process::geteuid().is_root() {
        problems.push(Problem {
            place: "user".to_owned(),
            what: "this is root, and agents get root's rights".to_owned(),
            hint: "work as an ordinary user".to_owned(),
        });
    }
    problems.extend(orchestra_store::check(&session.state()));
    problems.extend(repository(session));
    let pool = Pool::open(session.folders.trees(&session.workspace), session.root.clone());
    problems.extend(orphaned_trees(session, &pool));
    if let Ok(bytes) = pool.disk_usage() {
        facts.push(("room of trees", Bytes(bytes).to_string()));
    }
    facts.push((
        "sandbox",
        match can_hold(SandboxChoice::Auto) {
            true => "the kernel holds agents".to_owned(),
            false => "the kernel cannot hold agents".to_owned(),
        },
    ));
    let backups = orchestra_store::backups(&session.state())
        .map_err(|error| Failure::doing("list the backups", error))?;
    if let Some(newest) = backups.first() {
        facts.push(("newest backup", newest.path.display().to_string()));
    }
    if session.json {
        let facts: serde_json::Map<_, _> =
            facts.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        anstream::println!("{}", json!({ "facts": facts, "problems": problems }));
    } else {
        for (name, value) in &facts {
            anstream::println!("{name:14} {value}");
        }
        for problem in &problems {
            anstream::println!("{} {problem}", style::bold("problem:"));
            anstream::println!("  hint: {}", problem.hint);
        }
        if problems.is_empty() {
            anstream::println!("no problems found");
        }
    }
    // Being root is worth a word and no failure.
    let damaged = problems.iter().any(|problem| problem.place != "user");
    Ok(if damaged { Done::Badly } else { Done::Well })
}

fn problem(place: &str, what: &dyn std::fmt::Display, hint: String) -> Problem {
    Problem { place: place.to_owned(), what: what.to_string(), hint }
}

/// A remote that mirrors would be sent the refs in which uncommitted text is kept.
fn repository(session: &Session) -> Vec<Problem> {
    match git::has_mirror_remote(&session.root) {
        Ok(remotes) => remotes
            .into_iter()
            .map(|remote| Problem {
                place: format!("git remote {remote}"),
                what: "it mirrors all refs, and so would be sent what agents work on".to_owned(),
                hint: format!("git config --unset remote.{remote}.mirror"),
            })
            .collect(),
        Err(error) => vec![problem("git", &error, error.hint())],
    }
}

/// Trees that are held for attempts of which nothing is under way any more.
fn orphaned_trees(session: &Session, pool: &Pool) -> Vec<Problem> {
    let holders = match pool.holders() {
        Ok(holders) => holders,
        Err(error) => return vec![problem("trees", &error, "see its rights".to_owned())],
    };
    let reader = Reader::open(&session.state()).ok();
    let is_open = |attempt: AttemptId| {
        let is_under_way = |task: TaskView| {
            task.attempts.iter().any(|one| one.id == attempt && one.ended.is_none())
        };
        let task = reader.as_ref().map(|reader| reader.task(attempt.task()));
        // What cannot be read is a problem of its own.
        task.is_none_or(|task| task.map_or(true, |task| task.is_some_and(is_under_way)))
    };
    holders
        .into_iter()
        .filter(|(_, holder)| !AttemptId::of_holder(holder).is_some_and(is_open))
        .map(|(slot, holder)| Problem {
            place: session.folders.trees(&session.workspace).join(slot).display().to_string(),
            what: format!("it is held for {holder}, which is not under way"),
            hint: "the next start of the daemon takes it back: `orchestra daemon stop`, then any \
                   command that runs something"
                .to_owned(),
        })
        .collect()
}
