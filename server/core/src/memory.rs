//! The memory of a run: small values that its attempts keep for one another, or for themselves.

use crate::{
    ids::AttemptId,
    time::{Millis, Timestamp},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Who can read an entry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Scope {
    /// Every attempt of the run.
    Shared,
    /// The attempts of one agent.
    Private { agent: String },
}

/// A value that was set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MemorySet {
    /// Who set it.
    pub attempt: AttemptId,
    pub scope: Scope,
    pub key: String,
    pub value: Value,
    /// From then on it is not there any more.
    #[serde(default)]
    pub until: Option<Timestamp>,
}

/// What an attempt wants kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remember {
    /// Whether only this agent's attempts see it.
    #[serde(default)]
    pub private: bool,
    pub key: String,
    /// `null` removes the entry.
    pub value: Value,
    /// How long it is kept; `None`: until the run ends.
    #[serde(default)]
    pub ttl: Option<Millis>,
}

/// How much a run may keep. Comes from the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryLimits {
    pub entries: u32,
    /// Of keys and values together, the values as JSON.
    pub bytes: u64,
}

/// An entry as the state keeps it.
#[derive(Debug, Clone, PartialEq)]
struct Entry {
    value: Value,
    until: Option<Timestamp>,
    bytes: u64,
}

impl Entry {
    fn is_there(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// What a run remembers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Memory {
    entries: BTreeMap<Scope, BTreeMap<String, Entry>>,
    count: u32,
    bytes: u64,
}

/// What is wrong with an entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MemoryError {
    #[error("a key has 1 to {max} bytes, and no control characters", max = Memory::MAX_KEY)]
    BadKey,
    #[error("the value of `{key}` has {bytes} bytes as JSON, and {max} are allowed", max = Memory::MAX_VALUE)]
    TooLarge { key: String, bytes: usize },
    #[error("the memory of this run is full: {entries} entries, {bytes} bytes")]
    Full { entries: u32, bytes: u64 },
}

impl MemoryError {
    /// The next step for whoever sets it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::BadKey => "use a short name, such as `api.version`",
            Self::TooLarge { .. } => "put it into a file below $ORCHESTRA_DIR and keep its path",
            Self::Full { .. } => "remove entries that nobody needs, by setting them to null",
        }
    }
}

impl Memory {
    /// In bytes.
    pub const MAX_KEY: usize = 128;
    /// In bytes, as JSON: a value goes through the journal.
    pub const MAX_VALUE: usize = 64 * 1024;

    /// The value of a key, if there is one at this moment.
    pub fn get(&self, scope: &Scope, key: &str, now: Timestamp) -> Option<&Value> {
        let entry = self.entries.get(scope)?.get(key)?;
        entry.is_there(now).then_some(&entry.value)
    }

    /// The keys of a scope at this moment, sorted.
    pub fn keys(&self, scope: &Scope, now: Timestamp) -> Vec<&str> {
        let entries = self.entries.get(scope).into_iter().flatten();
        entries.filter(|(_, entry)| entry.is_there(now)).map(|(key, _)| key.as_str()).collect()
    }

    pub(crate) fn holds(&self, scope: &Scope, key: &str) -> bool {
        self.entries.get(scope).is_some_and(|entries| entries.contains_key(key))
    }

    /// Whether exactly this is kept for as long as the run.
    pub(crate) fn keeps(&self, scope: &Scope, key: &str, value: &Value) -> bool {
        let entry = self.entries.get(scope).and_then(|entries| entries.get(key));
        entry.is_some_and(|entry| entry.until.is_none() && entry.value == *value)
    }

    /// Entries whose time is up and which have not been removed yet.
    pub(crate) fn expired(&self, now: Timestamp) -> impl Iterator<Item = (&Scope, &str)> {
        self.entries.iter().flat_map(move |(scope, entries)| {
            let gone = entries.iter().filter(move |(_, entry)| !entry.is_there(now));
            gone.map(move |(key, _)| (scope, key.as_str()))
        })
    }

    /// Whether there is room for one more entry, once what has expired is removed.
    pub(crate) fn has_room(&self, set: &MemorySet, limits: MemoryLimits, now: Timestamp) -> bool {
        let (mut count, mut bytes) = (self.count, self.bytes);
        let replaced = self.entries.get(&set.scope).and_then(|entries| entries.get(&set.key));
        let gone = self
            .entries
            .values()
            .flat_map(BTreeMap::values)
            .filter(|entry| !entry.is_there(now))
            .chain(replaced.filter(|entry| entry.is_there(now)));
        for entry in gone {
            count -= 1;
            bytes -= entry.bytes;
        }
        count < limits.entries && bytes + size(&set.key, &set.value) <= limits.bytes
    }

    pub(crate) fn full(&self) -> MemoryError {
        MemoryError::Full { entries: self.count, bytes: self.bytes }
    }

    pub(crate) fn set(&mut self, set: &MemorySet) {
        self.remove(&set.scope, &set.key);
        let bytes = size(&set.key, &set.value);
        self.count += 1;
        self.bytes += bytes;
        let entry = Entry { value: set.value.clone(), until: set.until, bytes };
        self.entries.entry(set.scope.clone()).or_default().insert(set.key.clone(), entry);
    }

    pub(crate) fn remove(&mut self, scope: &Scope, key: &str) {
        let Some(entries) = self.entries.get_mut(scope) else { return };
        if let Some(entry) = entries.remove(key) {
            self.count -= 1;
            self.bytes -= entry.bytes;
        }
        if entries.is_empty() {
            self.entries.remove(scope);
        }
    }
}

impl Remember {
    /// Whether it can be kept at all.
    pub fn check(&self) -> Result<(), MemoryError> {
        let is_fine = !self.key.is_empty() && !self.key.chars().any(char::is_control);
        if self.key.len() > Memory::MAX_KEY || !is_fine {
            return Err(MemoryError::BadKey);
        }
        let bytes = self.value.to_string().len();
        if bytes > Memory::MAX_VALUE {
            return Err(MemoryError::TooLarge { key: self.key.clone(), bytes });
        }
        Ok(())
    }
}

fn size(key: &str, value: &Value) -> u64 {
    (key.len() + value.to_string().len()) as u64
}
