//! Files that look as if they held a secret do not become part of a result, and what a person allows all the
//! same.

use super::{Request, blobs, difference::Difference, quarantine::Quarantine};
use crate::{GitError, update_index::Entry};
use orchestra_core::change::{Held, HeldReason};
use std::{borrow::Cow, collections::HashSet};

/// What a person has allowed of some files: each only for what it was held back for.
pub(super) struct Allowed<'a> {
    included: &'a [Held],
    /// What more than one of the files is shown as.
    ambiguous: HashSet<String>,
}

impl<'a> Allowed<'a> {
    /// `paths` are those of all the files.
    pub(super) fn among<'p>(request: &Request<'a>, paths: impl Iterator<Item = &'p [u8]>) -> Self {
        let mut seen = HashSet::new();
        let ambiguous = paths
            .map(String::from_utf8_lossy)
            // Others are shown as what they are.
            .filter(|shown| shown.contains(char::REPLACEMENT_CHARACTER))
            .filter(|shown| !seen.insert(shown.to_string()))
            .map(Cow::into_owned)
            .collect();
        Self { included: request.included, ambiguous }
    }

    /// Whether a file may be in the result however large it is.
    pub(super) fn is_large(&self, path: &str) -> bool {
        self.has(path, |reason| !matches!(reason, HeldReason::SuspectedSecret { .. }))
    }

    /// Whether it may be whatever it looks like.
    fn is_secret(&self, path: &str) -> bool {
        self.has(path, |reason| matches!(reason, HeldReason::SuspectedSecret { .. }))
    }

    fn has(&self, path: &str, is_of_kind: impl Fn(&HeldReason) -> bool) -> bool {
        // A person cannot have known which of them it is.
        !self.ambiguous.contains(path)
            && self.included.iter().any(|held| held.path == path && is_of_kind(&held.reason))
    }
}

/// The suspected files among those that differ, and the entries that put them back to what they were.
pub(super) fn suspects_among(
    quarantine: &Quarantine<'_>,
    request: &Request<'_>,
    differences: &[Difference],
) -> Result<(Vec<Held>, Vec<Entry>), GitError> {
    let paths = differences.iter().map(|difference| difference.path.as_slice());
    let allowed = Allowed::among(request, paths);
    let files: Vec<(String, &Difference, &str)> = differences
        .iter()
        .filter_map(|difference| {
            let new = difference.new.as_ref().filter(|new| new.is_file())?;
            Some((difference.shown_path(), difference, new.id.as_str()))
        })
        .filter(|(path, ..)| !allowed.is_secret(path))
        .collect();
    let named: Vec<(&str, &str)> = files.iter().map(|(path, _, id)| (path.as_str(), *id)).collect();
    let mut held = Vec::new();
    let mut resets = Vec::new();
    for (number, rule) in suspects(quarantine, request, &named)? {
        let (path, difference, _) = &files[number];
        held.push(Held { path: path.clone(), reason: HeldReason::SuspectedSecret { rule } });
        let object = difference.old.as_ref().map(|old| (old.mode.clone(), old.id.clone()));
        resets.push(Entry { path: difference.path.clone(), object });
    }
    Ok((held, resets))
}

/// Which of these files, by path and id, look as if they held a secret that the base does not have at the
/// same path, and why.
pub(super) fn suspects(
    quarantine: &Quarantine<'_>,
    request: &Request<'_>,
    files: &[(&str, &str)],
) -> Result<Vec<(usize, String)>, GitError> {
    let ids: Vec<&str> = files.iter().map(|(_, id)| *id).collect();
    let mut found = Vec::new();
    blobs::contents(quarantine.git("cat-file"), &ids, request.limits.scan, |number, content| {
        let (path, _) = files[number];
        if blobs::is_text(content) && (request.suspects)(path, content, b"").is_some() {
            found.push(number);
        }
    })?;
    // Few, if any; with what the base has there.
    let pairs: Vec<String> = found
        .iter()
        .flat_map(|&number| {
            let (path, id) = files[number];
            [id.to_owned(), before(request, path)]
        })
        .collect();
    let pairs: Vec<&str> = pairs.iter().map(String::as_str).collect();
    let mut contents = vec![Vec::new(); pairs.len()];
    blobs::contents(quarantine.git("cat-file"), &pairs, request.limits.scan, |number, content| {
        contents[number] = content.to_owned();
    })?;
    let rule = |(number, pair): (usize, &[Vec<u8>])| {
        let (path, _) = files[number];
        (request.suspects)(path, &pair[0], &pair[1]).map(|rule| (number, rule))
    };
    Ok(found.into_iter().zip(contents.chunks_exact(2)).filter_map(rule).collect())
}

/// The name of what the base has at a path; of nothing where the path does not fit into one line.
fn before(request: &Request<'_>, path: &str) -> String {
    if path.contains('\n') {
        return "0".repeat(request.base.len());
    }
    format!("{}:{path}", request.base)
}
