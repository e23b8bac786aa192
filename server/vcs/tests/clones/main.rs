//! Scenarios of private clones and of what is not committed: real repositories, made with git itself.

#[cfg(test)]
mod environment;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod making;
#[cfg(test)]
mod removing;
#[cfg(test)]
mod state;
#[cfg(test)]
mod support;
