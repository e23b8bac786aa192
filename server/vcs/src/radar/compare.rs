//! Whether what two sides have at a path fits together.

use super::{Limits, between::Own, seen::Seen};
use crate::{
    GitError,
    collect::{blobs, difference::Side as Entry},
    git::Git,
    repo::diff::lines,
    three_way,
    working::{self, File, Identity, LINK},
};
use git2::MergeFileInput;
use orchestra_core::merge::{Conflict, ConflictKind, Party, Side};
use std::{
    collections::{HashMap, HashSet},
    path::Path,
};

/// A comparison whose outcome stays the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Comparison {
    pub(super) between: [Party; 2],
    pub(super) path: Vec<u8>,
    /// The commit that both come from.
    pub(super) base: String,
    pub(super) versions: [Version; 2],
}

/// What a side has at a path.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Version {
    /// What lies on the disk, by what it is known again; `None`: nothing.
    Disk(Option<Identity>),
    /// What the side was given.
    Own(Own),
}

/// A comparison that is to be made.
#[derive(Debug)]
pub(super) struct Question {
    /// The numbers of the sides.
    pub(super) sides: [usize; 2],
    pub(super) comparison: Comparison,
    /// What both sides had.
    pub(super) base: Option<Entry>,
    /// What each was given.
    pub(super) own: [Option<Entry>; 2],
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    Fits,
    Conflict(Conflict),
    /// More bytes than are compared, or nothing that can be read.
    LeftOut,
}

/// What is at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Nothing,
    Folder,
    /// By its commit.
    Submodule(String),
    File {
        mode: u32,
        bytes: Vec<u8>,
    },
}

impl Question {
    /// The objects that are needed, which are files or links.
    fn objects(&self) -> impl Iterator<Item = &str> {
        let own = self.own.iter().zip(&self.comparison.versions);
        let own = own.filter(|(_, version)| matches!(version, Version::Own(_)));
        let entries = own.map(|(entry, _)| entry).chain([&self.base]).flatten();
        entries.filter(|entry| !entry.is_submodule()).map(|entry| entry.id.as_str())
    }

    /// The bytes of what is read from the disk.
    fn on_disk(&self) -> impl Iterator<Item = u64> {
        self.comparison.versions.iter().filter_map(|version| match version {
            Version::Disk(identity) => identity.as_ref().map(Identity::size),
            Version::Own(_) => None,
        })
    }
}

/// What becomes of each; `None` where there was no room for it. `git` makes a call of `cat-file`.
pub(super) fn all(
    git: impl Fn() -> Git,
    seen: &[Seen<'_>],
    questions: &[Question],
    limits: &Limits,
) -> Result<Vec<Option<Outcome>>, GitError> {
    let ids: HashSet<&str> = questions.iter().flat_map(Question::objects).collect();
    let ids: Vec<&str> = ids.into_iter().collect();
    let sizes: HashMap<&str, Option<u64>> =
        ids.iter().copied().zip(blobs::sizes(git(), &ids)?).collect();
    let mut room = limits.total;
    let mut fits = |question: &Question| {
        let objects = question.objects().map(|id| sizes.get(id).copied().flatten().unwrap_or(0));
        let bytes: u64 =
            objects.chain(question.on_disk()).filter(|&size| size <= limits.file).sum();
        let fits = bytes <= room;
        room = room.saturating_sub(bytes);
        fits
    };
    let fits: Vec<bool> = questions.iter().map(&mut fits).collect();
    let chosen = || questions.iter().zip(&fits).filter(|(_, fits)| **fits);
    let wanted: HashSet<&str> = chosen().flat_map(|(question, _)| question.objects()).collect();
    let wanted: Vec<&str> = wanted.into_iter().collect();
    let mut contents: HashMap<&str, Vec<u8>> = HashMap::new();
    blobs::contents(git(), &wanted, limits.file, |number, content| {
        contents.insert(wanted[number], content.to_owned());
    })?;
    let outcome = |(question, fits): (&Question, &bool)| {
        fits.then(|| one(question, seen, &contents, limits.file).unwrap_or(Outcome::LeftOut))
    };
    Ok(questions.iter().zip(&fits).map(outcome).collect())
}

/// `None` when something of it cannot be read, or is too large.
fn one(
    question: &Question,
    seen: &[Seen<'_>],
    contents: &HashMap<&str, Vec<u8>>,
    limit: u64,
) -> Option<Outcome> {
    let path = &question.comparison.path;
    let base = of_entry(question.base.as_ref(), contents)?;
    let mut states = Vec::with_capacity(2);
    for (side, version) in question.comparison.versions.iter().enumerate() {
        let own = question.own[side].as_ref();
        states.push(match version {
            Version::Own(_) => of_entry(own, contents)?,
            Version::Disk(_) => on_disk(&seen.get(question.sides[side])?.top, path, own, limit)?,
        });
    }
    let [ours, theirs] = states.try_into().ok()?;
    let ours = with_breaks_of([&base, &theirs], ours);
    let theirs = with_breaks_of([&base, &ours], theirs);
    Some(decide(&String::from_utf8_lossy(path), &base, &ours, &theirs))
}

fn of_entry(entry: Option<&Entry>, contents: &HashMap<&str, Vec<u8>>) -> Option<State> {
    let Some(entry) = entry else { return Some(State::Nothing) };
    if entry.is_submodule() {
        return Some(State::Submodule(entry.id.clone()));
    }
    let mode = u32::from_str_radix(&entry.mode, 8).ok()?;
    Some(State::File { mode, bytes: contents.get(entry.id.as_str())?.clone() })
}

fn on_disk(top: &Path, path: &[u8], own: Option<&Entry>, limit: u64) -> Option<State> {
    Some(match working::read(top, path, limit) {
        File::Nothing => State::Nothing,
        File::Folder => match own.filter(|own| own.is_submodule()) {
            Some(own) => State::Submodule(own.id.clone()),
            None => State::Folder,
        },
        File::Content { mode, bytes } => State::File { mode, bytes },
        File::TooLarge { .. } | File::Unreadable => return None,
    })
}

/// A file with the line breaks of what it is compared with, where all of its own are those of a checkout.
fn with_breaks_of(like: [&State; 2], state: State) -> State {
    let State::File { mode, bytes } = state else { return state };
    let like = like.into_iter().find_map(|state| match state {
        State::File { bytes, .. } => Some(bytes),
        _ => None,
    });
    let bytes = match like {
        Some(like) => lines::with_breaks_of(like, bytes),
        None => bytes,
    };
    State::File { mode, bytes }
}

fn decide(path: &str, base: &State, ours: &State, theirs: &State) -> Outcome {
    use State::{File, Folder, Nothing, Submodule};
    if ours == theirs || ours == base || theirs == base {
        return Outcome::Fits;
    }
    let kind = match (ours, theirs) {
        (Folder | Nothing, Folder | Nothing) => return Outcome::Fits,
        (Folder, _) | (_, Folder) => ConflictKind::FileAndFolder,
        (Nothing, _) | (_, Nothing) => ConflictKind::ChangedAndDeleted,
        (Submodule(_), Submodule(_)) => ConflictKind::Submodule,
        (Submodule(_), _) | (_, Submodule(_)) => ConflictKind::Mode,
        (File { mode: our_mode, bytes: ours }, File { mode: their_mode, bytes: theirs }) => {
            match of_files(base, (*our_mode, ours), (*their_mode, theirs)) {
                Ok(Some(kind)) => kind,
                Ok(None) => return Outcome::Fits,
                Err(_) => return Outcome::LeftOut,
            }
        }
    };
    let has_lines = [base, ours, theirs].into_iter().all(State::has_lines);
    let sides = has_lines.then(|| three_way::sides(base.text(), ours.text(), theirs.text()));
    let [ours, theirs] = match sides {
        Some(Ok(sides)) => sides,
        Some(Err(_)) | None => [ours.by_itself(), theirs.by_itself()],
    };
    Outcome::Conflict(Conflict { path: path.to_owned(), kind, ours, theirs })
}

/// Why two files do not fit together, each with its mode and its content. As for git, the content of the one
/// and the mode of the other do.
fn of_files(
    base: &State,
    (our_mode, ours): (u32, &[u8]),
    (their_mode, theirs): (u32, &[u8]),
) -> Result<Option<ConflictKind>, git2::Error> {
    let is_link = our_mode == LINK;
    if is_link != (their_mode == LINK) {
        return Ok(Some(ConflictKind::Mode));
    }
    Ok(match base {
        State::File { mode, bytes } if (*mode == LINK) == is_link => {
            let is_text = || [bytes, ours, theirs].into_iter().all(blobs::is_text);
            if ours == theirs || ours == bytes || theirs == bytes {
                None
            } else if is_link || !is_text() {
                Some(ConflictKind::NotText)
            } else {
                (!merges(bytes, ours, theirs)?).then_some(ConflictKind::Lines)
            }
        }
        _ if ours == theirs => Some(ConflictKind::Mode),
        _ => Some(ConflictKind::BothAdded),
    })
}

fn merges(base: &[u8], ours: &[u8], theirs: &[u8]) -> Result<bool, git2::Error> {
    // Almost every call makes libgit2 ready to work, but a merge of files does not.
    let _ = git2::Oid::from_bytes(&[]);
    let [base, ours, theirs] = [base, ours, theirs].map(|text| {
        let mut input = MergeFileInput::new();
        input.content(text);
        input
    });
    Ok(git2::merge_file(&base, &ours, &theirs, None)?.is_automergeable())
}

impl State {
    fn text(&self) -> Option<&[u8]> {
        match self {
            Self::File { mode, bytes } if *mode != LINK && blobs::is_text(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// Whether it is text, or nothing that could be compared with it.
    fn has_lines(&self) -> bool {
        matches!(self, Self::Nothing | Self::Folder) || self.text().is_some()
    }

    /// What can be said of it without a comparison.
    fn by_itself(&self) -> Side {
        let excerpt = match self {
            Self::Submodule(commit) => Some(commit.clone()),
            Self::File { mode, bytes } if *mode == LINK => Some(three_way::cut(bytes)),
            _ => None,
        };
        Side { lines: Vec::new(), excerpt }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> State {
        State::File { mode: 0o100_644, bytes: text.into() }
    }

    fn with_mode(mode: u32, text: &str) -> State {
        State::File { mode, bytes: text.into() }
    }

    fn kind(base: &State, ours: &State, theirs: &State) -> Option<ConflictKind> {
        let outcome = decide("path", base, ours, theirs);
        let turned = decide("path", base, theirs, ours);
        let kind = |outcome| match outcome {
            Outcome::Conflict(conflict) => Some(conflict.kind),
            Outcome::Fits => None,
            Outcome::LeftOut => panic!(),
        };
        let found = kind(outcome);
        assert_eq!(kind(turned), found, "the order of the sides does not matter");
        found
    }

    #[test]
    fn what_git_would_merge_fits() {
        use State::{Folder, Nothing};
        let base = file("1\n2\n3\n4\n5\n");
        for (base, ours, theirs) in [
            (&base, &file("one\n2\n3\n4\n5\n"), &file("1\n2\n3\n4\nfive\n")),
            (&base, &file("same\n"), &file("same\n")),
            (&base, &base, &Nothing),
            (&base, &Nothing, &Nothing),
            (&base, &with_mode(0o100_755, "1\n2\n3\n4\n5\n"), &file("other\n")),
            (&base, &Nothing, &Folder),
            (&Nothing, &Folder, &Folder),
            (&Nothing, &file("same\n"), &file("same\n")),
            (&Nothing, &file("new\n"), &Nothing),
        ] {
            assert_eq!(kind(base, ours, theirs), None, "{base:?} {ours:?} {theirs:?}");
        }
    }

    #[test]
    fn what_does_not_fit_has_its_reason() {
        use State::{Folder, Nothing, Submodule};
        let base = file("1\n2\n3\n");
        let submodule = |commit: &str| Submodule(commit.to_owned());
        for (base, ours, theirs, expected) in [
            (&base, &file("1\na\n3\n"), &file("1\nb\n3\n"), ConflictKind::Lines),
            (&base, &file("a\0"), &file("b\0"), ConflictKind::NotText),
            (&base, &file("a\n"), &file("b\0"), ConflictKind::NotText),
            (&base, &file("a\n"), &Nothing, ConflictKind::ChangedAndDeleted),
            (&base, &file("a\n"), &Folder, ConflictKind::FileAndFolder),
            (&base, &file("a\n"), &with_mode(LINK, "a"), ConflictKind::Mode),
            (&Nothing, &file("a\n"), &file("b\n"), ConflictKind::BothAdded),
            (&Nothing, &file("a\n"), &with_mode(0o100_755, "a\n"), ConflictKind::Mode),
            (&Nothing, &file("a\n"), &Folder, ConflictKind::FileAndFolder),
            (
                &with_mode(LINK, "a"),
                &with_mode(LINK, "b"),
                &with_mode(LINK, "c"),
                ConflictKind::NotText,
            ),
            (&with_mode(LINK, "a"), &file("b\n"), &file("c\n"), ConflictKind::BothAdded),
            (&submodule("1"), &submodule("2"), &submodule("3"), ConflictKind::Submodule),
            (&submodule("1"), &submodule("2"), &file("a\n"), ConflictKind::Mode),
        ] {
            assert_eq!(kind(base, ours, theirs), Some(expected), "{base:?} {ours:?} {theirs:?}");
        }
    }
}
