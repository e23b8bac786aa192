//! `orchestra doctor`: looks for damage and for what is missing; puts a backup back.

use crate::{
    commands::Done,
    failure::Failure,
    session::{Session, refuse_agents},
    show::style,
};
use orchestra_core::ids::AttemptId;
use orchestra_store::{OpenError, Problem, Reader};
use orchestra_vcs::state as git;
use serde_json::json;
use std::{fs, path::Path};

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
    problems.extend(orphaned_trees(session));
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

/// Trees of attempts that the journal does not know.
fn orphaned_trees(session: &Session) -> Vec<Problem> {
    let trees = session.folders.data.join("trees").join(session.workspace.as_str());
    let Ok(entries) = fs::read_dir(&trees) else { return Vec::new() };
    let reader = Reader::open(&session.state()).ok();
    let known = |attempt: AttemptId| {
        reader.as_ref().is_some_and(|reader| reader.attempt_exists(attempt).unwrap_or(true))
    };
    entries
        .flatten()
        .filter(|entry| {
            let name = entry.file_name();
            !name.to_str().and_then(|name| name.parse().ok()).is_some_and(known)
        })
        .map(|entry| Problem {
            place: entry.path().display().to_string(),
            what: "a tree that belongs to no recorded attempt".to_owned(),
            hint: "look at it, and remove it when nothing in it is needed".to_owned(),
        })
        .collect()
}
