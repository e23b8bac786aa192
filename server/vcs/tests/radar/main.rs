//! Scenarios of the conflict radar: trees of a pool, in which agents are at work, and a user's folder.

#[cfg(test)]
mod agents;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod quiet;
#[cfg(test)]
mod support;
#[cfg(test)]
mod users;
