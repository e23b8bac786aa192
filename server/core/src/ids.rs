//! The ids of workspaces, runs, tasks and attempts: how they are written, and how they are read back.
//!
//! People write `r12.3@2`; folders and refs use `r12.3-2`, because `@` has a meaning in git. Both
//! are read everywhere, so an id can be pasted from wherever it was seen.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{fmt, str::FromStr};

/// How deep child tasks may nest below a run: `r1.1.1.1.1` has four levels.
pub const MAX_TASK_DEPTH: usize = 4;

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {expected}")]
pub struct IdError {
    text: String,
    expected: &'static str,
}

impl IdError {
    fn new(text: &str, expected: &'static str) -> Self {
        // A pasted document must not become a document-sized error.
        let text = text.chars().take(80).collect();
        Self { text, expected }
    }
}

/// The id of a workspace: eight lowercase base32 characters of the hash of its canonical root.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkspaceId(String);

impl WorkspaceId {
    const EXPECTED: &'static str = "a workspace id (eight characters of a-z and 2-7)";

    /// The id of the workspace at `root`, which must be canonical.
    pub fn of_root(root: &std::path::Path) -> Self {
        Self(crate::folders::short_hash(root))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for WorkspaceId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let valid = text.len() == 8 && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'2'..=b'7'));
        if valid { Ok(Self(text.to_owned())) } else { Err(IdError::new(text, Self::EXPECTED)) }
    }
}

impl fmt::Display for WorkspaceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The id of a run, `r12`. Runs count from `r1` in each workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(u32);

impl RunId {
    const EXPECTED: &'static str = "a run id such as r12";

    /// `None` for zero: runs count from one.
    pub fn new(number: u32) -> Option<Self> {
        (number > 0).then_some(Self(number))
    }

    pub fn number(self) -> u32 {
        self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "r{}", self.0)
    }
}

impl FromStr for RunId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        text.strip_prefix('r')
            .and_then(number)
            .and_then(Self::new)
            .ok_or_else(|| IdError::new(text, Self::EXPECTED))
    }
}

/// The id of a task, `r12.3`, or of a child task, `r12.3.1`.
///
/// `Copy` and without allocation, because the scheduler's indices hold tens of thousands of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId {
    run: RunId,
    /// One number per level, counted from one; zero ends the path.
    path: [u32; MAX_TASK_DEPTH],
}

impl TaskId {
    const EXPECTED: &'static str = "a task id such as r12.3";

    /// The `number`-th task of `run`, counted from one. `None` for zero.
    pub fn new(run: RunId, number: u32) -> Option<Self> {
        (number > 0).then_some(Self { run, path: [number, 0, 0, 0] })
    }

    /// The `number`-th child task. `None` for zero, or below [`MAX_TASK_DEPTH`].
    pub fn child(self, number: u32) -> Option<Self> {
        let depth = self.path.iter().position(|&level| level == 0)?;
        let mut path = self.path;
        path[depth] = number;
        (number > 0).then_some(Self { run: self.run, path })
    }

    pub fn run(self) -> RunId {
        self.run
    }

    /// The numbers below the run, outermost first; never empty.
    pub fn path(&self) -> &[u32] {
        let depth = self.path.iter().position(|&level| level == 0).unwrap_or(MAX_TASK_DEPTH);
        &self.path[..depth]
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.run.fmt(f)?;
        self.path().iter().try_for_each(|level| write!(f, ".{level}"))
    }
}

impl FromStr for TaskId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let parse = || {
            let (run, rest) = text.split_once('.')?;
            let mut levels = rest.split('.');
            let mut id = Self::new(run.parse().ok()?, number(levels.next()?)?)?;
            for level in levels {
                id = id.child(number(level)?)?;
            }
            Some(id)
        };
        parse().ok_or_else(|| IdError::new(text, Self::EXPECTED))
    }
}

/// The id of one try of a task. People see `r12.3@2`; see [`AttemptId::file_name`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttemptId {
    task: TaskId,
    number: u32,
}

impl AttemptId {
    const EXPECTED: &'static str = "an attempt id such as r12.3@2";

    /// The `number`-th attempt, counted from one. `None` for zero.
    pub fn new(task: TaskId, number: u32) -> Option<Self> {
        (number > 0).then_some(Self { task, number })
    }

    pub fn task(self) -> TaskId {
        self.task
    }

    pub fn run(self) -> RunId {
        self.task.run
    }

    pub fn number(self) -> u32 {
        self.number
    }

    /// The form for folders and refs, `r12.3-2`.
    pub fn file_name(self) -> String {
        format!("{}-{}", self.task, self.number)
    }

    /// The attempt for which somebody holds a tree as `r12.3-2`, or as `r12.3-2.after` for what runs
    /// beside its agent.
    pub fn of_holder(holder: &str) -> Option<Self> {
        let whole = holder.parse::<Self>();
        let beside = || holder.rsplit_once('.').and_then(|(attempt, _)| attempt.parse().ok());
        whole.ok().or_else(beside)
    }
}

impl fmt::Display for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.task, self.number)
    }
}

impl FromStr for AttemptId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let parse = || {
            let (task, attempt) = text.split_once(['@', '-'])?;
            Self::new(task.parse().ok()?, number(attempt)?)
        };
        parse().ok_or_else(|| IdError::new(text, Self::EXPECTED))
    }
}

/// The id of a decision, `r12/d1`. Decisions count from one in each run.
///
/// The slash keeps it apart from the ids of tasks; it is never a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DecisionId {
    run: RunId,
    number: u32,
}

impl DecisionId {
    const EXPECTED: &'static str = "a decision id such as r12/d1";
    /// Sorts before every other one.
    pub(crate) const FIRST: Self = Self { run: RunId(1), number: 1 };

    /// The `number`-th decision of `run`, counted from one. `None` for zero.
    pub fn new(run: RunId, number: u32) -> Option<Self> {
        (number > 0).then_some(Self { run, number })
    }

    pub fn run(self) -> RunId {
        self.run
    }

    pub fn number(self) -> u32 {
        self.number
    }
}

impl fmt::Display for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/d{}", self.run, self.number)
    }
}

impl FromStr for DecisionId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let parse = || {
            let (run, decision) = text.split_once("/d")?;
            Self::new(run.parse().ok()?, number(decision)?)
        };
        parse().ok_or_else(|| IdError::new(text, Self::EXPECTED))
    }
}

/// The id of an operation on the user's files, `r12/o1`. Operations count from one in each run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationId {
    run: RunId,
    number: u32,
}

impl OperationId {
    const EXPECTED: &'static str = "an operation id such as r12/o1";

    /// The `number`-th operation of `run`, counted from one. `None` for zero.
    pub fn new(run: RunId, number: u32) -> Option<Self> {
        (number > 0).then_some(Self { run, number })
    }

    pub fn run(self) -> RunId {
        self.run
    }

    pub fn number(self) -> u32 {
        self.number
    }

    /// As in references and folders: `r12-o1`.
    pub fn file_name(self) -> String {
        format!("{}-o{}", self.run, self.number)
    }
}

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/o{}", self.run, self.number)
    }
}

impl FromStr for OperationId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let parse = || {
            let (run, operation) = text.split_once("/o")?;
            Self::new(run.parse().ok()?, number(operation)?)
        };
        parse().ok_or_else(|| IdError::new(text, Self::EXPECTED))
    }
}

/// The id of a hunk of a review: ten lowercase hex digits of the hash of what it changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HunkId(u64);

impl HunkId {
    const EXPECTED: &'static str = "a hunk id (ten digits of 0-9 and a-f)";
    const DIGITS: usize = 10;

    /// Of the first 40 bits of a hash.
    pub fn of_hash(hash: [u8; 5]) -> Self {
        Self(hash.iter().fold(0, |id, byte| id << 8 | u64::from(*byte)))
    }
}

impl fmt::Display for HunkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:010x}", self.0)
    }
}

impl FromStr for HunkId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let is_digit = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
        let id = u64::from_str_radix(text, 16).ok();
        id.filter(|_| text.len() == Self::DIGITS && text.bytes().all(is_digit))
            .map(Self)
            .ok_or_else(|| IdError::new(text, Self::EXPECTED))
    }
}

/// The id of a step in a workflow file: it names files and template variables, so it is a plain word.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepId(String);

impl StepId {
    const EXPECTED: &'static str =
        "a step id (a letter, then letters, digits, `_` or `-`; 64 characters at most)";

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for StepId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        if is_plain_word(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(IdError::new(text, Self::EXPECTED))
        }
    }
}

/// Whether `text` can name a step, an agent or a workflow: it can never leave a folder.
pub fn is_plain_word(text: &str) -> bool {
    text.len() <= 64
        && text.bytes().next().is_some_and(|b| b.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}

/// A decimal number without sign or leading zero, so that every id has exactly one spelling.
fn number(text: &str) -> Option<u32> {
    let plain = !text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

macro_rules! serde_as_text {
    ($($id:ty),*) => {$(
        impl Serialize for $id {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $id {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
                text.parse().map_err(D::Error::custom)
            }
        }
    )*};
}

serde_as_text!(WorkspaceId, RunId, TaskId, AttemptId, DecisionId, OperationId, HunkId, StepId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_back_as_they_are_written() {
        for text in ["r1.1", "r12.3.1", "r4294967295.1.2.3.4"] {
            assert_eq!(text.parse::<TaskId>().map(|id| id.to_string()), Ok(text.to_owned()));
        }
        let attempt: AttemptId = "r12.3@2".parse().unwrap();
        assert_eq!(attempt.to_string(), "r12.3@2");
        assert_eq!(attempt.file_name(), "r12.3-2");
        assert_eq!(attempt.file_name().parse(), Ok(attempt));
        assert_eq!(serde_json::to_string(&attempt).unwrap(), "\"r12.3@2\"");
        let decision: DecisionId = "r12/d3".parse().unwrap();
        assert_eq!(decision.to_string(), "r12/d3");
        let operation: OperationId = "r12/o3".parse().unwrap();
        assert_eq!(
            (operation.to_string(), operation.file_name()),
            ("r12/o3".into(), "r12-o3".into())
        );
        let hunk = HunkId::of_hash([0, 0xa1, 2, 3, 0xff]);
        assert_eq!(hunk.to_string(), "00a10203ff");
        assert_eq!(hunk.to_string().parse(), Ok(hunk));
    }

    #[test]
    fn what_could_leave_a_folder_is_no_id() {
        for text in
            ["", "r0", "r01", "r+1", "r1/..", "../x", "r1.", "r1.0", "r1.1.1.1.1.1", "r99999999999"]
        {
            assert!(text.parse::<TaskId>().is_err(), "{text}");
            assert!(text.parse::<RunId>().is_err(), "{text}");
            assert!(format!("{text}@1").parse::<AttemptId>().is_err(), "{text}");
        }
        for text in ["r1/d0", "r1/d01", "r1/../d1", "r1/d1/", "r1/d", "r0/d1", "r1/d1/d2", "d1"] {
            assert!(text.parse::<DecisionId>().is_err(), "{text}");
            assert!(text.replace('d', "o").parse::<OperationId>().is_err(), "{text}");
        }
        for text in ["", "00a10203f", "00a10203fff", "00A10203ff", "+0a10203ff"] {
            assert!(text.parse::<HunkId>().is_err(), "{text}");
        }
        for text in ["", "../x", "a/b", "a.b", "-a", "1a", "a b", "ä"] {
            assert!(text.parse::<StepId>().is_err(), "{text}");
        }
    }

    #[test]
    fn tasks_sort_by_number_and_parents_before_children() {
        let mut ids: Vec<TaskId> =
            ["r2.1", "r1.10", "r1.9.1", "r1.9"].iter().map(|id| id.parse().unwrap()).collect();
        ids.sort();
        let texts: Vec<String> = ids.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["r1.9", "r1.9.1", "r1.10", "r2.1"]);
    }
}
