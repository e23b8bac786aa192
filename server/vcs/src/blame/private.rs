//! Whose a line is that an apply has brought: git's blame of the history that only Orchestra keeps.

use super::{
    Apply, LineAuthor, Place,
    porcelain::{self, Commit},
};
use crate::GitError;
use orchestra_core::review::Work;
use std::collections::{BTreeSet, HashMap, HashSet};

/// Where a line of an apply has its origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Whose<'a> {
    Work(&'a Work),
    /// A commit of the user's: its author.
    Commit(LineAuthor),
    /// What the user had and had not committed.
    Snapshot,
    /// It arose when works were put together.
    Nobody,
}

/// Says it of some lines, from one, of the file `path` as the user had it after the apply.
pub(super) fn whose<'a>(
    place: &Place,
    apply: &Apply<'a>,
    path: &str,
    lines: &BTreeSet<u32>,
) -> Result<HashMap<u32, Whose<'a>>, GitError> {
    let ranges = ranges(lines).into_iter().map(|(first, last)| format!("-L{first},{last}"));
    let git = place.git("blame").args(porcelain::OPTIONS).args(ranges);
    let output = git.args([apply.after, "--", path]).output()?;
    let blamed = porcelain::parse(&output, true);
    let is_work = |commit: &Commit| apply.works.iter().any(|work| work.commit == commit.id);
    let history = if blamed.commits.iter().all(is_work) {
        History::default()
    } else {
        History::read(place, apply.after)?
    };
    let origins: Vec<Whose<'a>> =
        blamed.commits.iter().map(|commit| origin(apply, &history, commit)).collect();
    let rows = blamed.rows.iter();
    Ok(rows.filter_map(|row| Some((row.here, origins.get(row.commit)?.clone()))).collect())
}

fn origin<'a>(apply: &Apply<'a>, history: &History, commit: &Commit) -> Whose<'a> {
    let id = commit.id.as_str();
    let works = apply.works.iter();
    // The agent's own commits lie below that of its work.
    let own = |work: &&Work| history.leads(&work.commit, id) && !history.leads(&work.base, id);
    let work = works.clone().find(|work| work.commit == id).or_else(|| works.clone().find(own));
    if let Some(work) = work {
        return Whose::Work(work);
    }
    if works.clone().any(|work| history.leads(id, &work.commit)) {
        return Whose::Nobody;
    }
    let is_base = works.clone().any(|work| work.base == id);
    if is_base || history.before == id { Whose::Snapshot } else { Whose::Commit(commit.person()) }
}

/// The commits that an apply has in addition to what the user had before.
#[derive(Debug, Default)]
struct History {
    before: String,
    parents: HashMap<String, Vec<String>>,
}

impl History {
    fn read(place: &Place, after: &str) -> Result<Self, GitError> {
        let output = place.git("rev-list").args(["--parents", after, &format!("^{after}^")]);
        let output = output.output()?;
        let mut history = Self::default();
        for line in String::from_utf8_lossy(&output).lines() {
            let mut ids = line.split(' ').map(str::to_owned);
            let Some(id) = ids.next() else { continue };
            let parents: Vec<String> = ids.collect();
            if id == after {
                history.before = parents.first().cloned().unwrap_or_default();
            }
            history.parents.insert(id, parents);
        }
        Ok(history)
    }

    /// Whether `to` is `from`, or one of its ancestors here.
    fn leads(&self, from: &str, to: &str) -> bool {
        let mut seen = HashSet::new();
        let mut waiting = vec![from];
        while let Some(id) = waiting.pop() {
            if id == to {
                return true;
            }
            let parents = self.parents.get(id).into_iter().flatten();
            waiting.extend(parents.map(String::as_str).filter(|parent| seen.insert(*parent)));
        }
        false
    }
}

/// Those that follow one another, together: first and last.
fn ranges(lines: &BTreeSet<u32>) -> Vec<(u32, u32)> {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for &line in lines {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == line => *last = line,
            _ => ranges.push((line, line)),
        }
    }
    ranges
}
