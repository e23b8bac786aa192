//! The clocks of this machine.

use orchestra_core::time::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};

/// What the wall clock shows.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
