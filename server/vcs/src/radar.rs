//! The conflict radar: which files the trees of running agents and the user's folder would collide in, were
//! all of it merged now.
//!
//! A look is a walk over each side, which compares what the system says of the files with an index, and reads
//! only files that two sides have changed. Git is asked only about what is new since the last look.

mod between;
mod compare;
mod ignored;
mod pairs;
mod seen;

use crate::{GitError, git::Git, index::Tracked, trees::source::Format, working::Identity};
use between::Between;
use compare::{Comparison, Outcome, Question};
use ignored::Ignored;
use orchestra_core::merge::{Foreseen, Party};
use pairs::Pair;
use seen::{Known, Seen};
use std::{
    collections::HashMap,
    ffi::OsStr,
    os::unix::ffi::OsStrExt as _,
    panic::resume_unwind,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration,
};

/// Somebody who changes files.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    pub party: Party,
    pub place: Place<'a>,
    /// Commits that it comes from, the nearest first: what it has started from, what the work in that has
    /// started from, and so on, to the snapshot of the run. For the user's folder, the snapshot. Two sides
    /// are compared with what they had when they last had the same.
    pub bases: &'a [&'a str],
}

/// Where a side's files are.
#[derive(Debug, Clone, Copy)]
pub enum Place<'a> {
    /// An agent's tree: the top of its working tree, and the index that was kept when it was given, out of
    /// the agent's reach. It was given the first of its bases.
    Tree { src: &'a Path, index: &'a Path },
    /// The user's folder, whatever is checked out or staged there.
    User,
}

/// How much is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many files a look compares anew. The next look compares others.
    pub files: usize,
    /// Bytes of each side of a file; larger ones are not compared.
    pub file: u64,
    /// Bytes that a look reads.
    pub total: u64,
    /// How many new files are remembered of each side.
    pub new: usize,
    /// How long each call of git may take.
    pub time: Duration,
}

/// What a look has seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Look {
    /// By path, then in the order of the sides.
    pub foreseen: Vec<Foreseen>,
    /// How many times two sides have changed a file that was over a limit.
    pub left_out: usize,
    /// The sides that could not be looked at, such as a tree that is gone, or of which not all new files were
    /// remembered.
    pub partly_seen: Vec<Party>,
}

/// Remembers what it has seen, so that what has not changed costs no more than to see that.
#[derive(Debug)]
pub struct Watcher {
    top: PathBuf,
    /// The user's index; it need not exist.
    index: PathBuf,
    format: Format,
    limits: Limits,
    /// What was read, by the file of the index.
    indices: HashMap<PathBuf, Known>,
    between: Between,
    ignored: Ignored,
    outcomes: HashMap<Comparison, Outcome>,
}

impl Watcher {
    /// For the workspace at `root`. Writes nothing, now and later.
    pub fn open(root: &Path, limits: Limits) -> Result<Self, GitError> {
        if root.as_os_str().as_bytes().contains(&b'\n') {
            return Err(GitError::LineBreak(root.to_owned()));
        }
        let output = Git::new(root, "rev-parse", limits.time)
            .args(["--path-format=absolute", "--show-toplevel", "--git-path", "index"])
            .args(["--show-object-format=storage"])
            .output()?;
        let mut lines = output.split(|&byte| byte == b'\n').map(OsStr::from_bytes);
        let mut line = || lines.next().unwrap_or_default();
        let (top, index) = (PathBuf::from(line()), PathBuf::from(line()));
        let format = if line() == "sha256" { Format::Sha256 } else { Format::Sha1 };
        Ok(Self {
            between: Between::new(&top, limits.time),
            ignored: Ignored::new(&top, limits.time),
            indices: HashMap::new(),
            outcomes: HashMap::new(),
            top,
            index,
            format,
            limits,
        })
    }

    /// Looks at all sides, which may change meanwhile; two sides without a common base are not compared.
    /// Blocks for as long as it takes to walk over the largest.
    pub fn look(&mut self, sides: &[Side<'_>]) -> Result<Look, GitError> {
        self.read_indices(sides);
        let walks = self.walks(sides);
        let mut look = Look::default();
        let mut seen = Vec::new();
        for (side, walk) in sides.iter().zip(walks) {
            match walk {
                Ok(found) => {
                    look.see_partly(found.is_crowded, side.party);
                    seen.push(found);
                }
                Err(error) if matches!(side.place, Place::User) => return Err(error),
                // Its agent has ended, or has left something there that cannot be looked at.
                Err(_) => look.see_partly(true, side.party),
            }
        }
        let questions = self.questions(&seen, &mut look)?;
        self.answer(&seen, questions, &mut look)?;
        look.foreseen.sort_by(|a, b| a.conflict.path.cmp(&b.conflict.path));
        Ok(look)
    }

    /// All sides at once.
    fn walks<'a>(&self, sides: &[Side<'a>]) -> Vec<Result<Seen<'a>, GitError>> {
        thread::scope(|scope| {
            let walks: Vec<_> = sides.iter().map(|side| scope.spawn(|| self.walk(side))).collect();
            let seen = walks.into_iter();
            seen.map(|walk| walk.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
        })
    }

    fn index_of<'a>(&'a self, place: &Place<'a>) -> &'a Path {
        match place {
            Place::Tree { index, .. } => index,
            Place::User => &self.index,
        }
    }

    /// Reads those that are not as they were, and forgets those of sides that are gone.
    fn read_indices(&mut self, sides: &[Side<'_>]) {
        let mut known = std::mem::take(&mut self.indices);
        for side in sides {
            let file = self.index_of(&side.place).to_owned();
            let Some(identity) = Identity::of_file(&file) else { continue };
            let entry = match known.remove(&file).filter(|(known, _)| *known == identity) {
                Some(entry) => entry,
                None => {
                    let Some(tracked) = Tracked::read(&file, self.format) else { continue };
                    (identity, Arc::new(tracked))
                }
            };
            self.indices.insert(file, entry);
        }
    }

    fn walk<'a>(&self, side: &Side<'a>) -> Result<Seen<'a>, GitError> {
        let index = self.indices.get(self.index_of(&side.place)).cloned();
        match side.place {
            Place::Tree { src, .. } => match index {
                Some(index) => Seen::of_tree(side, src, index, self.limits.new),
                None => Err(GitError::NoTree(src.to_owned())),
            },
            Place::User => Seen::of_user(side, &self.top, index, &self.limits),
        }
    }

    /// What has to be compared, of all pairs of sides.
    fn questions(&mut self, seen: &[Seen<'_>], look: &mut Look) -> Result<Vec<Question>, GitError> {
        let mut questions = Vec::new();
        for (second, theirs) in seen.iter().enumerate() {
            for (first, ours) in seen.iter().enumerate().take(second) {
                let is_theirs = |base: &&&str| theirs.side.bases.contains(base);
                let Some(&base) = ours.side.bases.iter().find(is_theirs) else { continue };
                let since = [self.between.of(ours, base)?, self.between.of(theirs, base)?];
                let pair = Pair { seen, sides: [first, second], base, since };
                let (found, is_crowded) = pair.questions(&mut self.ignored, self.limits.new)?;
                questions.extend(found);
                for seen in [ours, theirs] {
                    look.see_partly(is_crowded, seen.side.party);
                }
            }
        }
        self.between.forget_unused();
        Ok(questions)
    }

    fn answer(
        &mut self,
        seen: &[Seen<'_>],
        questions: Vec<Question>,
        look: &mut Look,
    ) -> Result<(), GitError> {
        let mut known = std::mem::take(&mut self.outcomes);
        let mut open = Vec::new();
        for question in questions {
            match known.remove(&question.comparison) {
                Some(outcome) => {
                    look.note(&question, &outcome);
                    self.outcomes.insert(question.comparison, outcome);
                }
                None => open.push(question),
            }
        }
        look.left_out += open.len().saturating_sub(self.limits.files);
        open.truncate(self.limits.files);
        let git = || Git::new(&self.top, "cat-file", self.limits.time);
        let outcomes = compare::all(git, seen, &open, &self.limits)?;
        for (question, outcome) in open.into_iter().zip(outcomes) {
            let Some(outcome) = outcome else {
                look.left_out += 1;
                continue;
            };
            look.note(&question, &outcome);
            self.outcomes.insert(question.comparison, outcome);
        }
        Ok(())
    }
}

impl Look {
    fn note(&mut self, question: &Question, outcome: &Outcome) {
        match outcome {
            Outcome::Fits => {}
            Outcome::LeftOut => self.left_out += 1,
            Outcome::Conflict(conflict) => {
                let between = question.comparison.between;
                self.foreseen.push(Foreseen { between, conflict: conflict.clone() });
            }
        }
    }

    fn see_partly(&mut self, is_partly: bool, party: Party) {
        if is_partly && !self.partly_seen.contains(&party) {
            self.partly_seen.push(party);
        }
    }
}
