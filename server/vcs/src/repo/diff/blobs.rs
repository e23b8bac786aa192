//! The contents of many objects, from two calls of git.

use super::{
    candidates::{Candidate, New},
    said,
};
use crate::git::{ANSWER_LIMIT, Git};
use orchestra_core::ports::RepoError;
use std::{collections::HashMap, path::Path};

/// Where git itself stops to look for the NUL that makes a file binary.
const BINARY_PROBE_BYTES: usize = 8_000;

/// What an object holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Blob {
    Text(Vec<u8>),
    Binary(Vec<u8>),
    TooLarge,
    Missing,
}

impl Blob {
    pub(super) fn of(bytes: Vec<u8>) -> Self {
        let probe = &bytes[..bytes.len().min(BINARY_PROBE_BYTES)];
        if probe.contains(&0) { Self::Binary(bytes) } else { Self::Text(bytes) }
    }
}

/// Contents by object.
pub(super) struct Blobs(HashMap<String, Blob>);

impl Blobs {
    /// Reads both sides of `candidates`, no content larger than `max_bytes`, in calls that answer with
    /// about `together` bytes.
    pub(super) fn read(
        root: &Path,
        candidates: &[Candidate],
        max_bytes: u64,
        together: u64,
    ) -> Result<Self, RepoError> {
        let mut ids: Vec<&str> = candidates
            .iter()
            .flat_map(|candidate| {
                let new = match &candidate.new {
                    New::Entry(entry) => Some(entry),
                    New::Nothing | New::OnDisk => None,
                };
                [candidate.old.as_ref(), new]
            })
            .flatten()
            .filter(|entry| entry.mode != super::GITLINK)
            .map(|entry| entry.id.as_str())
            .collect();
        ids.sort_unstable();
        ids.dedup();
        let mut blobs = Self(HashMap::new());
        let (mut wanted, mut bytes) = (Vec::new(), 0);
        for (id, size) in sizes(root, &ids)? {
            match size {
                None => blobs.insert(id, Blob::Missing),
                Some(size) if size > max_bytes => blobs.insert(id, Blob::TooLarge),
                Some(size) => {
                    wanted.push(id);
                    bytes += size;
                    if bytes > together {
                        blobs.fetch(root, &wanted)?;
                        (wanted, bytes) = (Vec::new(), 0);
                    }
                }
            }
        }
        blobs.fetch(root, &wanted)?;
        Ok(blobs)
    }

    pub(super) fn get(&self, id: &str) -> Blob {
        self.0.get(id).cloned().unwrap_or(Blob::Missing)
    }

    fn insert(&mut self, id: &str, blob: Blob) {
        self.0.insert(id.to_owned(), blob);
    }

    fn fetch(&mut self, root: &Path, ids: &[&str]) -> Result<(), RepoError> {
        let answer = ask(root, "--batch", ids)?;
        let mut rest = answer.as_slice();
        for id in ids {
            let Some((_, size, after)) = header(rest) else { break };
            let Some(size) = size.and_then(|size| usize::try_from(size).ok()) else {
                self.insert(id, Blob::Missing);
                rest = after;
                continue;
            };
            let Some(content) = after.get(..size) else { break };
            self.insert(id, Blob::of(content.to_owned()));
            // A line feed ends the content.
            rest = after.get(size + 1..).unwrap_or_default();
        }
        Ok(())
    }
}

/// The size of each object; `None` for one that is not there.
fn sizes<'i>(root: &Path, ids: &[&'i str]) -> Result<Vec<(&'i str, Option<u64>)>, RepoError> {
    let answer = ask(root, "--batch-check", ids)?;
    let mut rest = answer.as_slice();
    let mut sizes = Vec::with_capacity(ids.len());
    for &id in ids {
        let Some((_, size, after)) = header(rest) else { break };
        sizes.push((id, size));
        rest = after;
    }
    Ok(sizes)
}

fn ask(root: &Path, how: &str, ids: &[&str]) -> Result<Vec<u8>, RepoError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let question = ids.iter().flat_map(|id| [id.as_bytes(), b"\n"]).flatten().copied().collect();
    let git = Git::new(root, "cat-file", ANSWER_LIMIT).args([how]).input(question);
    git.output().map_err(|error| said(&error))
}

/// `id SP type SP size LF`, or `id SP missing LF`: the id, the size, and what follows.
fn header(answer: &[u8]) -> Option<(&[u8], Option<u64>, &[u8])> {
    let end = answer.iter().position(|byte| *byte == b'\n')?;
    let mut words = answer[..end].split(|byte| *byte == b' ');
    let id = words.next()?;
    let size = words.nth(1).and_then(|size| std::str::from_utf8(size).ok()?.parse().ok());
    Some((id, size, &answer[end + 1..]))
}
