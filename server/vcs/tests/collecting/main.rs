//! Scenarios of collecting: real repositories, made with git itself, and agents that leave anything.

#[cfg(test)]
mod again;
#[cfg(test)]
mod commits;
#[cfg(test)]
mod files;
#[cfg(test)]
mod flags;
#[cfg(test)]
mod held;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod large;
#[cfg(test)]
mod objects;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod repositories;
#[cfg(test)]
mod support;
