//! Who was near, when nobody can do a step, and why not.

use super::hint_from;
use crate::{
    capability,
    catalog::{Catalog, CatalogAgent},
    source::{Findings, shortened},
};

const NOBODY: &str = "see `orchestra agents list` for who can do what, or add one of your own with \
    `orchestra agents add`";
/// How many agents one reason names before it only counts them.
const NAMED: usize = 3;
/// How many reasons there are.
const REASONS: usize = 3;

/// Who could do it but for a reason, and for each reason who.
pub(super) type Near<'a> = Vec<(WhyNot<'a>, Vec<&'a str>)>;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum WhyNot<'a> {
    Unavailable(&'a str),
    Lacks(&'a str),
}

/// Empty when nobody has anything to do with it.
pub(super) fn who_was_near<'a>(catalog: &'a Catalog, needed: &[&'a str]) -> Near<'a> {
    let mut near: Near<'a> = Vec::new();
    for agent in &catalog.agents {
        if let Some(reason) = why_not(agent, needed) {
            match near.iter_mut().find(|(known, _)| *known == reason) {
                Some((_, names)) => names.push(&agent.profile.name),
                None => near.push((reason, vec![&agent.profile.name])),
            }
        }
    }
    near
}

/// `None`: the agent has nothing to do with it.
fn why_not<'a>(agent: &'a CatalogAgent, needed: &[&'a str]) -> Option<WhyNot<'a>> {
    match (agent.lacks(needed), agent.unavailable()) {
        (None, Some(reason)) => Some(WhyNot::Unavailable(reason)),
        (Some(lacking), None) => {
            let others: Vec<&str> =
                needed.iter().copied().filter(|word| *word != lacking).collect();
            let is_near = !others.is_empty() && agent.lacks(&others).is_none();
            is_near.then_some(WhyNot::Lacks(lacking))
        }
        _ => None,
    }
}

/// The hint that names them.
pub(super) fn told(near: &Near<'_>) -> String {
    if near.is_empty() {
        return NOBODY.to_owned();
    }
    let mut told: Vec<String> =
        near.iter().take(REASONS).map(|(reason, names)| sentence(names, reason)).collect();
    if near.len() > REASONS {
        told.push("`orchestra agents list` shows the others".to_owned());
    }
    told.join("; ")
}

fn sentence(names: &[&str], reason: &WhyNot<'_>) -> String {
    let shown: Vec<String> = names.iter().take(NAMED).map(|name| format!("`{name}`")).collect();
    let mut who = shown.join(", ");
    if names.len() > NAMED {
        who.push_str(&format!(" and {} more", names.len() - NAMED));
    }
    match (reason, names.len()) {
        (WhyNot::Unavailable(reason), 1) => format!("{who} is not available: {reason}"),
        (WhyNot::Unavailable(reason), _) => format!("{who} are not available: {reason}"),
        (WhyNot::Lacks(word), 1) => format!("{who} lacks `{}`", shortened(word)),
        (WhyNot::Lacks(word), _) => format!("{who} lack `{}`", shortened(word)),
    }
}

/// The hint where nobody was near: how the capability is really called, perhaps.
pub(super) fn how_it_is_called(
    catalog: &Catalog,
    needed: &[&str],
    findings: &Findings<'_>,
) -> String {
    let known: Vec<&str> = catalog
        .natives
        .iter()
        .flat_map(|native| &native.capabilities)
        .chain(catalog.agents.iter().flat_map(|agent| &agent.profile.capabilities))
        .map(String::as_str)
        .chain(capability::CAPABILITIES.iter().map(|capability| capability.id))
        .collect();
    let held = &known[..known.len() - capability::CAPABILITIES.len()];
    let unknown = needed.iter().find(|needed| !held.contains(needed));
    let near = unknown.map(|unknown| findings.nearest(unknown, known.iter().copied()));
    let mut near = near.unwrap_or_default();
    near.dedup();
    near.retain(|near| !needed.contains(near));
    hint_from(&near, NOBODY)
}
