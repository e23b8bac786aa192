//! A symbol: one definition in one file.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a symbol is. Each language is told in these words.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum SymbolKind {
    Module,
    Class,
    Struct,
    Enum,
    Union,
    Interface,
    Trait,
    Type,
    Function,
    Method,
    Constant,
    Variable,
    Macro,
}

impl SymbolKind {
    pub(super) fn of_capture(name: &str) -> Option<Self> {
        Some(match name {
            "module" => Self::Module,
            "class" => Self::Class,
            "struct" => Self::Struct,
            "enum" => Self::Enum,
            "union" => Self::Union,
            "interface" => Self::Interface,
            "trait" => Self::Trait,
            "type" => Self::Type,
            "function" => Self::Function,
            "method" => Self::Method,
            "constant" => Self::Constant,
            "variable" => Self::Variable,
            "macro" => Self::Macro,
            _ => return None,
        })
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Module => "module",
            Self::Class => "class",
            Self::Struct => "struct",
            Self::Enum => "enum",
            Self::Union => "union",
            Self::Interface => "interface",
            Self::Trait => "trait",
            Self::Type => "type",
            Self::Function => "function",
            Self::Method => "method",
            Self::Constant => "constant",
            Self::Variable => "variable",
            Self::Macro => "macro",
        }
    }

    /// Whether what lies inside is how it works, not what it offers.
    pub(super) fn is_code(self) -> bool {
        matches!(
            self,
            Self::Function | Self::Method | Self::Macro | Self::Constant | Self::Variable
        )
    }

    /// Whether the functions inside are its methods.
    pub(super) fn is_type(self) -> bool {
        matches!(
            self,
            Self::Class | Self::Struct | Self::Enum | Self::Union | Self::Interface | Self::Trait
        )
    }

    /// What it is called when it lies in a type.
    pub(super) fn in_a_type(self) -> Self {
        if self == Self::Function { Self::Method } else { self }
    }
}

/// One definition. Sorts by its place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Symbol {
    /// Relative to the workspace's root, with `/` between the parts.
    pub path: String,
    /// The line of its name, from one.
    pub line: u64,
    /// From one, in characters.
    pub column: u64,
    /// Without its container.
    pub name: String,
    pub kind: SymbolKind,
    /// What it lies in, from the outside in: `module::Type`; absent at the top of a file.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub container: String,
    /// Exactly what that line holds, without the white space around it: a part of it when it is long or
    /// when a secret follows.
    pub signature: String,
    /// The first line of the whole definition.
    pub start_line: u64,
    /// The last line of the whole definition.
    pub end_line: u64,
    /// The first line of its documentation; absent when it has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub doc: String,
    /// Whether other files or packages can use it, as far as its declaration tells.
    pub public: bool,
}
