//! A look at the places where git could not decide: what has been decided about them since, and what people
//! are to be shown of the others.

use super::{Limits, Request, Resolution, Takes, answer::Place};
use crate::{
    GitError,
    bare::Bare,
    collect::{blobs, difference::Side as Entry},
    three_way,
};
use orchestra_core::merge::{Conflict, ConflictKind, Side};
use std::collections::{HashMap, HashSet};

/// The places, parted.
#[derive(Debug)]
pub(super) struct Looked {
    /// In the order of the places.
    pub(super) conflicts: Vec<Conflict>,
    pub(super) resolved: Vec<(Place, Takes)>,
}

pub(super) fn at(
    bare: &Bare,
    request: &Request<'_>,
    between: &[String; 2],
    places: Vec<Place>,
) -> Result<Looked, GitError> {
    let decided = decided(request.resolutions, between, &places);
    let (mut open, mut resolved) = (Vec::new(), Vec::new());
    for place in places {
        match decided.get(&shown(&place.path)) {
            Some(takes) => resolved.push((place, *takes)),
            None => open.push(place),
        }
    }
    Ok(Looked { conflicts: conflicts(bare, request.limits, &open)?, resolved })
}

/// By what the places are shown as; the last word counts.
fn decided(
    resolutions: &[Resolution],
    between: &[String; 2],
    places: &[Place],
) -> HashMap<String, Takes> {
    let about = resolutions.iter().filter(|resolution| &resolution.between == between);
    let mut decided: HashMap<String, Takes> =
        about.map(|resolution| (resolution.path.clone(), resolution.takes)).collect();
    let mut seen = HashSet::new();
    for path in places.iter().map(|place| shown(&place.path)) {
        // Nobody can have known which of them was meant.
        if !seen.insert(path.clone()) {
            decided.remove(&path);
        }
    }
    decided
}

fn shown(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}

/// What is known of a content.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Content {
    /// There is no file on this side, or none whose content was asked for.
    #[default]
    None,
    Text(Vec<u8>),
    /// It is binary, or larger than what is compared.
    NotText,
    /// There was no room for it, or the repository does not have it.
    Unknown,
}

/// What people are to be shown of the places.
pub(super) fn conflicts(
    bare: &Bare,
    limits: Limits,
    places: &[Place],
) -> Result<Vec<Conflict>, GitError> {
    let contents = contents(bare, limits, places)?;
    places.iter().zip(contents).map(|(place, contents)| conflict(bare, place, contents)).collect()
}

fn contents(bare: &Bare, limits: Limits, places: &[Place]) -> Result<Vec<[Content; 3]>, GitError> {
    let mut found: Vec<[Content; 3]> = vec![Default::default(); places.len()];
    let mut asked: Vec<((usize, usize), &str)> = Vec::new();
    for (number, place) in places.iter().enumerate() {
        for (stage, entry) in place.stages.iter().enumerate() {
            if let Some(entry) = entry.as_ref().filter(|entry| !entry.is_submodule()) {
                asked.push(((number, stage), &entry.id));
            }
        }
    }
    let ids: Vec<&str> = asked.iter().map(|(_, id)| *id).collect();
    let mut room = limits.total;
    let mut wanted = Vec::new();
    for ((place, id), size) in asked.into_iter().zip(blobs::sizes(bare.git("cat-file"), &ids)?) {
        let content = match size {
            Some(size) if size > limits.file => Content::NotText,
            Some(size) if size <= room => {
                room -= size;
                wanted.push((place, id));
                continue;
            }
            Some(_) | None => Content::Unknown,
        };
        found[place.0][place.1] = content;
    }
    let ids: Vec<&str> = wanted.iter().map(|(_, id)| *id).collect();
    blobs::contents(bare.git("cat-file"), &ids, limits.file, |number, content| {
        let (place, stage) = wanted[number].0;
        found[place][stage] = match blobs::is_text(content) {
            true => Content::Text(content.to_owned()),
            false => Content::NotText,
        };
    })?;
    Ok(found)
}

fn conflict(bare: &Bare, place: &Place, contents: [Content; 3]) -> Result<Conflict, GitError> {
    let [_, ours, theirs] = &place.stages;
    let is_file = |entry: &Option<Entry>| entry.as_ref().is_none_or(Entry::is_file);
    let is_text = contents.iter().all(|content| *content != Content::NotText)
        && place.stages.iter().all(is_file);
    let kind = match place.kind {
        ConflictKind::Lines if !is_text => ConflictKind::NotText,
        kind => kind,
    };
    let is_known = contents.iter().all(|content| *content != Content::Unknown);
    let [ours, theirs] = if is_text && is_known {
        let [base, ours, theirs] = contents.each_ref().map(|content| match content {
            Content::Text(text) => Some(text.as_slice()),
            Content::None | Content::NotText | Content::Unknown => None,
        });
        three_way::sides(base, ours, theirs).map_err(|error| GitError::Failed {
            what: "git merge-file".to_owned(),
            place: bare.root().to_owned(),
            detail: format!("{}: {}", shown(&place.path), error.message()),
        })?
    } else {
        let [_, our_content, their_content] = &contents;
        [by_itself(ours.as_ref(), our_content), by_itself(theirs.as_ref(), their_content)]
    };
    Ok(Conflict { path: shown(&place.path), kind, ours, theirs })
}

/// What can be said of an entry without a comparison.
fn by_itself(entry: Option<&Entry>, content: &Content) -> Side {
    let excerpt = match (entry, content) {
        (Some(entry), _) if entry.is_submodule() => Some(entry.id.clone()),
        (Some(entry), Content::Text(target)) if entry.is_link() => Some(three_way::cut(target)),
        _ => None,
    };
    Side { lines: Vec::new(), excerpt }
}
