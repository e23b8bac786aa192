//! Files that look as if they held a secret are taken out of the index again.

use super::{
    Request, blobs,
    difference::{self, Difference},
    quarantine::{Entry, Quarantine},
};
use crate::GitError;
use orchestra_core::change::{Held, HeldReason};

pub(super) fn is_included(request: &Request<'_>, path: &str) -> bool {
    request.included.iter().any(|included| included == path)
}

/// Puts each suspected file of `tree` back to what `parent` has, and answers which these are.
pub(super) fn hold_suspects(
    quarantine: &Quarantine<'_>,
    request: &Request<'_>,
    parent: &str,
    tree: &str,
) -> Result<Vec<Held>, GitError> {
    let differences = difference::read(quarantine, parent, tree, false)?;
    let files: Vec<(String, &Difference, &str)> = differences
        .iter()
        .filter_map(|difference| {
            let new = difference.new.as_ref().filter(|new| new.is_file())?;
            Some((difference.shown_path(), difference, new.id.as_str()))
        })
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
    quarantine.enter(resets)?;
    Ok(held)
}

/// Which of these files, by path and id, look as if they held a secret, and why.
pub(super) fn suspects(
    quarantine: &Quarantine<'_>,
    request: &Request<'_>,
    files: &[(&str, &str)],
) -> Result<Vec<(usize, String)>, GitError> {
    let ids: Vec<&str> = files.iter().map(|(_, id)| *id).collect();
    let mut found = Vec::new();
    blobs::contents(quarantine, &ids, request.limits.scan, |number, content| {
        let (path, _) = files[number];
        if blobs::is_text(content)
            && !is_included(request, path)
            && let Some(rule) = (request.suspects)(path, content)
        {
            found.push((number, rule));
        }
    })?;
    Ok(found)
}
