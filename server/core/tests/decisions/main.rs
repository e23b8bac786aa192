//! The decisions of the core, as scenarios and as properties of random histories.

// A test target is always compiled for testing; `cfg(test)` tells clippy so.
#[cfg(test)]
mod approval;
#[cfg(test)]
mod asking;
#[cfg(test)]
mod cancelling;
#[cfg(test)]
mod journal;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod memory;
#[cfg(test)]
mod merging;
#[cfg(test)]
mod needs;
#[cfg(test)]
mod operations;
#[cfg(test)]
mod order;
#[cfg(test)]
mod pausing;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod retries;
#[cfg(test)]
mod reviews;
#[cfg(test)]
mod scale;
#[cfg(test)]
mod selection;
#[cfg(test)]
mod snapshots;
#[cfg(test)]
mod support;
#[cfg(test)]
mod templates;
#[cfg(test)]
mod timeouts;
