//! Scenarios of the journal: real folders, real SQLite, real processes that are killed.

#[cfg(test)]
mod opening;
#[cfg(test)]
mod recording;
#[cfg(test)]
mod support;
