//! What a workflow may ask for: limits that keep a slip from becoming a day of work.

use crate::{
    plan::Retry,
    source::{self, At, Findings},
    time::Millis,
};

/// The largest file that is read.
pub const MAX_FILE_BYTES: usize = 16 << 20;
/// The most steps that one workflow may have.
pub(crate) const MAX_STEPS: usize = source::MAX_LIST;
pub(crate) const MAX_PARALLEL: u32 = 4_096;
pub(crate) const MAX_RETRIES: u32 = 100;
pub(crate) const MAX_PRIORITY: i64 = 1_000;
pub(crate) const MAX_TIMEOUT: Millis = Millis::minutes(30 * 24 * 60);

/// A time-out that can be kept.
pub(crate) fn timeout(span: Millis, at: At, findings: &mut Findings<'_>) -> Option<Millis> {
    if span == Millis(0) {
        let hint = "write a time such as `30m`, or remove the line for the default";
        findings.error(at, "a timeout of 0 ends everything before it starts", hint);
        return None;
    }
    if span > MAX_TIMEOUT {
        let message = format!("a timeout of {span} is longer than {MAX_TIMEOUT}");
        findings.error(at, message, "write a shorter time");
        return None;
    }
    Some(span)
}

pub(crate) fn backoff(span: Millis, at: At, findings: &mut Findings<'_>) -> Option<Millis> {
    if span > Retry::LONGEST_BACKOFF {
        let longest = Retry::LONGEST_BACKOFF;
        let message = format!("a backoff of {span} is longer than {longest}");
        findings.error(at, message, "write a shorter time; it doubles with each retry");
        return None;
    }
    if span == Millis(0) {
        let hint = "write a time such as `2s`; it doubles with each retry";
        findings.warning(at, "with a backoff of 0 all retries follow at once", hint);
    }
    Some(span)
}
