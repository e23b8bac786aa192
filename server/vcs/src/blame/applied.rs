//! Which lines came in with an apply: those that came into the user's history after it, and stand where the
//! apply has put the same lines.

use super::{
    Apply, LineAuthor, Place, Request,
    porcelain::{Blamed, Row},
    private::{self, Whose},
    same,
};
use crate::{GitError, bare::check_id, collect::blobs};
use std::collections::{BTreeSet, HashMap, HashSet};

/// What was found out about the lines of a file.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// By number, from one; the others are the user's.
    pub(super) authors: HashMap<u32, LineAuthor>,
    /// Whether an apply has brought anything into this file.
    pub(super) is_applied: bool,
}

/// What an apply has brought into the file.
struct Brought<'a> {
    apply: Apply<'a>,
    /// What the file was called then.
    path: String,
    after: Vec<u8>,
    /// The lines of it that were not there before, from one.
    added: BTreeSet<u32>,
}

/// A commit of the user's, or what is not committed, with the file as it is there.
struct Version<'a> {
    /// `None`: not committed.
    id: Option<&'a str>,
    /// Its lines that are still there.
    rows: Vec<&'a Row>,
    /// Read when it is needed.
    content: Option<Vec<u8>>,
}

pub(super) fn find(
    request: &Request<'_>,
    place: &Place,
    blamed: &Blamed,
) -> Result<Found, GitError> {
    let brought = brought(request, place, blamed)?;
    let mut found = Found { is_applied: !brought.is_empty(), ..Found::default() };
    let mut versions: Vec<Version<'_>> = versions(blamed);
    // Of two applies that have brought the same line to the same place, the later one has: the line of the
    // other one had gone in between.
    for brought in brought.iter().rev() {
        let ours = candidates(place, brought, &versions)?;
        read(request, place, blamed, &mut versions, &ours)?;
        let claimed = claimed(brought, ours.iter().map(|&number| &versions[number]), &found);
        if claimed.is_empty() {
            continue;
        }
        let lines: BTreeSet<u32> = claimed.iter().map(|(_, line)| *line).collect();
        let whose = private::whose(place, &brought.apply, &brought.path, &lines)?;
        for (row, line) in claimed {
            let author = match whose.get(&line) {
                Some(Whose::Work(work)) => LineAuthor::Agent {
                    operation: brought.apply.operation,
                    attempt: work.attempt,
                    agent: work.agent.clone(),
                    model: work.model.clone(),
                    commit: work.commit.clone(),
                },
                // The apply has moved the whole file, and git does not know it under this name yet.
                Some(Whose::Commit(person)) if is_uncommitted(blamed, row) => person.clone(),
                Some(Whose::Commit(_) | Whose::Snapshot) => continue,
                Some(Whose::Nobody) | None => LineAuthor::NotKnown,
            };
            found.authors.insert(row.here, author);
        }
    }
    Ok(found)
}

fn is_uncommitted(blamed: &Blamed, row: &Row) -> bool {
    blamed.commits.get(row.commit).is_none_or(|commit| commit.is_none())
}

/// What each apply has brought, where it has touched the file under one of the names that it has had.
fn brought<'a>(
    request: &Request<'a>,
    place: &Place,
    blamed: &Blamed,
) -> Result<Vec<Brought<'a>>, GitError> {
    request.applies.iter().try_for_each(|apply| check_id(apply.after))?;
    let earlier = blamed.commits.iter().filter_map(|commit| str::from_utf8(&commit.path).ok());
    let mut names = vec![request.path];
    for name in earlier.filter(|name| !name.is_empty() && !name.contains('\n')) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let places: Vec<(&Apply<'_>, &str)> = request
        .applies
        .iter()
        .flat_map(|apply| names.iter().map(move |name| (apply, *name)))
        .collect();
    let side = |parent| {
        let names: Vec<String> =
            places.iter().map(|(apply, name)| format!("{}{parent}:{name}", apply.after)).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        blobs::ids(place.git("cat-file"), &names)
    };
    let (after, before) = (side("")?, side("^")?);
    let mut touched: Vec<(&Apply<'_>, &str, String, Option<String>)> = Vec::new();
    for ((&(apply, name), after), before) in places.iter().zip(after).zip(before) {
        let is_new = touched.last().is_none_or(|(last, ..)| last.operation != apply.operation);
        match after {
            Some(after) if before.as_ref() != Some(&after) && is_new => {
                touched.push((apply, name, after, before));
            }
            _ => {}
        }
    }
    let ids: Vec<&str> = touched
        .iter()
        .flat_map(|(_, _, after, before)| [Some(after), before.as_ref()])
        .flatten()
        .map(String::as_str)
        .collect();
    let mut contents: HashMap<&str, Vec<u8>> = HashMap::new();
    blobs::contents(place.git("cat-file"), &ids, request.limits.file, |number, content| {
        contents.insert(ids[number], content.to_owned());
    })?;
    let brought = touched.iter().filter_map(|(apply, name, after, before)| {
        let after = contents.get(after.as_str())?;
        // Without what was there before, all of it is looked at.
        let before =
            before.as_deref().and_then(|id| contents.get(id)).map_or(&[][..], Vec::as_slice);
        let kept: HashSet<u32> =
            same::lines(before, after).into_iter().map(|(_, line)| line).collect();
        let all = same::split(after).zip(1..).map(|(_, line)| line);
        let added = all.filter(|line| !kept.contains(line)).collect();
        let (path, after) = ((*name).to_owned(), after.clone());
        Some(Brought { apply: **apply, path, after, added })
    });
    Ok(brought.collect())
}

fn versions(blamed: &Blamed) -> Vec<Version<'_>> {
    let mut versions: Vec<Version<'_>> = blamed
        .commits
        .iter()
        .map(|commit| Version {
            id: (!commit.is_none()).then_some(commit.id.as_str()),
            rows: Vec::new(),
            content: None,
        })
        .collect();
    for row in &blamed.rows {
        if let Some(version) = versions.get_mut(row.commit) {
            version.rows.push(row);
        }
    }
    versions
}

/// The numbers of the versions in which lines of an apply may have come into the user's history, the oldest
/// first: those after it with such a line.
fn candidates(
    place: &Place,
    brought: &Brought<'_>,
    versions: &[Version<'_>],
) -> Result<Vec<usize>, GitError> {
    let texts: HashSet<&[u8]> = same::split(&brought.after)
        .zip(1..)
        .filter(|(_, line)| brought.added.contains(line))
        .map(|(text, _)| text)
        .collect();
    // Closing brackets and empty lines are everywhere, and to compare a version takes its time.
    let has_words = texts.iter().any(|text| has_word(text));
    let may = |row: &&Row| (!has_words || has_word(&row.text)) && texts.contains(&row.text[..]);
    let numbers: Vec<usize> =
        (0..versions.len()).filter(|&number| versions[number].rows.iter().any(may)).collect();
    let ids: HashMap<&str, usize> =
        numbers.iter().filter_map(|&number| Some((versions[number].id?, number))).collect();
    let mut after = Vec::new();
    if !ids.is_empty() {
        let mut input: String = ids.keys().map(|id| format!("{id}\n")).collect();
        input += &format!("^{}\n", brought.apply.after);
        let git = place.git("rev-list").args(["--topo-order", "--reverse", "--stdin"]);
        let output = git.input(input.into_bytes()).output()?;
        let known = String::from_utf8_lossy(&output);
        after.extend(known.lines().filter_map(|id| ids.get(id)));
    }
    after.extend(numbers.into_iter().filter(|&number| versions[number].id.is_none()));
    Ok(after)
}

fn has_word(text: &[u8]) -> bool {
    text.iter().any(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii())
}

/// Reads the file as these versions have it, where that was not done yet.
fn read(
    request: &Request<'_>,
    place: &Place,
    blamed: &Blamed,
    versions: &mut [Version<'_>],
    numbers: &[usize],
) -> Result<(), GitError> {
    let mut wanted = Vec::new();
    for &number in numbers {
        if versions[number].content.is_some() {
            continue;
        }
        match (versions[number].id, str::from_utf8(&blamed.commits[number].path)) {
            (Some(id), Ok(path)) if !path.contains('\n') => {
                wanted.push((number, format!("{id}:{path}")));
            }
            (Some(_), _) => {}
            (None, _) => versions[number].content = Some(blamed.text()),
        }
    }
    let names: Vec<&str> = wanted.iter().map(|(_, name)| name.as_str()).collect();
    blobs::contents(place.git("cat-file"), &names, request.limits.file, |number, content| {
        versions[wanted[number].0].content = Some(content.to_owned());
    })
}

/// The lines that are where the apply has put them, each with its number there. A line that was put once is
/// one line, and the first version that has it the one in which it came.
fn claimed<'a>(
    brought: &Brought<'_>,
    versions: impl Iterator<Item = &'a Version<'a>>,
    found: &Found,
) -> Vec<(&'a Row, u32)> {
    let mut free = brought.added.clone();
    let mut claimed = Vec::new();
    for version in versions {
        let Some(content) = &version.content else { continue };
        let there: HashMap<u32, u32> = same::lines(content, &brought.after).into_iter().collect();
        for row in version.rows.iter().filter(|row| !found.authors.contains_key(&row.here)) {
            if let Some(&line) = there.get(&row.there).filter(|&line| free.remove(line)) {
                claimed.push((*row, line));
            }
        }
    }
    claimed
}
