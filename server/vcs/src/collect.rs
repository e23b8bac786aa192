//! Collecting: what an agent left in its tree, committed or not, becomes commits in the user's
//! repository.
//!
//! Nothing of the agent's is run. Its `.git` is never a repository for git: git works in one of our
//! own, in quarantine, where the agent's objects are data that have to pass `index-pack --strict`.
//! Only plumbing looks at the files, because `add`, `status` and `diff` run the filters of nested
//! repositories. What comes out is one pack and one reference.

mod agent_head;
pub(crate) mod blobs;
mod contents;
pub(crate) mod difference;
pub(crate) mod flags;
mod held;
mod import;
mod listing;
mod made;
pub(crate) mod names;
mod origin;
mod quarantine;
pub(crate) mod record;
pub(crate) mod summary;
mod takeover;

use crate::{
    GitError,
    git::at_once,
    index::Tracked,
    state,
    survey::{self, Survey, Walk},
    wrapper::Wrapper,
};
use contents::Contents;
use listing::Listing;
use made::Made;
use orchestra_core::change::{Change, Held};
use quarantine::Quarantine;
use record::Record;
use std::{fmt, fs, io, path::Path};

/// Where results may be kept, so that nothing of the user's can be taken for one.
pub(crate) const NAMESPACE: &str = "refs/orchestra/";

/// What is to be collected, and as what.
pub struct Request<'a> {
    /// The user's workspace: its repository receives the objects and the reference.
    pub root: &'a Path,
    /// The top of the agent's working tree. Whatever is in its `.git` is the agent's.
    pub src: &'a Path,
    /// The commit that the tree was given, whose objects are in the user's repository.
    pub base: &'a str,
    /// The index that was kept when the tree was given, out of the agent's reach: files that it knows by
    /// their times, sizes and numbers are not read. Without it every file is read, and the tree must
    /// be whole, because the absence of a file says that it was deleted.
    pub index: Option<&'a Path>,
    /// A private folder of ours in no agent's scope, on the file system of which the new objects have
    /// room.
    pub scratch: &'a Path,
    /// The full name of the reference that will hold the result, below `refs/orchestra/`. When it holds
    /// one for which the same was `included`, that is the answer: a crash hid it from whoever asked.
    /// Another one it does not hold any longer.
    pub reference: &'a str,
    pub author: Author<'a>,
    /// The first line of the commit's message.
    pub subject: &'a str,
    pub limits: Limits,
    /// What was held back, and a person has allowed: each for that reason alone. What is taken in although
    /// it is large is still searched for secrets.
    pub included: &'a [Held],
    /// What looks as if it held a secret.
    pub suspects: &'a Suspects<'a>,
    /// What starts every git that reads what an agent wrote. That git writes to `scratch` only.
    pub wrapper: Option<&'a Wrapper>,
}

/// Why a text file, by path and content, looks as if it held a secret that its content before did not have;
/// in the words of a rule. A file that is new had no content.
pub type Suspects<'a> = dyn Fn(&str, &[u8], &[u8]) -> Option<String> + Sync + 'a;

/// Who did the work, as the commit's author and trailers say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Author<'a> {
    /// The agent's name.
    pub agent: &'a str,
    pub run: &'a str,
    pub task: &'a str,
    pub attempt: &'a str,
    pub model: Option<&'a str>,
}

/// How much is collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of each file; larger ones are held back, unread.
    pub file: u64,
    /// Bytes of all new and changed files; in the order of their paths, what fits is taken.
    pub total: u64,
    /// New and changed files; beyond it, the tree is refused.
    pub count: usize,
    /// Bytes of a file that is still searched for secrets.
    pub scan: u64,
}

/// What became of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collected {
    /// What the reference holds now. `None`: nothing changed, or all of it is held back.
    pub commit: Option<String>,
    pub change: Change,
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("src", &self.src)
            .field("base", &self.base)
            .field("reference", &self.reference)
            .finish_non_exhaustive()
    }
}

/// Collects a tree in which nobody works any more. Blocks for as long as it takes to read what has
/// changed.
///
/// In the user's repository only objects and the one reference are new. The agent's own commits are
/// kept when they descend from the base and are sound, with one of ours on top; else there is only
/// ours, and a note says why.
pub fn collect(request: &Request<'_>) -> Result<Collected, GitError> {
    if !request.reference.starts_with(NAMESPACE) {
        return Err(GitError::Reference(request.reference.to_owned()));
    }
    state::require_version()?;
    let origin = origin::read(request.root, request.base, request.reference)?;
    let quarantine = Quarantine::create(request, &origin)?;
    if let Some(kept) = origin.kept.as_ref().filter(|kept| kept.is_as_allowed(request.included)) {
        return summary::of_kept(&quarantine, request.base, kept);
    }
    see_folder(request.src)?;
    quarantine.fill_index(request)?;
    let takeover = takeover::take_over(&quarantine, request)?;
    let index = quarantine.comparable_index(request).filter(|_| takeover.parent.is_none());
    let survey = survey::look(&Walk {
        src: request.src,
        index: index.as_ref(),
        room: request.limits.count,
        into_unknown: true,
        large: request.index.is_none().then_some(request.limits.file),
    })?;
    let (listing, contents) = choose(&quarantine, request, &survey, index.as_ref())?;
    let notes = summary::notes(&quarantine, request, &survey, &listing, contents.notes)?;
    let mut record = Record { held: Vec::new(), notes: [takeover.notes.clone(), notes].concat() };
    record.hold(contents.held);
    let is_like_base =
        takeover.parent.is_none() && contents.resets.is_empty() && contents.updates.is_empty();
    let made = if is_like_base {
        Err(record)
    } else {
        quarantine.enter(contents.resets)?;
        quarantine.update(&contents.updates)?;
        made::make(&quarantine, request, &takeover, record)?
    };
    let Made { commit, tree, pack, record, differences, commits } = match made {
        Ok(made) => made,
        Err(record) => {
            let change = summary::told(summary::nothing(request.base), None, record);
            return Ok(Collected { commit: None, change });
        }
    };
    let (imported, change) = at_once(
        || import::import(request, &origin, &commit, &pack),
        || summary::change(quarantine.git("cat-file"), request.base, &tree, &differences),
    );
    imported?;
    let change = Change { commits, ..summary::told(change?, Some(&commit), record) };
    Ok(Collected { commit: Some(commit), change })
}

/// What of the files goes into the commit.
fn choose(
    quarantine: &Quarantine<'_>,
    request: &Request<'_>,
    survey: &Survey,
    index: Option<&Tracked>,
) -> Result<(Listing, Contents), GitError> {
    let guess = index.map(|index| listing::guess(quarantine, request, survey, index));
    if let Some(listing) = guess.transpose()?.flatten() {
        let contents = contents::choose(request, survey, &listing)?;
        // Nothing is held back, and nobody told of a file, only because it was touched.
        if contents.held.is_empty() && contents.notes.is_empty() {
            return Ok((listing, contents));
        }
    }
    let listing = listing::read(quarantine, request, survey)?;
    let contents = contents::choose(request, survey, &listing)?;
    Ok((listing, contents))
}

/// A link would lead git, and later whoever cleans up, to somewhere else.
fn see_folder(src: &Path) -> Result<(), GitError> {
    match fs::symlink_metadata(src) {
        Ok(found) if found.is_dir() => Ok(()),
        Ok(_) => Err(GitError::NoTree(src.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(GitError::NoTree(src.to_owned()))
        }
        Err(error) => Err(GitError::io("failed to read", src)(error)),
    }
}
