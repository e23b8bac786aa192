//! The catalogue of real folders: discovery, precedence, bad files, configuration, trust.

// A test target is always compiled for testing; `cfg(test)` tells clippy so.
#[cfg(test)]
mod backends;
#[cfg(test)]
mod cache;
#[cfg(test)]
mod configuration;
#[cfg(test)]
mod discovery;
#[cfg(test)]
mod support;
#[cfg(test)]
mod trusting;
