//! Our references in real repositories.

#[cfg(test)]
mod moving;
#[cfg(test)]
#[path = "../support/mod.rs"]
mod support;
