//! Who wrote each line of a file as it is now: an agent whose work was applied, or a person.
//!
//! Two histories meet here. Git blames the user's: it tells which commit of his brought a line in, or that none
//! has yet, however he has amended, rebased or squashed. What an apply has brought lies in a private history
//! that his commits do not have among their ancestors; so where a line came in after an apply, and stands
//! where the apply has put the same line, git's blame of that private history says whose it is.

mod applied;
mod porcelain;
mod private;
mod same;

use crate::{
    GitError,
    collect::blobs,
    git::{Git, at_once},
    state,
    working::{self, File},
};
use applied::Found;
use orchestra_core::{
    ids::{AttemptId, OperationId},
    review::Work,
    time::Timestamp,
};
use porcelain::{Blamed, Row};
use std::{
    borrow::Cow,
    collections::HashSet,
    ffi::{OsStr, OsString},
    fs, io,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

/// Whose lines are asked for.
#[derive(Debug)]
pub struct Request<'a> {
    /// The workspace's root.
    pub root: &'a Path,
    /// Relative to the top of the repository, with `/` between the parts.
    pub path: &'a str,
    /// Text that is not saved yet; it wins over the disk.
    pub content: Option<&'a [u8]>,
    /// Those that were not undone, the oldest first.
    pub applies: &'a [Apply<'a>],
    pub limits: Limits,
}

/// An apply whose lines count as those of its agents.
#[derive(Debug, Clone, Copy)]
pub struct Apply<'a> {
    pub operation: OperationId,
    /// The commit with what the user had afterwards; its parents are what he had before, and what came in.
    /// One that is lost brings nothing: its lines are those of who committed them.
    pub after: &'a str,
    /// Whose works came in.
    pub works: &'a [Work],
}

/// How much is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the file.
    pub file: u64,
    /// How long each call of git may take.
    pub time: Duration,
}

/// A line and its author.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// From one.
    pub number: u32,
    pub author: LineAuthor,
}

/// Who wrote a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineAuthor {
    Agent {
        operation: OperationId,
        attempt: AttemptId,
        agent: String,
        model: Option<String>,
        /// The commit of the attempt's work.
        commit: String,
    },
    /// Whoever made this commit of the user's history.
    Person { commit: String, author: String, at: Timestamp },
    /// The user: no commit has it yet.
    NotCommitted,
    /// It came in with an apply, but none of its works has it; or it is older than what a shallow clone has.
    NotKnown,
}

/// Says who wrote each line. Blocks for as long as `git blame` takes, and a little longer.
///
/// Lines count as git counts them: each ends with a line feed, and the last one may lack it. Between a line of
/// the user's and the same line of an agent's, the user's counts.
pub fn blame(request: &Request<'_>) -> Result<Vec<Line>, GitError> {
    let path = request.path;
    if path.contains('\n') {
        return Err(GitError::LineBreak(path.into()));
    }
    if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err(GitError::NoFile(path.to_owned()));
    }
    let place = Place::find(request)?;
    let content = content(request, &place.top)?;
    if !blobs::is_text(&content) {
        return Err(GitError::NotText(path.to_owned()));
    }
    let (blamed, is_tracked) = place.blame(request, content.into_owned())?;
    let Found { mut authors, is_applied } = applied::find(request, &place, &blamed)?;
    // A new file of an agent's, which the user has not added to git, is known to us.
    if !is_tracked && !is_applied {
        return Err(GitError::NotTracked(path.to_owned()));
    }
    let line = |(row, number): (&Row, u32)| {
        let author = authors.remove(&number).unwrap_or_else(|| place.author(&blamed, row));
        Line { number, author }
    };
    Ok(blamed.rows.iter().zip(1..).map(line).collect())
}

/// The file as an editor or the disk has it.
fn content<'a>(request: &Request<'a>, top: &Path) -> Result<Cow<'a, [u8]>, GitError> {
    let path = request.path;
    let limit = request.limits.file;
    let too_large = |bytes| GitError::FileTooLarge { path: path.to_owned(), bytes, limit };
    if let Some(content) = request.content {
        let bytes = content.len() as u64;
        return if bytes > limit { Err(too_large(bytes)) } else { Ok(content.into()) };
    }
    match working::read(top, path.as_bytes(), limit) {
        File::Content { mode, bytes } if mode != working::LINK => Ok(bytes.into()),
        File::TooLarge { bytes, .. } => Err(too_large(bytes)),
        File::Unreadable => Err(GitError::io("failed to read", top.join(path))(
            io::ErrorKind::PermissionDenied.into(),
        )),
        File::Nothing | File::Folder | File::Content { .. } => {
            Err(GitError::NoFile(path.to_owned()))
        }
    }
}

/// Where git is asked.
struct Place {
    top: PathBuf,
    /// The commits whose parents a shallow clone does not have.
    edge: HashSet<String>,
    emptied_filters: Vec<(OsString, &'static str)>,
    limit: Duration,
}

impl Place {
    fn find(request: &Request<'_>) -> Result<Self, GitError> {
        let limit = request.limits.time;
        let (layout, filters) = at_once(
            || {
                Git::new(request.root, "rev-parse", limit)
                    .args(["--path-format=absolute", "--show-toplevel", "--git-path", "shallow"])
                    .output()
            },
            || state::without_filters(request.root),
        );
        // The first one's error says best what is wrong with a folder.
        let (layout, emptied_filters) = (layout?, filters?);
        let mut lines = layout.split(|&byte| byte == b'\n').map(OsStr::from_bytes);
        let (top, shallow) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
        let edge = match fs::read_to_string(shallow) {
            Ok(text) => text.lines().map(str::to_owned).collect(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => HashSet::new(),
            Err(error) => return Err(GitError::io("failed to read", shallow)(error)),
        };
        Ok(Self { top: top.into(), edge, emptied_filters, limit })
    }

    /// A call of git at the top, which runs nothing that is configured.
    fn git(&self, verb: &str) -> Git {
        let git = Git::new(&self.top, verb, self.limit)
            .env("GIT_NO_REPLACE_OBJECTS", "1")
            // Names are printed as they are, wherever they can be.
            .set("core.quotePath".into(), "false");
        self.emptied_filters.iter().fold(git, |git, (key, value)| git.set(key.clone(), value))
    }

    /// What git says of the file as it is now,
    /// and whether it tracks the file.
    fn blame(&self, request: &Request<'_>, content: Vec<u8>) -> Result<(Blamed, bool), GitError> {
        let git = self.git("blame").args(porcelain::OPTIONS);
        let git = git.args(["--contents", "-", "--", request.path]).input(content.clone());
        let answer = git.answer()?;
        if answer.status.success() {
            return Ok((porcelain::parse(&answer.stdout, content.ends_with(b"\n")), true));
        }
        match answer.refusal("git blame".to_owned(), self.top.clone()) {
            GitError::Failed { detail, .. } if detail.starts_with("no such path") => {
                Ok((Blamed::of_new_file(&content), false))
            }
            GitError::Failed { place, detail, .. } if detail.starts_with("no such ref") => {
                Err(GitError::NoCommit(place))
            }
            error => Err(error),
        }
    }

    /// The author whom the user's own history names.
    fn author(&self, blamed: &Blamed, row: &Row) -> LineAuthor {
        let commit = blamed.commits.get(row.commit);
        match commit.filter(|commit| !commit.is_none()) {
            None => LineAuthor::NotCommitted,
            Some(commit) if self.edge.contains(&commit.id) => LineAuthor::NotKnown,
            Some(commit) => commit.person(),
        }
    }
}
