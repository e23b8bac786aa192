//! Configuration: one typed table of keys, and the layers that set them.

mod kinds;
mod layers;
mod reference;
mod table;

pub use kinds::{Bytes, BytesError, CommandLines, Paths};
pub use layers::Layer;
pub use reference::reference_page;
pub use table::{
    AgentsConfig, ApplyConfig, AttemptConfig, CollectConfig, Config, DaemonConfig, DecisionConfig,
    KEYS, Key, LimitsConfig, McpConfig, MemoryConfig, MergeConfig, RadarConfig, RunConfig,
    SnapshotConfig, StoreConfig, TreeConfig, VerifyConfig,
};

use std::fmt;

/// Where a value was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    Default,
    /// A configuration file, as the user would type its name.
    File {
        file: String,
        line: u32,
    },
    /// An environment variable.
    Variable(&'static str),
    /// A flag of the command line.
    Flag,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { file, line } => write!(f, "{file}:{line}"),
            Self::Variable(name) => write!(f, "${name}"),
            Self::Flag => f.write_str("flag"),
        }
    }
}

/// One key with its value in effect, for `orchestra config`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effective {
    pub key: &'static str,
    pub value: String,
    pub origin: Origin,
}
