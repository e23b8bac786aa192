//! Checks: what the output of runners says, also of those that lie, and what is remembered of it.

// A test target is always compiled for testing; `cfg(test)` tells clippy so.
#[cfg(test)]
mod golden;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod remembering;
