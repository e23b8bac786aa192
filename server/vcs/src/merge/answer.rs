//! What `git merge-tree` says: the merged tree, and the places where it could not decide.

use crate::{GitError, bare::Bare, collect::difference::Side};
use orchestra_core::merge::ConflictKind;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The merge of two commits.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// Its id; with conflict markers where there are places.
    pub(super) tree: String,
    /// Sorted by path.
    pub(super) places: Vec<Place>,
}

/// Paths that conflict together.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The one that it is called by.
    pub(super) path: Vec<u8>,
    /// As far as git says; nobody has looked into the files.
    pub(super) kind: ConflictKind,
    /// All of them.
    pub(super) paths: BTreeSet<Vec<u8>>,
    /// What base, ours and theirs have, of the first of the paths that has it.
    pub(super) stages: [Option<Side>; 3],
}

/// Something that git says about some paths.
#[derive(Debug)]
struct Message {
    paths: Vec<Vec<u8>>,
    /// Its type, such as `CONFLICT (contents)`.
    about: String,
}

/// Types of messages of which none makes a conflict.
const REMARKS: [&str; 4] = [
    "Auto-merging",
    "Path updated due to directory rename",
    "Directory rename skipped since directory was renamed on both sides",
    "Fast forwarding submodule",
];

/// Merges two commits that git is to call by these names.
pub(super) fn ask(bare: &Bare, labels: &[String; 2], sides: [&str; 2]) -> Result<Answer, GitError> {
    let named: Vec<(&str, &str)> =
        labels.iter().map(String::as_str).zip(sides).filter(|(label, id)| label != id).collect();
    bare.call(&named)?;
    let git = bare.git("merge-tree").args(["--write-tree", "-z"]);
    let answer = git.args(labels).answer()?;
    let what = || "git merge-tree".to_owned();
    let odd = |detail: &str| GitError::Failed {
        what: what(),
        place: bare.root().to_owned(),
        detail: detail.to_owned(),
    };
    match answer.status.code() {
        Some(0) => {
            let (tree, _) = next(&answer.stdout).ok_or_else(|| odd("it named no tree"))?;
            Ok(Answer { tree: text(tree), places: Vec::new() })
        }
        Some(1) => {
            let found = read(&answer.stdout);
            found.ok_or_else(|| odd("its list of conflicts was not understood"))
        }
        _ => Err(answer.refusal(what(), bare.root().to_owned())),
    }
}

/// `None` when it is not what git says of conflicts.
fn read(output: &[u8]) -> Option<Answer> {
    let (tree, mut rest) = next(output)?;
    let mut stages: BTreeMap<Vec<u8>, [Option<Side>; 3]> = BTreeMap::new();
    loop {
        let (record, after) = next(rest)?;
        rest = after;
        if record.is_empty() {
            break;
        }
        let (path, number, side) = stage(record)?;
        *stages.entry(path).or_default().get_mut(number)? = Some(side);
    }
    let mut messages = Vec::new();
    while !rest.is_empty() {
        let (count, mut after) = next(rest)?;
        let mut paths = Vec::new();
        for _ in 0..text(count).parse::<usize>().ok()? {
            let (path, following) = next(after)?;
            paths.push(path.to_owned());
            after = following;
        }
        let (about, after) = next(after)?;
        let (_for_people, after) = next(after)?;
        rest = after;
        let about = text(about);
        if !REMARKS.contains(&about.as_str()) {
            messages.push(Message { paths, about });
        }
    }
    let places = places(stages, messages);
    (!places.is_empty()).then(|| Answer { tree: text(tree), places })
}

/// `<mode> <id> <stage>\t<path>`
fn stage(record: &[u8]) -> Option<(Vec<u8>, usize, Side)> {
    let tab = record.iter().position(|&byte| byte == b'\t')?;
    let head = text(&record[..tab]);
    let mut words = head.split(' ');
    let (mode, id, number) = (words.next()?, words.next()?, words.next()?);
    let number = number.parse::<usize>().ok()?.checked_sub(1)?;
    Some((record[tab + 1..].to_owned(), number, Side { mode: mode.to_owned(), id: id.to_owned() }))
}

/// Up to the next NUL, and what follows it.
fn next(output: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = output.iter().position(|&byte| byte == 0)?;
    Some((&output[..end], &output[end + 1..]))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Joins the paths of which some message speaks together.
fn places(stages: BTreeMap<Vec<u8>, [Option<Side>; 3]>, messages: Vec<Message>) -> Vec<Place> {
    let mut numbers: HashMap<&[u8], usize> = HashMap::new();
    let paths = messages.iter().flat_map(|message| &message.paths).chain(stages.keys());
    for path in paths {
        let next = numbers.len();
        numbers.entry(path).or_insert(next);
    }
    let mut heads: Vec<usize> = (0..numbers.len()).collect();
    for message in &messages {
        for pair in message.paths.windows(2) {
            let (one, other) = (head(&heads, numbers[&*pair[0]]), head(&heads, numbers[&*pair[1]]));
            heads[one.max(other)] = one.min(other);
        }
    }
    let mut groups: BTreeMap<usize, (BTreeSet<Vec<u8>>, Vec<&Message>)> = BTreeMap::new();
    for (path, number) in &numbers {
        groups.entry(head(&heads, *number)).or_default().0.insert((*path).to_owned());
    }
    for message in &messages {
        let number = message.paths.first().map(|path| head(&heads, numbers[path.as_slice()]));
        groups.entry(number.unwrap_or(usize::MAX)).or_default().1.push(message);
    }
    let mut places: Vec<Place> =
        groups.into_values().map(|(paths, messages)| place(paths, &messages, &stages)).collect();
    places.sort_by(|a, b| a.path.cmp(&b.path));
    places
}

fn head(heads: &[usize], mut number: usize) -> usize {
    while heads[number] != number {
        number = heads[number];
    }
    number
}

fn place(
    paths: BTreeSet<Vec<u8>>,
    messages: &[&Message],
    known: &BTreeMap<Vec<u8>, [Option<Side>; 3]>,
) -> Place {
    // The gravest of them says what kind it is.
    let gravest = messages.iter().map(|message| (kind(&message.about), *message));
    let gravest = gravest.min_by_key(|(kind, _)| gravity(*kind));
    let mut kind = gravest.map_or(ConflictKind::Other, |(kind, _)| kind);
    let told = gravest.map(|(_, message)| message.paths.as_slice()).unwrap_or_default();
    let path = match kind {
        // The first is where git has put the file that was in the way.
        ConflictKind::FileAndFolder => told.last(),
        _ => told.first(),
    };
    let path = path.or_else(|| paths.first()).cloned().unwrap_or_default();
    let mut stages: [Option<Side>; 3] = Default::default();
    for path in [&path].into_iter().chain(&paths) {
        for (stage, found) in stages.iter_mut().zip(known.get(path).into_iter().flatten()) {
            *stage = stage.take().or_else(|| found.clone());
        }
    }
    if kind == ConflictKind::Lines {
        kind = match &stages {
            [_, Some(ours), Some(theirs)] if ours.id == theirs.id => ConflictKind::Mode,
            [None, Some(_), Some(_)] => ConflictKind::BothAdded,
            _ => kind,
        };
    }
    Place { path, kind, paths, stages }
}

/// By the names that git gives to types of messages in `merge-ort.c`; they are the same in every language.
fn kind(about: &str) -> ConflictKind {
    let Some(about) = about.strip_prefix("CONFLICT") else { return ConflictKind::Other };
    match about.trim_start() {
        "(contents)" => ConflictKind::Lines,
        "(binary)" => ConflictKind::NotText,
        "(file/directory)" => ConflictKind::FileAndFolder,
        "(distinct modes)" => ConflictKind::Mode,
        "(modify/delete)" => ConflictKind::ChangedAndDeleted,
        about if about.starts_with("(submodule") => ConflictKind::Submodule,
        about if about.contains("rename") => ConflictKind::Renamed,
        _ => ConflictKind::Other,
    }
}

/// The smaller, the graver.
fn gravity(kind: ConflictKind) -> u8 {
    match kind {
        ConflictKind::Renamed => 0,
        ConflictKind::FileAndFolder => 1,
        ConflictKind::Mode => 2,
        ConflictKind::Submodule => 3,
        ConflictKind::Other | ConflictKind::Unmerged => 4,
        ConflictKind::ChangedAndDeleted => 5,
        ConflictKind::NotText => 6,
        ConflictKind::BothAdded | ConflictKind::Lines => 7,
    }
}
