//! Scenarios of private clones and of what is not committed: real repositories, made with git itself.

#[cfg(test)]
mod making;
#[cfg(test)]
mod state;
#[cfg(test)]
mod support;
