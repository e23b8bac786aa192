//! How large a soak is: reduced in `cargo xtask test`, full and seeded in `cargo xtask soak`.

use std::{
    env,
    hash::{BuildHasher as _, RandomState},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    Reduced,
    Full,
}

impl Size {
    /// One of two values, such as numbers of rounds.
    pub fn pick<T>(self, reduced: T, full: T) -> T {
        match self {
            Self::Reduced => reduced,
            Self::Full => full,
        }
    }
}

/// The size that this run asks for.
pub fn size() -> Size {
    match env::var("ORCHESTRA_TEST_SIZE").as_deref() {
        Ok("full") => Size::Full,
        _ => Size::Reduced,
    }
}

/// The seed of this run, to be printed by tests that draw random numbers; a new one unless
/// `ORCHESTRA_TEST_SEED` repeats an earlier run.
pub fn seed() -> u64 {
    match env::var("ORCHESTRA_TEST_SEED") {
        Ok(seed) => seed.parse().expect("ORCHESTRA_TEST_SEED is a number"),
        // The standard library's hash keys are random; hashing nothing shows them.
        Err(_) => RandomState::new().hash_one(()),
    }
}
