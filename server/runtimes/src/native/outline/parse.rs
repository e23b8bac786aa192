//! One file's symbols, from its syntax tree, within a time that is given.

use super::{
    super::places::Places,
    comments::{self, Comments},
    grammar::{Grammar, Source, Style},
    symbols::{Symbol, SymbolKind},
    visibility::{self, Around},
};
use std::{
    cmp::Reverse,
    ops::{ControlFlow, Range},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};
use tree_sitter::{
    ParseOptions, Parser, QueryCursor, QueryCursorOptions, StreamingIterator as _, Tree,
};

/// What a file turned out to hold.
pub(crate) struct Outlined {
    /// As `workspace.metrics` calls it.
    pub(crate) language: &'static str,
    /// In the order in which their names stand in the file; each with how many others it lies in.
    pub(crate) symbols: Vec<(usize, Symbol)>,
    /// Whether a part of it did not parse; what is around that part is outlined all the same.
    pub(crate) has_errors: bool,
}

/// Why a file has no outline.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NoOutline {
    /// Its language cannot be outlined.
    Language,
    /// The time was up, or the attempt is to stop.
    Stopped,
    /// A query does not fit its grammar, which tests keep from happening.
    Defect(String),
}

/// Reads outlines, one file after the other.
pub(crate) struct Outliner<'a> {
    parser: Parser,
    cursor: QueryCursor,
    cancelled: &'a AtomicBool,
    /// For each file.
    time: Duration,
    /// How many containers a symbol may lie in.
    depth: usize,
}

impl<'a> Outliner<'a> {
    pub(crate) fn new(cancelled: &'a AtomicBool, time: Duration, depth: usize) -> Self {
        let (parser, cursor) = (Parser::new(), QueryCursor::new());
        Self { parser, cursor, cancelled, time, depth }
    }

    /// Whether the language of a file can be outlined.
    pub(crate) fn knows(path: &str, text: &str) -> bool {
        Source::of(path, text).is_some()
    }

    pub(crate) fn read(&mut self, path: &str, text: &str) -> Result<Outlined, NoOutline> {
        let source = Source::of(path, text).ok_or(NoOutline::Language)?;
        let grammar = source.grammar().map_err(|error| NoOutline::Defect(error.to_owned()))?;
        let (cancelled, end) = (self.cancelled, Instant::now() + self.time);
        let go_on = || {
            let stop = cancelled.load(Ordering::Relaxed) || Instant::now() >= end;
            if stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let tree = self.parse(grammar, text, &go_on)?;
        let found = find(&mut self.cursor, grammar, &tree, text, &go_on)?;
        let symbols = self.symbols(grammar, found, path, text);
        // What was quoted after that may show what it should not.
        if cancelled.load(Ordering::Relaxed) {
            return Err(NoOutline::Stopped);
        }
        let has_errors = tree.root_node().has_error();
        Ok(Outlined { language: grammar.name, symbols, has_errors })
    }

    fn parse(
        &mut self,
        grammar: &Grammar,
        text: &str,
        go_on: &dyn Fn() -> ControlFlow<()>,
    ) -> Result<Tree, NoOutline> {
        self.parser.set_language(&grammar.language).map_err(|error| {
            NoOutline::Defect(format!("the grammar of {}: {error}", grammar.name))
        })?;
        let mut progress = |_: &_| go_on();
        let options = ParseOptions::new().progress_callback(&mut progress);
        let bytes = text.as_bytes();
        let mut rest = |at: usize, _| bytes.get(at..).unwrap_or_default();
        let tree = self.parser.parse_with_options(&mut rest, None, Some(options));
        if tree.is_none() {
            // It would go on with this text when it is given the next one.
            self.parser.reset();
        }
        tree.ok_or(NoOutline::Stopped)
    }

    /// Puts what was found into containers.
    fn symbols(
        &self,
        grammar: &Grammar,
        found: Found,
        path: &str,
        text: &str,
    ) -> Vec<(usize, Symbol)> {
        let Found { mut definitions, comments, docstrings } = found;
        definitions.sort_by_key(|it| (it.node.start, Reverse(it.node.end), it.pattern));
        definitions.dedup_by_key(|it| it.name.start);
        let mut comments = Comments::new(text, grammar.style, comments);
        let docstrings = Docstrings::new(docstrings, &definitions);
        let mut open: Vec<Open> = Vec::new();
        let mut symbols = Vec::new();
        for (index, definition) in definitions.into_iter().enumerate() {
            while open.last().is_some_and(|last| !last.holds(&definition.node)) {
                open.pop();
            }
            let (inner, name) = definition.names(grammar, text);
            let around = Around {
                style: grammar.style,
                path,
                before: before(text, definition.node.start),
                header: &text[definition.node.start..definition.name.start],
                parent: open.last().map(|open| (open.kind, open.public)),
            };
            let public = visibility::is_public(&around, name, inner, definition.kind);
            let is_inside_code = open.iter().any(|open| open.kind.is_some_and(SymbolKind::is_code));
            let own = docstrings.of(index);
            if let Some(kind) = definition.kind
                && !is_inside_code
                && open.len() <= self.depth
            {
                let doc = match own {
                    Some(docstring) => comments::first_line(text, docstring),
                    None => comments.above(definition.node.start),
                };
                let mut parts: Vec<&str> = open.iter().map(|open| open.name.as_str()).collect();
                parts.extend(inner);
                let in_type = open.last().is_some_and(|open| open.holds_methods());
                symbols.push(Unplaced {
                    name: definition.name.clone(),
                    node: definition.node.clone(),
                    doc,
                    depth: open.len(),
                    symbol: Symbol {
                        path: path.to_owned(),
                        line: 0,
                        column: 0,
                        name: shown(name),
                        kind: if in_type || inner.is_some() { kind.in_a_type() } else { kind },
                        container: shown(&parts.join(grammar.style.separator())),
                        signature: String::new(),
                        start_line: 0,
                        end_line: 0,
                        doc: String::new(),
                        public,
                    },
                });
            }
            // What `typedef struct a {…} a` names twice does not lie in itself.
            if definition.kind != Some(SymbolKind::Type) {
                let (kind, node, name) = (definition.kind, definition.node, shown(name));
                open.push(Open { kind, name, node, public });
            }
        }
        self.placed(symbols, text)
    }

    /// Adds lines and quotes, for which the text is gone through once.
    fn placed(&self, mut symbols: Vec<Unplaced>, text: &str) -> Vec<(usize, Symbol)> {
        symbols.sort_by_key(|it| it.name.start);
        let lines = Lines::new(text);
        let mut places = Places::new(text, self.cancelled);
        symbols
            .into_iter()
            .map(|Unplaced { name, node, doc, depth, symbol }| {
                let place = places.find(name.start);
                let symbol = Symbol {
                    line: place.line,
                    column: place.column,
                    signature: place.quote,
                    start_line: lines.number(node.start),
                    end_line: lines.number(node.end.saturating_sub(1).max(node.start)),
                    doc: doc.map_or_else(String::new, |doc| shown(places.showable(doc))),
                    ..symbol
                };
                (depth, symbol)
            })
            .collect()
    }
}

/// A symbol whose lines and quotes are not known yet.
struct Unplaced {
    name: Range<usize>,
    node: Range<usize>,
    doc: Option<Range<usize>>,
    depth: usize,
    symbol: Symbol,
}

/// A definition that begins before the one that is looked at and has not ended yet.
struct Open {
    /// `None` for what only gives names to others.
    kind: Option<SymbolKind>,
    name: String,
    node: Range<usize>,
    public: bool,
}

impl Open {
    /// Several names may share one definition, such as `const A, B = 1, 2`: none holds the other.
    fn holds(&self, node: &Range<usize>) -> bool {
        node.start < self.node.end && *node != self.node
    }

    fn holds_methods(&self) -> bool {
        self.kind.is_none_or(SymbolKind::is_type)
    }
}

struct Definition {
    node: Range<usize>,
    name: Range<usize>,
    /// The type of a receiver.
    container: Option<Range<usize>>,
    kind: Option<SymbolKind>,
    pattern: usize,
}

impl Definition {
    /// The container that the definition itself names, and its bare name.
    fn names<'t>(&self, grammar: &Grammar, text: &'t str) -> (Option<&'t str>, &'t str) {
        let name = &text[self.name.clone()];
        if let Some(container) = &self.container {
            let container = text[container.clone()].trim_start_matches('*');
            return (Some(container.split('[').next().unwrap_or(container).trim()), name);
        }
        match (grammar.style, self.kind) {
            // `impl<T> Trait for &Type<T>`.
            (Style::Rust, None) => {
                let bare = name.split('<').next().unwrap_or(name);
                (None, bare.trim_start_matches(['&', '(']).trim())
            }
            (Style::Cpp, Some(SymbolKind::Function)) => match name.rsplit_once("::") {
                Some((container, name)) => (Some(container), name),
                None => (None, name),
            },
            _ => (None, name.trim_matches(['"', '\''])),
        }
    }
}

#[derive(Default)]
struct Found {
    definitions: Vec<Definition>,
    /// Comments, and with `true` what may stand between one and what it documents.
    comments: Vec<(Range<usize>, bool)>,
    docstrings: Vec<Range<usize>>,
}

fn find(
    cursor: &mut QueryCursor,
    grammar: &Grammar,
    tree: &Tree,
    text: &str,
    go_on: &dyn Fn() -> ControlFlow<()>,
) -> Result<Found, NoOutline> {
    let query = &grammar.query;
    let captures = query.capture_names();
    let mut found = Found::default();
    let mut progress = |_: &_| go_on();
    let options = QueryCursorOptions::new().progress_callback(&mut progress);
    let mut matches =
        cursor.matches_with_options(query, tree.root_node(), text.as_bytes(), options);
    while let Some(matched) = matches.next() {
        if go_on().is_break() {
            return Err(NoOutline::Stopped);
        }
        let (mut node, mut name, mut container) = (None, None, None);
        for capture in matched.captures() {
            let range = capture.node.byte_range();
            match captures[capture.index as usize] {
                "name" => name = Some(range),
                "container" => container = Some(range),
                "comment" => found.comments.push((range, false)),
                "attribute" => found.comments.push((range, true)),
                "docstring" => found.docstrings.push(range),
                kind => node = Some((range, SymbolKind::of_capture(kind))),
            }
        }
        if let (Some((node, kind)), Some(name)) = (node, name) {
            let pattern = matched.pattern_index;
            found.definitions.push(Definition { node, name, container, kind, pattern });
        }
    }
    drop(matches);
    // The query was broken off in its middle when the time is up now.
    if go_on().is_break() { Err(NoOutline::Stopped) } else { Ok(found) }
}

/// Texts that stand first in a body, by the definition whose body it is.
struct Docstrings(Vec<(usize, Range<usize>)>);

impl Docstrings {
    fn new(mut texts: Vec<Range<usize>>, definitions: &[Definition]) -> Self {
        texts.sort_by_key(|text| text.start);
        let mut owners = Vec::new();
        for text in texts {
            // Bodies do not overlap, so the last definition to begin before it is its owner.
            let next = definitions.partition_point(|it| it.node.start < text.start);
            if let Some(owner) = next.checked_sub(1)
                && definitions[owner].node.end >= text.end
            {
                owners.push((owner, text));
            }
        }
        Self(owners)
    }

    fn of(&self, definition: usize) -> Option<Range<usize>> {
        let at = self.0.binary_search_by_key(&definition, |(owner, _)| *owner).ok()?;
        Some(self.0[at].1.clone())
    }
}

/// Line numbers of offsets in any order.
struct Lines(Vec<usize>);

impl Lines {
    fn new(text: &str) -> Self {
        Self(memchr::memchr_iter(b'\n', text.as_bytes()).collect())
    }

    /// From one.
    fn number(&self, offset: usize) -> u64 {
        self.0.partition_point(|end| *end < offset) as u64 + 1
    }
}

/// What stands before `offset` on its line.
fn before(text: &str, offset: usize) -> &str {
    let start = text[..offset].rfind('\n').map_or(0, |at| at + 1);
    &text[start..offset]
}

/// A name or a line of documentation, for people.
fn shown(text: &str) -> String {
    /// More than any name that is meant to be read.
    const MOST: usize = 160;
    text.trim().chars().take(MOST).map(|c| if c.is_control() { ' ' } else { c }).collect()
}
