//! The time and the chance that inputs bring along.

use orchestra_core::time::Timestamp;
use std::{
    hash::{BuildHasher as _, RandomState},
    time::{SystemTime, UNIX_EPOCH},
};

/// Now, by the system's clock.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// A seed for jitter; unpredictable enough that retries do not fall in step, and no more.
pub(crate) fn seed() -> u64 {
    RandomState::new().hash_one(now())
}
