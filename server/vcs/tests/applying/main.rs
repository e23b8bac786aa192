//! Scenarios of applying and undoing: real repositories, made with git itself. Every one of them also sees
//! that nothing but the user's files has changed.

#[cfg(test)]
mod files;
#[cfg(test)]
mod support;
