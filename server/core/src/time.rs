//! Points and spans of time as the journal keeps them: whole milliseconds.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr, time::Duration};

/// Milliseconds since the Unix epoch, UTC.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    pub fn after(self, span: Millis) -> Self {
        Self(self.0.saturating_add_unsigned(span.0))
    }

    /// The time from `earlier` to `self`; zero when the clock went backwards.
    pub fn since(self, earlier: Self) -> Millis {
        Millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(time) => time.fmt(f),
            Err(_) => write!(f, "{} ms", self.0),
        }
    }
}

/// A time that does not read as one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no day such as 2026-01-31 and no time such as 2026-01-31T12:00:00Z")]
pub struct TimestampError(String);

impl FromStr for Timestamp {
    type Err = TimestampError;

    /// A day means its first moment, in UTC.
    fn from_str(text: &str) -> Result<Self, TimestampError> {
        let text = text.trim();
        let midnight = format!("{text}T00:00:00Z");
        let time = text.parse().or_else(|_| midnight.parse::<jiff::Timestamp>());
        time.map(|time| Self(time.as_millisecond()))
            .map_err(|_| TimestampError(text.chars().take(80).collect()))
    }
}

/// A span of time in milliseconds. Written by people as `30m`, `2s`, `1h 30m`, `250ms`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Millis(pub u64);

impl Millis {
    pub const fn seconds(seconds: u64) -> Self {
        Self(seconds * 1_000)
    }

    pub const fn minutes(minutes: u64) -> Self {
        Self::seconds(minutes * 60)
    }
}

impl From<Millis> for Duration {
    fn from(span: Millis) -> Self {
        Self::from_millis(span.0)
    }
}

impl From<Duration> for Millis {
    fn from(duration: Duration) -> Self {
        Self(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
    }
}

/// Why a text is not a span of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a duration; write a number and a unit, such as 30m, 2s or 1h 30m")]
pub struct DurationError(String);

impl FromStr for Millis {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, DurationError> {
        let error = || DurationError(text.chars().take(80).collect());
        let duration: jiff::SignedDuration = text.trim().parse().map_err(|_| error())?;
        u64::try_from(duration.as_millis()).map(Self).map_err(|_| error())
    }
}

impl fmt::Display for Millis {
    /// At most two units, so that tables stay narrow: `850ms`, `1.2s`, `3m 20s`, `2h 5m`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (minutes, hours) = (self.0 / 60_000, self.0 / 3_600_000);
        match self.0 {
            ..1_000 => write!(f, "{}ms", self.0),
            1_000..60_000 => write!(f, "{}.{}s", self.0 / 1_000, self.0 % 1_000 / 100),
            60_000..3_600_000 => write!(f, "{minutes}m {}s", self.0 / 1_000 % 60),
            3_600_000..86_400_000 => write!(f, "{hours}h {}m", minutes % 60),
            _ => write!(f, "{}d {}h", hours / 24, hours % 24),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_times_are_read_as_people_write_them() {
        let read = |text: &str| text.parse::<Timestamp>().map(|time| time.0);
        assert_eq!(read("1970-01-02"), Ok(86_400_000));
        assert_eq!(read("1970-01-01T01:00:00.5+01:00"), Ok(500));
        for text in ["", "yesterday", "2026-13-01", "2026", "2026-01-31T"] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn durations_are_read_as_people_write_them() {
        let read = |text: &str| text.parse::<Millis>().map(|span| span.0);
        assert_eq!(read("30m"), Ok(1_800_000));
        assert_eq!(read("250ms"), Ok(250));
        assert_eq!(read("1h 30m"), Ok(5_400_000));
        for text in ["", "30", "-2s", "soon", "2 fortnights"] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn spans_are_shown_in_two_units_at_most() {
        let shown =
            [0, 850, 1_250, 200_000, 7_500_000, 100_000_000].map(|ms| Millis(ms).to_string());
        assert_eq!(shown, ["0ms", "850ms", "1.2s", "3m 20s", "2h 5m", "1d 3h"]);
    }
}
