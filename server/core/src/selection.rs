//! Selection: by which criteria one of several agents that can all do a task is chosen.

use crate::agent::AgentProfile;
use serde::{Deserialize, Serialize};
use std::{cmp::Ordering, fmt, str::FromStr};

/// What two candidates are compared by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Criterion {
    /// Fewer attempts under way.
    Load,
    /// A higher `priority`.
    Priority,
    /// Fewer capabilities: whoever does one thing does it better.
    Specialised,
    /// The alphabet, so that the choice is never left to chance.
    Name,
}

impl Criterion {
    pub const ALL: [Self; 4] = [Self::Load, Self::Priority, Self::Specialised, Self::Name];

    fn as_str(self) -> &'static str {
        match self {
            Self::Load => "load",
            Self::Priority => "priority",
            Self::Specialised => "specialised",
            Self::Name => "name",
        }
    }
}

impl fmt::Display for Criterion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Criterion {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|criterion| criterion.as_str() == text).ok_or(())
    }
}

/// The criteria in the order in which they count. Those that are not named come last, in the order of
/// [`Criterion::ALL`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Order(pub Vec<Criterion>);

impl Default for Order {
    fn default() -> Self {
        Self(Criterion::ALL.to_vec())
    }
}

impl Order {
    /// Every criterion, each once.
    pub fn criteria(&self) -> impl Iterator<Item = Criterion> {
        let named = self.0.iter().copied();
        named.chain(Criterion::ALL.into_iter().filter(|criterion| !self.0.contains(criterion)))
    }

    /// Sorts the preferred one first, as far as that is known before anything runs.
    pub(crate) fn compare_idle(&self, a: &AgentProfile, b: &AgentProfile) -> Ordering {
        let compare = |criterion| compare(criterion, (a, 0), (b, 0));
        self.criteria().map(compare).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }
}

/// Sorts the better of two candidates first; each comes with its load.
pub(crate) fn compare(
    criterion: Criterion,
    (a, a_load): (&AgentProfile, u32),
    (b, b_load): (&AgentProfile, u32),
) -> Ordering {
    match criterion {
        Criterion::Load => a_load.cmp(&b_load),
        Criterion::Priority => b.priority.cmp(&a.priority),
        Criterion::Specialised => a.capabilities.len().cmp(&b.capabilities.len()),
        Criterion::Name => a.name.cmp(&b.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_named_counts_last() {
        let order = Order(vec![Criterion::Priority, Criterion::Load]);
        let criteria: Vec<Criterion> = order.criteria().collect();
        let expected =
            [Criterion::Priority, Criterion::Load, Criterion::Specialised, Criterion::Name];
        assert_eq!(criteria, expected);
        assert_eq!(Order::default().criteria().collect::<Vec<_>>(), Criterion::ALL);
    }
}
