//! The languages that are recognised, and how each writes comments and texts.
//!
//! A table of our own, because the crates that count lines bring forty others with them and do not
//! tell where the comments are.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a language is for, so that data and prose do not pass for code.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum LanguageKind {
    Programming,
    Markup,
    Data,
    /// Written for people: every line counts as comment.
    Prose,
    /// Text of an unknown kind: every line counts as code.
    Other,
}

/// One language.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Language {
    pub(crate) name: &'static str,
    pub(crate) kind: LanguageKind,
    pub(crate) syntax: &'static Syntax,
    /// Lowercase, without the dot.
    extensions: &'static [&'static str],
    /// Whole file names.
    names: &'static [&'static str],
    /// Interpreters, without their version.
    interpreters: &'static [&'static str],
}

/// Where a line comment may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Placement {
    Anywhere,
    /// At the start of a line, after white space or after a closing mark.
    Spaced,
    /// As the first thing on a line.
    LineStart,
}

/// How a language writes comments and texts.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Syntax {
    pub(crate) line: &'static [&'static str],
    pub(crate) placement: Placement,
    pub(crate) block: &'static [(&'static str, &'static str)],
    pub(crate) nested: bool,
    /// Longer openings first.
    pub(crate) texts: &'static [Text],
    /// `'x'` is one character, and a lone `'` means something else (a lifetime, a digit separator).
    pub(crate) characters: bool,
    /// `r#"…"#` with any number of `#`.
    pub(crate) raw_hashes: bool,
}

/// A kind of text literal.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) open: &'static str,
    pub(crate) close: &'static str,
    pub(crate) escapes: bool,
    pub(crate) spans_lines: bool,
    /// When it begins a line it is documentation.
    pub(crate) documents: bool,
}

const DOUBLE: Text =
    Text { open: "\"", close: "\"", escapes: true, spans_lines: false, documents: false };
const SINGLE: Text =
    Text { open: "'", close: "'", escapes: true, spans_lines: false, documents: false };
const BACKTICK: Text =
    Text { open: "`", close: "`", escapes: true, spans_lines: true, documents: false };
const RAW_BACKTICK: Text = Text { escapes: false, ..BACKTICK };
const LONG_DOUBLE: Text = Text { spans_lines: true, ..DOUBLE };
const TRIPLE_DOUBLE: Text =
    Text { open: "\"\"\"", close: "\"\"\"", escapes: true, spans_lines: true, documents: true };
const TRIPLE_SINGLE: Text = Text { open: "'''", close: "'''", ..TRIPLE_DOUBLE };
const TRIPLE_TEXT: Text = Text { documents: false, ..TRIPLE_DOUBLE };

const PLAIN: Syntax = Syntax {
    line: &[],
    placement: Placement::Anywhere,
    block: &[],
    nested: false,
    texts: &[],
    characters: false,
    raw_hashes: false,
};
const C: Syntax =
    Syntax { line: &["//"], block: &[("/*", "*/")], texts: &[DOUBLE], characters: true, ..PLAIN };
const JAVA: Syntax = Syntax { texts: &[TRIPLE_TEXT, DOUBLE], ..C };
const RUST: Syntax = Syntax { nested: true, texts: &[LONG_DOUBLE], raw_hashes: true, ..C };
const NESTED_C: Syntax = Syntax { nested: true, texts: &[TRIPLE_TEXT, DOUBLE], ..C };
const GO: Syntax = Syntax { texts: &[RAW_BACKTICK, DOUBLE], ..C };
const JAVASCRIPT: Syntax = Syntax { texts: &[BACKTICK, DOUBLE, SINGLE], characters: false, ..C };
const DART: Syntax =
    Syntax { texts: &[TRIPLE_TEXT, DOUBLE, SINGLE], characters: false, nested: true, ..C };
const PHP: Syntax = Syntax { line: &["//", "#"], texts: &[DOUBLE, SINGLE], characters: false, ..C };
const CSS: Syntax = Syntax { line: &[], texts: &[DOUBLE, SINGLE], characters: false, ..C };
const SCSS: Syntax = Syntax { line: &["//"], placement: Placement::Spaced, ..CSS };
const HASH: Syntax =
    Syntax { line: &["#"], placement: Placement::Spaced, texts: &[DOUBLE, SINGLE], ..PLAIN };
const PYTHON: Syntax = Syntax { texts: &[TRIPLE_DOUBLE, TRIPLE_SINGLE, DOUBLE, SINGLE], ..HASH };
const TOML: Syntax = PYTHON;
const RUBY: Syntax = Syntax { block: &[("\n=begin", "\n=end")], ..HASH };
const PERL: Syntax = Syntax { block: &[("\n=pod", "\n=cut"), ("\n=head", "\n=cut")], ..HASH };
const POWERSHELL: Syntax = Syntax { block: &[("<#", "#>")], ..HASH };
const JULIA: Syntax =
    Syntax { block: &[("#=", "=#")], nested: true, texts: &[TRIPLE_DOUBLE, DOUBLE], ..HASH };
const NIX: Syntax = Syntax { block: &[("/*", "*/")], texts: &[DOUBLE], ..HASH };
const TERRAFORM: Syntax =
    Syntax { line: &["#", "//"], block: &[("/*", "*/")], texts: &[DOUBLE], ..HASH };
const XML: Syntax = Syntax { block: &[("<!--", "-->")], ..PLAIN };
const COMPONENT: Syntax = Syntax {
    line: &["//"],
    placement: Placement::Spaced,
    block: &[("<!--", "-->"), ("/*", "*/")],
    ..PLAIN
};
const SQL: Syntax =
    Syntax { line: &["--"], block: &[("/*", "*/")], texts: &[DOUBLE, SINGLE], ..PLAIN };
const LUA: Syntax =
    Syntax { line: &["--"], block: &[("--[[", "]]")], texts: &[DOUBLE, SINGLE], ..PLAIN };
const HASKELL: Syntax = Syntax {
    line: &["--"],
    block: &[("{-", "-}")],
    nested: true,
    texts: &[DOUBLE],
    characters: true,
    ..PLAIN
};
const ML: Syntax =
    Syntax { block: &[("(*", "*)")], nested: true, texts: &[DOUBLE], characters: true, ..PLAIN };
const FSHARP: Syntax = Syntax { line: &["//"], ..ML };
const LISP: Syntax =
    Syntax { line: &[";"], block: &[("#|", "|#")], nested: true, texts: &[LONG_DOUBLE], ..PLAIN };
const PERCENT: Syntax = Syntax { line: &["%"], ..PLAIN };
const ERLANG: Syntax = Syntax { line: &["%"], texts: &[DOUBLE], ..PLAIN };
const ADA: Syntax = Syntax { line: &["--"], texts: &[DOUBLE], characters: true, ..PLAIN };
const FORTRAN: Syntax = Syntax { line: &["!"], texts: &[DOUBLE, SINGLE], ..PLAIN };
const BASIC: Syntax = Syntax { line: &["'"], texts: &[DOUBLE], ..PLAIN };
const BATCH: Syntax =
    Syntax { line: &["REM ", "rem ", "::"], placement: Placement::LineStart, ..PLAIN };
const VIM: Syntax = Syntax { line: &["\""], placement: Placement::LineStart, ..PLAIN };
const INI: Syntax = Syntax { line: &[";", "#"], placement: Placement::LineStart, ..PLAIN };
const ASSEMBLY: Syntax = Syntax {
    line: &["//", ";", "#", "@"],
    placement: Placement::Spaced,
    block: &[("/*", "*/")],
    texts: &[DOUBLE],
    ..PLAIN
};
const ZIG: Syntax = Syntax { line: &["//"], texts: &[DOUBLE], characters: true, ..PLAIN };
/// For text of an unknown kind: what begins a line like a comment probably is one.
const GUESS: Syntax =
    Syntax { line: &["//", "#", ";", "--", "%"], placement: Placement::LineStart, ..PLAIN };

const fn language(
    name: &'static str,
    kind: LanguageKind,
    syntax: &'static Syntax,
    extensions: &'static [&'static str],
) -> Language {
    Language { name, kind, syntax, extensions, names: &[], interpreters: &[] }
}

use LanguageKind::{Data, Markup, Other, Programming, Prose};

static LANGUAGES: &[Language] = &[
    language("Ada", Programming, &ADA, &["adb", "ads"]),
    language("Assembly", Programming, &ASSEMBLY, &["asm", "s"]),
    language("Batch", Programming, &BATCH, &["bat", "cmd"]),
    language("C", Programming, &C, &["c"]),
    language("C header", Programming, &C, &["h"]),
    language("C#", Programming, &JAVA, &["cs", "csx"]),
    language(
        "C++",
        Programming,
        &C,
        &["cc", "cpp", "cxx", "c++", "hh", "hpp", "hxx", "inl", "ipp", "tpp"],
    ),
    language("Clojure", Programming, &LISP, &["clj", "cljs", "cljc", "edn"]),
    Language { names: &["CMakeLists.txt"], ..language("CMake", Programming, &HASH, &["cmake"]) },
    language("CSS", Markup, &CSS, &["css"]),
    language("CSV", Data, &PLAIN, &["csv", "tsv"]),
    language("CUDA", Programming, &C, &["cu", "cuh"]),
    language("D", Programming, &C, &["d"]),
    language("Dart", Programming, &DART, &["dart"]),
    Language {
        names: &["Dockerfile", "Containerfile"],
        ..language("Dockerfile", Programming, &INI, &["dockerfile"])
    },
    Language {
        interpreters: &["elixir"],
        ..language("Elixir", Programming, &PYTHON, &["ex", "exs"])
    },
    language("Elm", Programming, &HASKELL, &["elm"]),
    Language {
        interpreters: &["escript"],
        ..language("Erlang", Programming, &ERLANG, &["erl", "hrl"])
    },
    language("F#", Programming, &FSHARP, &["fs", "fsi", "fsx"]),
    language("Fortran", Programming, &FORTRAN, &["f90", "f95", "f03", "f08"]),
    language("Go", Programming, &GO, &["go"]),
    language("GraphQL", Programming, &PYTHON, &["graphql", "gql"]),
    Language {
        names: &["Jenkinsfile"],
        ..language("Groovy", Programming, &DART, &["groovy", "gradle"])
    },
    language("Haskell", Programming, &HASKELL, &["hs"]),
    language("HTML", Markup, &XML, &["html", "htm", "xhtml"]),
    Language {
        names: &[".editorconfig", ".gitconfig", ".npmrc"],
        ..language("INI", Data, &INI, &["ini", "cfg", "conf", "properties"])
    },
    language("Java", Programming, &JAVA, &["java"]),
    Language {
        interpreters: &["node", "deno", "bun"],
        ..language("JavaScript", Programming, &JAVASCRIPT, &["js", "jsx", "mjs", "cjs"])
    },
    language("JSON", Data, &C, &["json", "jsonc", "json5", "jsonl", "webmanifest"]),
    language("Julia", Programming, &JULIA, &["jl"]),
    language("Jupyter", Data, &PLAIN, &["ipynb"]),
    language("Kotlin", Programming, &NESTED_C, &["kt", "kts"]),
    language("Less", Markup, &SCSS, &["less"]),
    language("Lisp", Programming, &LISP, &["lisp", "lsp", "el", "scm", "rkt"]),
    Language { interpreters: &["lua", "luajit"], ..language("Lua", Programming, &LUA, &["lua"]) },
    Language {
        names: &["Makefile", "GNUmakefile", "makefile"],
        ..language("Makefile", Programming, &HASH, &["mk", "mak"])
    },
    language("Markdown", Prose, &XML, &["md", "mdx", "markdown"]),
    language("Nix", Programming, &NIX, &["nix"]),
    language("Objective-C", Programming, &C, &["m", "mm"]),
    language("OCaml", Programming, &ML, &["ml", "mli"]),
    language("Patch", Data, &PLAIN, &["patch", "diff"]),
    Language {
        interpreters: &["perl"],
        ..language("Perl", Programming, &PERL, &["pl", "pm", "t"])
    },
    Language { interpreters: &["php"], ..language("PHP", Programming, &PHP, &["php", "phtml"]) },
    Language {
        names: &["LICENSE", "COPYING", "NOTICE", "AUTHORS", "README", "CHANGELOG"],
        ..language("Plain text", Prose, &PLAIN, &["txt", "text"])
    },
    Language {
        interpreters: &["pwsh"],
        ..language("PowerShell", Programming, &POWERSHELL, &["ps1", "psm1", "psd1"])
    },
    language("Protocol Buffers", Programming, &C, &["proto"]),
    Language {
        names: &["SConstruct", "BUILD", "BUILD.bazel", "WORKSPACE"],
        interpreters: &["python", "pypy"],
        ..language("Python", Programming, &PYTHON, &["py", "pyi", "pyw", "bzl"])
    },
    Language { interpreters: &["Rscript"], ..language("R", Programming, &HASH, &["r"]) },
    language("reStructuredText", Prose, &PLAIN, &["rst"]),
    Language {
        names: &["Gemfile", "Rakefile", "Vagrantfile"],
        interpreters: &["ruby"],
        ..language("Ruby", Programming, &RUBY, &["rb", "rake", "gemspec"])
    },
    language("Rust", Programming, &RUST, &["rs"]),
    language("Sass", Markup, &SCSS, &["scss", "sass"]),
    language("Scala", Programming, &NESTED_C, &["scala", "sbt", "sc"]),
    Language {
        names: &[".bashrc", ".profile", ".zshrc", ".envrc", ".env", "PKGBUILD"],
        interpreters: &["sh", "bash", "dash", "zsh", "ksh", "fish"],
        ..language(
            "Shell",
            Programming,
            &HASH,
            &["sh", "bash", "zsh", "fish", "ksh", "bats", "env"],
        )
    },
    language("Solidity", Programming, &JAVASCRIPT, &["sol"]),
    language("SQL", Programming, &SQL, &["sql"]),
    language("Svelte", Markup, &COMPONENT, &["svelte"]),
    language("SVG", Data, &XML, &["svg"]),
    language("Swift", Programming, &NESTED_C, &["swift"]),
    language("Terraform", Programming, &TERRAFORM, &["tf", "tfvars", "hcl"]),
    language("TeX", Prose, &PERCENT, &["tex", "sty", "bib"]),
    Language {
        names: &["Cargo.lock", "poetry.lock", "uv.lock"],
        ..language("TOML", Data, &TOML, &["toml"])
    },
    language("TypeScript", Programming, &JAVASCRIPT, &["ts", "tsx", "mts", "cts"]),
    language("Vim script", Programming, &VIM, &["vim"]),
    language("Visual Basic", Programming, &BASIC, &["vb", "bas", "vbs"]),
    language("Vue", Markup, &COMPONENT, &["vue"]),
    language(
        "XML",
        Data,
        &XML,
        &["xml", "xsd", "xsl", "plist", "csproj", "props", "targets", "resx"],
    ),
    Language {
        names: &["yarn.lock", ".clang-format", ".clang-tidy"],
        ..language("YAML", Data, &HASH, &["yaml", "yml"])
    },
    language("Zig", Programming, &ZIG, &["zig", "zon"]),
];

static UNKNOWN: Language = language("Other text", Other, &GUESS, &[]);

/// The language of a file, from its name, its ending, or the `#!` line of its text.
pub(crate) fn of(path: &str, text: &str) -> &'static Language {
    let name = path.rsplit('/').next().unwrap_or(path);
    let by = |matches: &dyn Fn(&Language) -> bool| LANGUAGES.iter().find(|l| matches(l));
    if let Some(found) = by(&|language| language.names.contains(&name)) {
        return found;
    }
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    if let Some(extension) = extension
        && let Some(found) = by(&|language| language.extensions.contains(&extension.as_str()))
    {
        return found;
    }
    interpreter(text)
        .and_then(|program| by(&|language| language.interpreters.contains(&program)))
        .unwrap_or(&UNKNOWN)
}

/// The program that `#!` names, without its folder and version.
fn interpreter(text: &str) -> Option<&str> {
    let mut words = text.strip_prefix("#!")?.lines().next()?.split_ascii_whitespace();
    let mut program = words.next()?.rsplit('/').next()?;
    if program == "env" {
        program = words.find(|word| !word.starts_with('-') && !word.contains('='))?;
    }
    Some(program.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_told_by_name_ending_and_interpreter() {
        let name = |path, text| of(path, text).name;
        assert_eq!(name("src/main.rs", ""), "Rust");
        assert_eq!(name("deploy/Dockerfile", ""), "Dockerfile");
        assert_eq!(name("A.PY", ""), "Python");
        assert_eq!(name("bin/run", "#!/usr/bin/env -S python3.12 -u\n"), "Python");
        assert_eq!(name("bin/run", "#!/bin/bash\n"), "Shell");
        assert_eq!(name("bin/run", "hello"), "Other text");
    }

    #[test]
    fn no_ending_belongs_to_two_languages() {
        let mut endings: Vec<&str> =
            LANGUAGES.iter().flat_map(|language| language.extensions).copied().collect();
        let all = endings.len();
        endings.sort_unstable();
        endings.dedup();
        assert_eq!(endings.len(), all);
        let names: Vec<String> = LANGUAGES.iter().map(|l| l.name.to_lowercase()).collect();
        assert!(names.is_sorted(), "{names:?}");
    }
}
