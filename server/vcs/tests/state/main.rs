//! Scenarios of what git says of a repository and of what is not committed in it: real repositories, made
//! with git itself.

#[cfg(test)]
mod environment;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod support;
#[cfg(test)]
mod uncommitted;
