//! Scenarios of blame: a user's repository, works of agents, and applies with the history that they leave.

#[cfg(test)]
mod applies;
#[cfg(test)]
mod commits;
#[cfg(test)]
mod refused;
#[cfg(test)]
mod support;
#[cfg(test)]
mod surroundings;
#[cfg(test)]
mod texts;
