//! Scenarios of applying and undoing: real repositories, made with git itself. Every one of them also sees
//! that nothing but the user's files has changed.

#[cfg(test)]
mod clients;
#[cfg(test)]
mod commits;
#[cfg(test)]
#[cfg(feature = "failpoints")]
mod crashes;
#[cfg(test)]
mod files;
#[cfg(test)]
mod forms;
#[cfg(test)]
mod full_disk;
#[cfg(test)]
mod obstacles;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod support;
#[cfg(test)]
mod undoing;
