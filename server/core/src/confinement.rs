//! How the processes of an attempt are held: what was asked for, and what holds them.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What holds the processes of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Confinement {
    /// Linux, by rules that the process has set on itself; `abi` is the version of the kernel's interface.
    Landlock { abi: u32 },
    /// macOS, by a profile of `sandbox-exec`.
    Seatbelt,
    /// Linux, by namespaces that the program `bwrap` has made.
    #[serde(rename = "bwrap")]
    Bubblewrap,
    /// Only the sandbox that the agent brings: its own word that it stays inside.
    Agent,
    /// Nothing.
    None,
}

impl Confinement {
    /// Whether the operating system keeps the processes inside, whatever they are.
    pub fn is_kernel(self) -> bool {
        matches!(self, Self::Landlock { .. } | Self::Seatbelt | Self::Bubblewrap)
    }
}

impl fmt::Display for Confinement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Landlock { abi } => write!(f, "landlock v{abi}"),
            Self::Seatbelt => f.write_str("seatbelt"),
            Self::Bubblewrap => f.write_str("bwrap"),
            Self::Agent => f.write_str("agent"),
            Self::None => f.write_str("none"),
        }
    }
}

/// Which sandbox the user wants; the setting `attempt.sandbox`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SandboxChoice {
    /// The kernel's; where it has none, the agent's own.
    #[default]
    Auto,
    /// The program `bwrap`, or nothing runs.
    #[serde(rename = "bwrap")]
    Bubblewrap,
    /// The agent's own.
    Agent,
    /// None at all.
    None,
}

impl SandboxChoice {
    /// Each by the word that chooses it.
    pub const WORDS: [(&'static str, Self); 4] = [
        ("auto", Self::Auto),
        ("bwrap", Self::Bubblewrap),
        ("agent", Self::Agent),
        ("none", Self::None),
    ];
}

impl fmt::Display for SandboxChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Bubblewrap => "bwrap",
            Self::Agent => "agent",
            Self::None => "none",
        })
    }
}

/// Whose folders an agent uses that keeps logins and settings in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StateMode {
    /// The user's own, so that a login lasts; what the user has configured there is put back.
    #[default]
    Shared,
    /// A copy for each attempt.
    Private,
}

/// A build tool whose downloads are kept between attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cache {
    Cargo,
    Npm,
    Pip,
    Uv,
    Go,
}

impl Cache {
    /// Each by its name in agent files, which is that of its folder, too.
    pub const WORDS: [(&'static str, Self); 5] = [
        ("cargo", Self::Cargo),
        ("npm", Self::Npm),
        ("pip", Self::Pip),
        ("uv", Self::Uv),
        ("go", Self::Go),
    ];
}

impl fmt::Display for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cargo => "cargo",
            Self::Npm => "npm",
            Self::Pip => "pip",
            Self::Uv => "uv",
            Self::Go => "go",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_an_attempt_is_recorded_and_shown() {
        for (confinement, recorded, shown, is_kernel) in [
            (
                Confinement::Landlock { abi: 7 },
                r#"{"type":"landlock","abi":7}"#,
                "landlock v7",
                true,
            ),
            (Confinement::Seatbelt, r#"{"type":"seatbelt"}"#, "seatbelt", true),
            (Confinement::Bubblewrap, r#"{"type":"bwrap"}"#, "bwrap", true),
            (Confinement::Agent, r#"{"type":"agent"}"#, "agent", false),
            (Confinement::None, r#"{"type":"none"}"#, "none", false),
        ] {
            assert_eq!(serde_json::to_string(&confinement).unwrap(), recorded);
            assert_eq!(serde_json::from_str::<Confinement>(recorded).unwrap(), confinement);
            assert_eq!(confinement.to_string(), shown);
            assert_eq!(confinement.is_kernel(), is_kernel);
        }
    }

    #[test]
    fn a_word_means_the_same_everywhere() {
        for (word, choice) in SandboxChoice::WORDS {
            assert_eq!(choice.to_string(), word);
            assert_eq!(serde_json::to_value(choice).unwrap(), word);
        }
        for (word, cache) in Cache::WORDS {
            assert_eq!(cache.to_string(), word);
            assert_eq!(serde_json::to_value(cache).unwrap(), word);
        }
    }
}
