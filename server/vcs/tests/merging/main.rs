//! Scenarios of merging: real repositories, and works that agents could have made.

#[cfg(test)]
mod again;
#[cfg(test)]
mod conflicts;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod resolving;
#[cfg(test)]
mod support;
#[cfg(test)]
mod works;
