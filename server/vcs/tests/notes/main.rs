//! Notes on commits of ours: real repositories, several writers at once.

#[cfg(test)]
#[path = "../support/mod.rs"]
mod shared;

#[cfg(test)]
mod notes;
