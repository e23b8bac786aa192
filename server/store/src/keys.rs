//! Ids and statuses as columns of the database.

use crate::error::Fault;
use orchestra_core::ids::{RunId, TaskId};
use serde::{
    Deserialize,
    de::{DeserializeOwned, IntoDeserializer, value::StrDeserializer},
};

/// The path of a task below its run, four bytes for each level, so that bytes sort as ids do.
pub(crate) fn path_of(task: TaskId) -> Vec<u8> {
    task.path().iter().flat_map(|level| level.to_be_bytes()).collect()
}

/// The id whose [`path_of`] is `path`.
pub(crate) fn task_id(run: RunId, path: &[u8]) -> Result<TaskId, Fault> {
    let parse = || {
        let (levels, rest) = path.as_chunks::<4>();
        let mut levels = levels.iter().map(|level| u32::from_be_bytes(*level));
        let first = TaskId::new(run, levels.next()?)?;
        levels.try_fold(first, TaskId::child).filter(|_| rest.is_empty())
    };
    parse().ok_or_else(|| Fault::row(run, format!("{path:?} is not the path of a task")))
}

pub(crate) fn run_id(number: i64) -> Result<RunId, Fault> {
    u32::try_from(number)
        .ok()
        .and_then(RunId::new)
        .ok_or_else(|| Fault::row(number, "not the number of a run"))
}

/// Sequence numbers are counted up from one by this program: half of the range is enough.
pub(crate) fn to_column(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn from_column(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// A status as its `as_str` writes it.
pub(crate) fn status<'a, S: Deserialize<'a>>(text: &'a str) -> Result<S, Fault> {
    let deserializer: StrDeserializer<'a, serde::de::value::Error> = text.into_deserializer();
    S::deserialize(deserializer).map_err(|error| Fault::row(text, error))
}

pub(crate) fn view<V: DeserializeOwned>(row: impl ToString, json: &str) -> Result<V, Fault> {
    serde_json::from_str(json).map_err(|error| Fault::row(row, error))
}
