//! The languages that can be outlined: a grammar, a query of our own, and what counts as documentation.

use super::super::languages;
use std::sync::OnceLock;
use tree_sitter::{Language, Query};

/// One language, ready to be asked.
pub(super) struct Grammar {
    /// As `workspace.metrics` calls it.
    pub(super) name: &'static str,
    pub(super) style: Style,
    pub(super) language: Language,
    pub(super) query: Query,
}

/// How a language says what is public and what is documentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    C,
    Cpp,
    Go,
    Java,
    /// TypeScript, too.
    JavaScript,
    Python,
    Rust,
}

impl Style {
    /// What stands between a container and what lies in it.
    pub(super) fn separator(self) -> &'static str {
        match self {
            Self::Rust | Self::Cpp => "::",
            _ => ".",
        }
    }

    /// Whether a comment right above a definition, which begins with `text`, documents it.
    pub(super) fn is_doc_comment(self, text: &str) -> bool {
        let is_block = text.starts_with("/**") && !text.starts_with("/**/");
        match self {
            Self::Rust => is_block || (text.starts_with("///") && !text.starts_with("////")),
            Self::Java | Self::JavaScript => is_block,
            Self::Go | Self::C | Self::Cpp => true,
            Self::Python => false,
        }
    }
}

/// Reads files of one language.
pub(super) struct Source {
    name: &'static str,
    /// Of the files that it reads, where another one reads the others, such as `.tsx`.
    ending: Option<&'static str>,
    style: Style,
    language: fn() -> Language,
    query: &'static str,
    /// Made when the first file is met: not every workspace has all languages.
    grammar: OnceLock<Result<Grammar, String>>,
}

const CPP: &str = include_str!("queries/cpp.scm");
const TYPESCRIPT: &str = include_str!("queries/typescript.scm");

static SOURCES: [Source; 10] = [
    Source::new(
        "C",
        None,
        Style::C,
        || tree_sitter_c::LANGUAGE.into(),
        include_str!("queries/c.scm"),
    ),
    // Whose header it is cannot be told from its name; C++ reads what C reads.
    Source::new("C header", None, Style::Cpp, || tree_sitter_cpp::LANGUAGE.into(), CPP),
    Source::new("C++", None, Style::Cpp, || tree_sitter_cpp::LANGUAGE.into(), CPP),
    Source::new(
        "Go",
        None,
        Style::Go,
        || tree_sitter_go::LANGUAGE.into(),
        include_str!("queries/go.scm"),
    ),
    Source::new(
        "Java",
        None,
        Style::Java,
        || tree_sitter_java::LANGUAGE.into(),
        include_str!("queries/java.scm"),
    ),
    Source::new(
        "JavaScript",
        None,
        Style::JavaScript,
        || tree_sitter_javascript::LANGUAGE.into(),
        include_str!("queries/javascript.scm"),
    ),
    Source::new(
        "Python",
        None,
        Style::Python,
        || tree_sitter_python::LANGUAGE.into(),
        include_str!("queries/python.scm"),
    ),
    Source::new(
        "Rust",
        None,
        Style::Rust,
        || tree_sitter_rust::LANGUAGE.into(),
        include_str!("queries/rust.scm"),
    ),
    Source::new(
        "TypeScript",
        Some(".tsx"),
        Style::JavaScript,
        || tree_sitter_typescript::LANGUAGE_TSX.into(),
        TYPESCRIPT,
    ),
    Source::new(
        "TypeScript",
        None,
        Style::JavaScript,
        || tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(),
        TYPESCRIPT,
    ),
];

impl Source {
    const fn new(
        name: &'static str,
        ending: Option<&'static str>,
        style: Style,
        language: fn() -> Language,
        query: &'static str,
    ) -> Self {
        Self { name, ending, style, language, query, grammar: OnceLock::new() }
    }

    /// What reads a file; `None` when its language cannot be outlined.
    pub(super) fn of(path: &str, text: &str) -> Option<&'static Self> {
        let language = languages::of(path, text).name;
        SOURCES.iter().find(|source| {
            source.name == language && source.ending.is_none_or(|ending| path.ends_with(ending))
        })
    }

    /// The error is one of the query, which tests keep from happening.
    pub(super) fn grammar(&self) -> Result<&Grammar, &str> {
        let compiled = self.grammar.get_or_init(|| {
            let language = (self.language)();
            let query = Query::new(&language, self.query).map_err(|error| {
                format!("the query for {} does not fit its grammar: {error}", self.name)
            })?;
            Ok(Grammar { name: self.name, style: self.style, language, query })
        });
        compiled.as_ref().map_err(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_query_fits_its_grammar() {
        for source in &SOURCES {
            assert_eq!(source.grammar().err(), None);
        }
    }

    #[test]
    fn files_are_read_by_the_grammar_of_their_language() {
        let read_by = |path, text| Source::of(path, text).map(|it| (it.name, it.ending));
        assert_eq!(read_by("a.tsx", ""), Some(("TypeScript", Some(".tsx"))));
        assert_eq!(read_by("a.ts", ""), Some(("TypeScript", None)));
        assert_eq!(read_by("include/a.h", ""), Some(("C header", None)));
        assert_eq!(read_by("run", "#!/usr/bin/env python3\n"), Some(("Python", None)));
        assert_eq!(read_by("a.rb", ""), None);
    }
}
