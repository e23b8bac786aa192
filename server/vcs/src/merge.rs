//! Merging: the works of several attempts become one commit, or a list of what does not fit together.
//!
//! Git merges in a bare repository of ours, where it reads objects and nothing else: no settings, attributes,
//! merge drivers or hooks, neither the user's nor those that an agent wrote. What comes out depends on
//! the works alone, so that doing it again after a crash gives the same commit.

mod answer;
mod look;
mod markers;
mod record;
mod resolve;
mod sides;

use crate::{
    GitError,
    bare::{self, Bare, Facts, Signature},
    collect::{self, difference, summary},
    git::at_once,
    state,
};
pub use markers::{Leftover, markers_left};

use answer::Answer;
use look::Looked;
use orchestra_core::{change::Change, merge::Conflict};
use std::path::Path;

pub(crate) use sides::merge_sides;

/// The first git that merges without a working tree and says in which way files conflict.
const NEEDED: (u32, u32) = (2, 38);

/// Added to the reference under which a tree with conflict markers is kept.
const CONFLICT: &str = "-conflict";

/// What is to be merged, and as what.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The user's workspace: its repository has the works, and receives the objects and the reference.
    pub root: &'a Path,
    /// A private folder of ours in no agent's scope, on the file system of which the new objects have room.
    pub scratch: &'a Path,
    /// The full name of the reference that will hold the result, below `refs/orchestra/`.
    pub reference: &'a str,
    /// The commit of the run's snapshot, from which all works descend.
    pub base: &'a str,
    /// In the order of the plan; at least one.
    pub works: &'a [Work<'a>],
    /// The first line of the commits' messages.
    pub subject: &'a str,
    /// In whose name it is done.
    pub author: collect::Author<'a>,
    /// What has been decided about earlier answers to the same request.
    pub resolutions: &'a [Resolution],
    pub limits: Limits,
}

/// What one attempt made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Work<'a> {
    /// The full id of a commit, in lowercase.
    pub commit: &'a str,
    /// For people, such as `r12.1`.
    pub name: &'a str,
}

/// Whose version counts where a file conflicts. Of a text that both have changed or added, it is that of the
/// conflicting places alone, the rest is merged; of anything else it is all that this side has at the paths
/// of the conflict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolution {
    /// As [`Conflict::path`] has it.
    pub path: String,
    /// As [`Conflicted::between`] has it: what was decided says nothing of other works.
    pub between: [String; 2],
    pub takes: Takes,
}

/// One of the two sides of a conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Takes {
    /// What was merged before.
    Ours,
    /// What comes in.
    Theirs,
}

/// How much of what conflicts is shown, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Of a file whose lines are compared; a larger one is no text.
    pub file: u64,
    /// Of all of them together; those beyond it are named, and their lines are not.
    pub total: u64,
}

/// What became of the works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Merged {
    /// All of them, compared with the base.
    Whole(Change),
    Conflicts(Conflicted),
}

/// Where the works do not fit together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflicted {
    /// The names of what was merged already, joined, and of the work that does not fit to it. Works after
    /// that were not looked at.
    pub between: [String; 2],
    /// Sorted by path; never empty.
    pub conflicts: Vec<Conflict>,
    /// The commit of the tree as git leaves it, with markers where texts conflict, for an agent that resolves
    /// them. Its parents are both sides. Kept under the reference with `-conflict` after it.
    pub with_markers: String,
}

/// Merges the works one after the other. Blocks for about as long as `git merge-tree`.
///
/// In the user's repository only objects and the one reference are new. A work that is an ancestor of
/// another one adds nothing to it; where one work holds all others, the result is that work.
pub fn merge(request: &Request<'_>) -> Result<Merged, GitError> {
    check(request)?;
    merge_in_order(request).map_err(|error| error.about(request.root))
}

fn merge_in_order(request: &Request<'_>) -> Result<Merged, GitError> {
    let bare = Bare::create(request.root, request.scratch)?;
    let commits = commits(request);
    let (independent, facts) = at_once(|| independent(&bare, &commits), || bare.facts(&commits));
    // The second one's error says best what is wrong with a commit.
    let (facts, independent) = (facts?, independent?);
    let date = facts.iter().map(|facts| facts.date).max().unwrap_or_default();
    let mut merged: Option<Merging> = None;
    for (work, Facts { tree, .. }) in request.works.iter().zip(&facts) {
        if !independent.iter().any(|commit| commit == work.commit) {
            continue;
        }
        merged = Some(match merged {
            None => Merging::of(work, tree),
            Some(merged) if merged.parents == [work.commit] => merged,
            Some(merged) => match step(&bare, request, date, &merged, work)? {
                Ok(merged) => merged,
                Err(conflicted) => return Ok(Merged::Conflicts(conflicted)),
            },
        });
    }
    let merged = merged.ok_or(GitError::NoWork)?;
    fail::fail_point!("merge::merged", |_| std::process::abort());
    let (kept, change) = at_once(
        || {
            let commit = merged.commit(&bare, request, date)?;
            bare.keep(&commit, &commits, request.reference).map(|()| commit)
        },
        || change(&bare, request, &commits, &merged.tree),
    );
    Ok(Merged::Whole(Change { commit: Some(kept?), ..change? }))
}

fn check(request: &Request<'_>) -> Result<(), GitError> {
    if !request.reference.starts_with(collect::NAMESPACE) {
        return Err(GitError::Reference(request.reference.to_owned()));
    }
    if request.works.is_empty() {
        return Err(GitError::NoWork);
    }
    check_version()?;
    commits(request).into_iter().chain([request.base]).try_for_each(bare::check_id)
}

fn check_version() -> Result<(), GitError> {
    if state::require_version()? < NEEDED {
        return Err(GitError::TooOld { found: state::version()?, needed: NEEDED });
    }
    Ok(())
}

fn commits<'a>(request: &Request<'a>) -> Vec<&'a str> {
    request.works.iter().map(|work| work.commit).collect()
}

/// What is merged so far.
struct Merging {
    tree: String,
    names: Vec<String>,
    /// What was merged last. One alone is a work itself.
    parents: Vec<String>,
}

impl Merging {
    fn of(work: &Work<'_>, tree: &str) -> Self {
        let (names, parents) = (vec![work.name.to_owned()], vec![work.commit.to_owned()]);
        Self { tree: tree.to_owned(), names, parents }
    }

    /// Its commit, made where it is none of the works.
    fn commit(&self, bare: &Bare, request: &Request<'_>, date: i64) -> Result<String, GitError> {
        if let [only] = self.parents.as_slice() {
            return Ok(only.clone());
        }
        let parents: Vec<&str> = self.parents.iter().map(String::as_str).collect();
        let signature = Signature::of_agent(request.author.agent);
        let message = record::message(request, &self.names);
        bare.commit(&signature, date, &self.tree, &parents, message)
    }
}

/// The works that no other one has among its ancestors.
fn independent(bare: &Bare, commits: &[&str]) -> Result<Vec<String>, GitError> {
    let output = bare.git("merge-base").args(["--independent"]).args(commits).output()?;
    Ok(String::from_utf8_lossy(&output).lines().map(str::to_owned).collect())
}

/// Merges one more work; the inner error: it does not fit.
fn step(
    bare: &Bare,
    request: &Request<'_>,
    date: i64,
    merged: &Merging,
    work: &Work<'_>,
) -> Result<Result<Merging, Conflicted>, GitError> {
    let between = [record::joined(&merged.names), work.name.to_owned()];
    let ours = merged.commit(bare, request, date)?;
    let sides = [ours.as_str(), work.commit];
    let labels = record::labels(&merged.names, work, sides);
    let Answer { tree, places } = answer::ask(bare, &labels, sides)?;
    let mut names = merged.names.clone();
    names.push(work.name.to_owned());
    let Looked { conflicts, resolved } = look::at(bare, request, &between, places)?;
    let tree = resolve::resolve(bare, tree, sides, resolved, request.limits.file)?;
    if conflicts.is_empty() {
        let parents = sides.map(str::to_owned).into();
        return Ok(Ok(Merging { tree, names, parents }));
    }
    let signature = Signature::of_agent(request.author.agent);
    let message = record::message_of_conflict(request, &names);
    let with_markers = bare.commit(&signature, date, &tree, &sides, message)?;
    bare.keep(&with_markers, &commits(request), &format!("{}{CONFLICT}", request.reference))?;
    Ok(Err(Conflicted { between, conflicts, with_markers }))
}

/// What the tree with all works changes; it has no commit yet.
fn change(
    bare: &Bare,
    request: &Request<'_>,
    works: &[&str],
    tree: &str,
) -> Result<Change, GitError> {
    let (differences, commits) = at_once(
        || difference::read(bare.git("diff-tree"), request.base, tree, true),
        || record::agents_commits(bare, request.base, works),
    );
    let change = summary::change(bare.git("cat-file"), request.base, tree, &differences?)?;
    Ok(Change { commits: commits?, ..change })
}
