//! The files that people write: what is accepted, what is refused, and how it is said.

// A test target is always compiled for testing; `cfg(test)` tells clippy so.
#[cfg(test)]
mod catalogue;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod merges;
#[cfg(test)]
mod plans;
#[cfg(test)]
mod scale;
