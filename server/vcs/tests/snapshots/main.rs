//! Scenarios of snapshots: real repositories, made with git itself. Every one of them also sees that
//! nothing of the user's has changed.

#[cfg(test)]
mod buffers;
#[cfg(test)]
mod conflicts;
#[cfg(test)]
mod contents;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod indices;
#[cfg(test)]
mod left_out;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod recording;
#[cfg(test)]
mod repositories;
#[cfg(test)]
mod support;
