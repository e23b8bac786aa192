//! Scenarios of merging and reviewing: real repositories, and works that agents could have made.

#[cfg(test)]
mod again;
#[cfg(test)]
mod conflicts;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod markers;
#[cfg(test)]
mod patches;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod resolving;
#[cfg(test)]
mod reviewing;
#[cfg(test)]
mod selecting;
#[cfg(test)]
mod support;
#[cfg(test)]
mod works;
#[cfg(test)]
mod writers;
