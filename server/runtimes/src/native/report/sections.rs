//! One section for each step, with the most important things first.

mod changes;
mod dependencies;
mod documents;
mod findings;
mod history;
mod other;
mod outline;
mod size;

use super::{
    super::listing::{Count, grouped},
    left_out::read,
    markdown::{Align, code, table, text},
};
use orchestra_core::{ports::StepInput, view::TaskStatus};

/// One part of the report.
pub(super) struct Section {
    pub(super) title: String,
    pub(super) body: String,
    /// List items for the top of the report.
    pub(super) highlights: Vec<String>,
    /// How many places it quotes.
    pub(super) quotes: u64,
}

impl Section {
    pub(super) fn of(input: &StepInput, top: usize) -> Self {
        let known = match input.executor.as_str() {
            _ if input.status != TaskStatus::Succeeded => None,
            "changes.review" => read(input).map(|result| changes::review(input, &result, top)),
            "deps.list" => read(input).map(|result| dependencies::deps(input, &result, top)),
            "docs.outline" => read(input).map(|result| documents::documents(input, &result, top)),
            "git.diff" => read(input).map(|result| changes::diff(input, &result, top)),
            "git.history" => read(input).map(|result| history::history(input, &result, top)),
            "git.hotspots" => read(input).map(|result| history::hotspots(input, &result, top)),
            "secrets.scan" => read(input).map(|result| findings::secrets(input, &result, top)),
            "todo.scan" => read(input).map(|result| findings::todo(input, &result, top)),
            "workspace.metrics" => read(input).map(|result| size::metrics(&result, top)),
            "workspace.outline" => read(input).map(|result| outline::outline(input, &result, top)),
            "workspace.search" => read(input).map(|result| findings::search(input, &result, top)),
            _ => None,
        };
        let mut section = known.unwrap_or_else(|| other::other(input));
        section.title = format!("{} (step {})", section.title, input.step);
        section
    }

    fn new(title: &str) -> Self {
        Self { title: title.to_owned(), body: String::new(), highlights: Vec::new(), quotes: 0 }
    }

    fn paragraph(&mut self, words: &str) {
        self.body.push_str(words);
        self.body.push_str("\n\n");
    }

    fn table(&mut self, caption: &str, headers: &[&str], align: &[Align], rows: &[Vec<String>]) {
        if !rows.is_empty() {
            self.body.push_str(&format!("**{caption}**\n\n{}\n", table(headers, align, rows)));
        }
    }

    /// Adds a list item that cites a place.
    fn cited(&mut self, citation: String) {
        self.body.push_str(&citation);
        self.body.push('\n');
        self.quotes += 1;
    }

    /// Ends a list or a table: says how many of its `total` items are not shown, and where they are.
    fn more(&mut self, total: u64, shown: usize, place: &str) {
        let more = total.saturating_sub(shown as u64);
        if more > 0 {
            self.body.push_str(&format!("\n… and {} more{place}.\n", grouped(more)));
        }
        self.body.push('\n');
    }
}

/// Where the full listing is.
fn listing(input: &StepInput) -> String {
    match input.output.artifacts.first() {
        Some(artifact) => {
            format!(" in {}", code(&format!(".orchestra/workspace/{}", artifact.path)))
        }
        None => String::new(),
    }
}

fn count_rows(counts: &[Count], top: usize, as_code: bool) -> Vec<Vec<String>> {
    let name = |count: &Count| if as_code { code(&count.name) } else { text(&count.name) };
    counts.iter().take(top).map(|count| vec![name(count), grouped(count.count)]).collect()
}
