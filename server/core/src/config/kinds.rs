//! The types that a setting can have, and how each is written.

use crate::time::Millis;
use std::{fmt, str::FromStr};

/// A type of settings.
pub(super) trait Kind: Sized + fmt::Display {
    /// For the reference page.
    fn describe() -> String;

    /// Reads what a variable, a flag or a TOML string says; the error reads after "is ".
    fn from_text(text: &str) -> Result<Self, String>;

    /// Reads a TOML number; most types have a unit and take none.
    fn from_integer(_: i64) -> Option<Self> {
        None
    }

    fn from_bool(_: bool) -> Option<Self> {
        None
    }

    /// How the value is written in TOML.
    fn to_toml(&self) -> String;
}

/// A number of bytes. Written as `64MiB`, `10kB`, or a plain number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub u64);

impl Bytes {
    const UNITS: [(&'static str, u64); 8] = [
        ("GiB", 1 << 30),
        ("MiB", 1 << 20),
        ("KiB", 1 << 10),
        ("GB", 1_000_000_000),
        ("MB", 1_000_000),
        ("KB", 1_000),
        ("kB", 1_000),
        ("B", 1),
    ];

    pub const fn mebibytes(count: u64) -> Self {
        Self(count << 20)
    }
}

impl FromStr for Bytes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "not a size; write a number and a unit, such as 64MiB".to_owned();
        let text = text.trim();
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let number: u64 = number.parse().map_err(|_| wrong())?;
        let factor = match unit.trim() {
            "" => 1,
            unit => Self::UNITS
                .iter()
                .find(|(name, _)| *name == unit)
                .map(|(_, factor)| *factor)
                .ok_or_else(wrong)?,
        };
        number.checked_mul(factor).map(Self).ok_or_else(wrong)
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let binary = &Self::UNITS[..3];
        match binary.iter().find(|(_, size)| self.0 >= *size && self.0 % size == 0) {
            Some((unit, size)) => write!(f, "{}{unit}", self.0 / size),
            None => write!(f, "{}B", self.0),
        }
    }
}

/// A whole number from `MIN` to `MAX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Number<const MIN: u32, const MAX: u32>(u32);

impl<const MIN: u32, const MAX: u32> Number<MIN, MAX> {
    /// The nearest number within the bounds.
    pub const fn clamped(number: u32) -> Self {
        Self(if number < MIN {
            MIN
        } else if number > MAX {
            MAX
        } else {
            number
        })
    }

    pub const fn get(self) -> u32 {
        self.0
    }

    fn wrong() -> String {
        format!("not a whole number from {MIN} to {MAX}")
    }
}

impl<const MIN: u32, const MAX: u32> fmt::Display for Number<MIN, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<const MIN: u32, const MAX: u32> Kind for Number<MIN, MAX> {
    fn describe() -> String {
        format!("whole number, {MIN} to {MAX}")
    }

    fn from_text(text: &str) -> Result<Self, String> {
        text.trim().parse().ok().and_then(Self::from_integer).ok_or_else(Self::wrong)
    }

    fn from_integer(number: i64) -> Option<Self> {
        u32::try_from(number).ok().filter(|number| (MIN..=MAX).contains(number)).map(Self)
    }

    fn to_toml(&self) -> String {
        self.to_string()
    }
}

impl Kind for Bytes {
    fn describe() -> String {
        "size, such as `64MiB`".to_owned()
    }

    fn from_text(text: &str) -> Result<Self, String> {
        text.parse()
    }

    fn from_integer(number: i64) -> Option<Self> {
        u64::try_from(number).ok().map(Self)
    }

    fn to_toml(&self) -> String {
        format!("\"{self}\"")
    }
}

impl Kind for Millis {
    fn describe() -> String {
        "duration, such as `10m` or `1h 30m`".to_owned()
    }

    fn from_text(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| {
            "not a duration; write a number and a unit, such as 30m, 2s or 1h 30m".to_owned()
        })
    }

    fn to_toml(&self) -> String {
        let (number, unit) = match self.0 {
            0 => (0, "s"),
            ms if ms % 3_600_000 == 0 => (ms / 3_600_000, "h"),
            ms if ms % 60_000 == 0 => (ms / 60_000, "m"),
            ms if ms % 1_000 == 0 => (ms / 1_000, "s"),
            ms => (ms, "ms"),
        };
        format!("\"{number}{unit}\"")
    }
}

impl Kind for bool {
    fn describe() -> String {
        "`true` or `false`".to_owned()
    }

    fn from_text(text: &str) -> Result<Self, String> {
        match text.trim() {
            "true" | "1" | "yes" | "on" => Ok(true),
            "false" | "0" | "no" | "off" => Ok(false),
            _ => Err("neither true nor false".to_owned()),
        }
    }

    fn from_bool(value: bool) -> Option<Self> {
        Some(value)
    }

    fn to_toml(&self) -> String {
        self.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_shown_with_units() {
        let read = |text: &str| text.parse::<Bytes>().map(|bytes| bytes.0).ok();
        assert_eq!(read("64MiB"), Some(64 << 20));
        assert_eq!(read("10 kB"), Some(10_000));
        assert_eq!(read("512"), Some(512));
        for text in ["", "MiB", "-1", "1.5GiB", "1 parsec", "99999999999GiB"] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(Bytes::mebibytes(64).to_string(), "64MiB");
        assert_eq!(Bytes(1_000).to_string(), "1000B");
    }
}
