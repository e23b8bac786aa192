//! Scenarios of the journal: real folders, real SQLite, real processes that are killed.

#[cfg(test)]
mod counting;
#[cfg(test)]
mod damage;
#[cfg(test)]
mod full;
#[cfg(test)]
#[cfg(feature = "failpoints")]
mod kills;
#[cfg(test)]
mod opening;
#[cfg(test)]
mod operating;
#[cfg(test)]
mod projecting;
#[cfg(test)]
mod readonly;
#[cfg(test)]
mod recording;
#[cfg(test)]
mod support;
