//! Whether a definition can be used from elsewhere, as far as its own words tell.

use super::{grammar::Style, symbols::SymbolKind};

/// What stands around a name.
pub(super) struct Around<'t> {
    pub(super) style: Style,
    pub(super) path: &'t str,
    /// On the line of the definition, before it.
    pub(super) before: &'t str,
    /// From the definition's begin to its name.
    pub(super) header: &'t str,
    /// The kind of what it lies in (none for `impl` blocks), and whether that is public.
    pub(super) parent: Option<(Option<SymbolKind>, bool)>,
}

/// `container` is what the definition itself names, such as a receiver's type.
pub(super) fn is_public(
    around: &Around<'_>,
    name: &str,
    container: Option<&str>,
    kind: Option<SymbolKind>,
) -> bool {
    let has_word = |word| around.header.split_whitespace().any(|it| it == word);
    let parent_is_public = around.parent.is_none_or(|(_, public)| public);
    match around.style {
        // What an `impl` block of a trait holds is as public and as documented as the trait.
        Style::Rust if kind.is_none() => !has_word("for"),
        Style::Rust => match around.parent {
            Some((Some(SymbolKind::Trait), public)) => public,
            _ => parent_is_public && around.header.split_whitespace().next() == Some("pub"),
        },
        Style::JavaScript => match around.parent {
            None => around.before.split_whitespace().next() == Some("export"),
            Some((_, public)) => {
                public && !has_word("private") && !has_word("protected") && !name.starts_with('#')
            }
        },
        Style::Python => parent_is_public && (!name.starts_with('_') || name.ends_with("__")),
        Style::Go => [Some(name), container]
            .into_iter()
            .flatten()
            .all(|name| name.starts_with(char::is_uppercase)),
        Style::Java => {
            let of_interface = matches!(around.parent, Some((Some(SymbolKind::Interface), _)));
            parent_is_public && (has_word("public") || of_interface)
        }
        Style::C | Style::Cpp => {
            const HEADERS: [&str; 8] = ["h", "hh", "hpp", "hxx", "inl", "ipp", "tpp", "cuh"];
            let ending = around.path.rsplit('.').next().unwrap_or_default();
            // A linker sees the functions of every file, and nothing else of a file that is no header.
            let is_seen = matches!(kind, Some(SymbolKind::Function | SymbolKind::Module));
            let is_shared = is_seen || HEADERS.contains(&ending);
            parent_is_public && is_shared && !has_word("static")
        }
    }
}
