//! A review as lines of text: its files and hunks, who wrote each, what is said of it, and its lines.

use crate::show::style::{self, one_line};
use anstyle::{AnsiColor, Style};
use orchestra_core::{
    change::FlagKind,
    ids::HunkId,
    review::{Entry, Hunk, HunkContent, LineKind, Review, ReviewFile, Verdict},
    view::ReviewView,
};

/// A line of a review, by where it comes from: the text is made when it is shown, because verdicts change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    /// Position in [`Review::files`].
    pub(crate) file: usize,
    /// Position in [`Layout::hunks`].
    pub(crate) hunk: Option<usize>,
    pub(crate) part: Part,
}

/// What of a file or a hunk it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    File,
    Flag(FlagKind),
    Hunk,
    /// Position among the lines of the hunk.
    Line(usize),
    /// What is under a line that ends its file without a line break.
    NoNewline,
    /// A change that has no lines.
    Whole,
}

/// Where a hunk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) id: HunkId,
    /// Position in [`Review::files`], and in [`ReviewFile::hunks`].
    pub(crate) file: usize,
    pub(crate) number: usize,
    /// The row of its head.
    pub(crate) row: usize,
}

/// All rows of a review, in order.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    pub(crate) rows: Vec<Row>,
    pub(crate) hunks: Vec<Place>,
}

/// How a row is to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    Heading,
    Warning,
    Hunk,
    Added,
    Removed,
    Quiet,
}

impl Layout {
    pub(crate) fn of(review: &Review) -> Self {
        let mut layout = Self::default();
        for (file, of_file) in review.files.iter().enumerate() {
            layout.add(file, None, Part::File);
            for flag in &of_file.flags {
                layout.add(file, None, Part::Flag(*flag));
            }
            for (number, hunk) in of_file.hunks.iter().enumerate() {
                let position = Some(layout.hunks.len());
                layout.hunks.push(Place { id: hunk.id, file, number, row: layout.rows.len() });
                layout.add(file, position, Part::Hunk);
                let HunkContent::Text { lines, .. } = &hunk.content else {
                    layout.add(file, position, Part::Whole);
                    continue;
                };
                for (line, of_line) in lines.iter().enumerate() {
                    layout.add(file, position, Part::Line(line));
                    if of_line.no_newline {
                        layout.add(file, position, Part::NoNewline);
                    }
                }
            }
        }
        layout
    }

    fn add(&mut self, file: usize, hunk: Option<usize>, part: Part) {
        self.rows.push(Row { file, hunk, part });
    }

    /// The text of a row, which steers no terminal, and how it is to look.
    pub(crate) fn text(&self, row: &Row, review: &Review, view: &ReviewView) -> (Tone, String) {
        let Some(file) = review.files.get(row.file) else { return (Tone::Plain, String::new()) };
        let place = row.hunk.and_then(|hunk| self.hunks.get(hunk));
        let hunk = place.and_then(|place| file.hunks.get(place.number));
        let (tone, text) = match (row.part, hunk) {
            (Part::File, _) => (Tone::Heading, of_file(file)),
            (Part::Flag(flag), _) => (Tone::Warning, format!("  look at this: {flag}")),
            (Part::Hunk, Some(hunk)) => (Tone::Hunk, of_hunk(hunk, review, view)),
            (Part::Line(line), Some(Hunk { content: HunkContent::Text { lines, .. }, .. })) => {
                match lines.get(line) {
                    Some(line) => (tone(line.kind), format!("{}{}", sign(line.kind), line.text)),
                    None => (Tone::Plain, String::new()),
                }
            }
            (Part::NoNewline, _) => (Tone::Quiet, "\\ No newline at end of file".to_owned()),
            (Part::Whole, Some(hunk)) => (Tone::Plain, format!("  {}", without_lines(hunk))),
            (Part::Hunk | Part::Line(_) | Part::Whole, _) => (Tone::Plain, String::new()),
        };
        (tone, one_line(&text))
    }
}

/// In the colours of its tone.
pub(crate) fn coloured(tone: Tone, text: &str) -> String {
    let style = match tone {
        Tone::Plain => return text.to_owned(),
        Tone::Heading => Style::new().bold(),
        Tone::Warning => Style::new().fg_color(Some(AnsiColor::Yellow.into())),
        Tone::Hunk => Style::new().fg_color(Some(AnsiColor::Cyan.into())),
        Tone::Added => Style::new().fg_color(Some(AnsiColor::Green.into())),
        Tone::Removed => Style::new().fg_color(Some(AnsiColor::Red.into())),
        Tone::Quiet => Style::new().dimmed(),
    };
    format!("{style}{text}{style:#}")
}

fn of_file(file: &ReviewFile) -> String {
    let (added, removed) = lines_of(file);
    let hunks = style::counted(file.hunks.len(), "hunk");
    format!("{}  {}, {hunks}, +{added} -{removed}", file.path, file.status)
}

/// How many lines of a file are added and removed.
fn lines_of(file: &ReviewFile) -> (usize, usize) {
    let lines = file.hunks.iter().flat_map(|hunk| match &hunk.content {
        HunkContent::Text { lines, .. } => lines.as_slice(),
        HunkContent::Mode { .. } | HunkContent::Whole { .. } => &[],
    });
    lines.fold((0, 0), |(added, removed), line| match line.kind {
        LineKind::Added => (added + 1, removed),
        LineKind::Removed => (added, removed + 1),
        LineKind::Context => (added, removed),
    })
}

fn of_hunk(hunk: &Hunk, review: &Review, view: &ReviewView) -> String {
    format!("{}  {}  by {}: {}", range(hunk), hunk.id, authors(hunk, review), said(hunk.id, view))
}

/// Which lines, as a unified diff has them.
pub(crate) fn range(hunk: &Hunk) -> String {
    match &hunk.content {
        HunkContent::Text { old_start, old_lines, new_start, new_lines, .. } => {
            format!("@@ -{old_start},{old_lines} +{new_start},{new_lines} @@")
        }
        HunkContent::Mode { .. } => "@@ mode @@".to_owned(),
        HunkContent::Whole { .. } => "@@ whole file @@".to_owned(),
    }
}

/// The steps and agents who wrote a hunk.
pub(crate) fn authors(hunk: &Hunk, review: &Review) -> String {
    let works = hunk.works.iter().filter_map(|&work| review.works.get(usize::try_from(work).ok()?));
    let names: Vec<String> = works
        .map(|work| {
            let model = work.model.as_ref().map(|model| format!(", {model}")).unwrap_or_default();
            format!("{} ({}, {}{model})", work.step, work.agent, work.attempt)
        })
        .collect();
    if names.is_empty() { "nobody that is known".to_owned() } else { names.join(" and ") }
}

/// What is said of a hunk, in one word or two.
pub(crate) fn said(hunk: HunkId, view: &ReviewView) -> &'static str {
    match view.verdicts.get(&hunk) {
        _ if view.applied.contains(&hunk) => "in your files",
        Some(Verdict::Accepted) => "accepted",
        Some(Verdict::Rejected) => "rejected",
        None => "undecided",
    }
}

/// What changes where there are no lines to show.
fn without_lines(hunk: &Hunk) -> String {
    match &hunk.content {
        HunkContent::Text { .. } => String::new(),
        HunkContent::Mode { old, new } => format!("mode {old:06o} becomes {new:06o}"),
        HunkContent::Whole { old: None, new: Some(new) } => format!("new: {}", of_entry(new)),
        HunkContent::Whole { old: Some(old), new: None } => format!("gone: {}", of_entry(old)),
        HunkContent::Whole { old: Some(old), new: Some(new) } => {
            format!("{} becomes {}", of_entry(old), of_entry(new))
        }
        HunkContent::Whole { old: None, new: None } => String::new(),
    }
}

fn of_entry(entry: &Entry) -> String {
    /// Git's mode of a submodule.
    const SUBMODULE: u32 = 0o160_000;
    let short = entry.object.get(..12).unwrap_or(&entry.object);
    match (&entry.link, entry.bytes) {
        (Some(link), _) => format!("a link to {link}"),
        (None, _) if entry.mode == SUBMODULE => format!("a submodule at {short}"),
        (None, Some(bytes)) => format!("{bytes} bytes ({:06o}, {short})", entry.mode),
        (None, None) => format!("{short} ({:06o})", entry.mode),
    }
}

fn tone(kind: LineKind) -> Tone {
    match kind {
        LineKind::Context => Tone::Plain,
        LineKind::Added => Tone::Added,
        LineKind::Removed => Tone::Removed,
    }
}

fn sign(kind: LineKind) -> char {
    match kind {
        LineKind::Context => ' ',
        LineKind::Added => '+',
        LineKind::Removed => '-',
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::testing::{review, view};

    #[test]
    fn a_review_reads_as_files_hunks_authors_verdicts_flags_and_lines() {
        let (review, mut view) = (review(), view());
        let ids: Vec<HunkId> = review.hunks().map(|(_, hunk)| hunk.id).collect();
        view.verdicts.insert(ids[0], Verdict::Accepted);
        view.verdicts.insert(ids[1], Verdict::Rejected);
        view.applied.insert(ids[3]);
        let layout = Layout::of(&review);
        let text = |row| layout.text(row, &review, &view).1;
        let lines: Vec<String> = layout.rows.iter().map(text).collect();
        let expected = "\
a.py  modified, 2 hunks, +2 -1
@@ -1,2 +1,2 @@  aa01000000  by code (coder, r1.2@1, m1): accepted
-def add(a, b): return a - b
+def add(a, b): return a + b
 
@@ -9,1 +9,2 @@  aa02000000  by code (coder, r1.2@1, m1) and tests (tester, r1.3@2): rejected
 end
+# more
\\ No newline at end of file
.github/ci.yml  added, 1 hunk, +1 -0
  look at this: ci
@@ -0,0 +1,1 @@  bb00000000  by nobody that is known: undecided
+on: \u{fffd}[2Jpush
logo.png  modified, 2 hunks, +0 -0
@@ whole file @@  cc00000000  by code (coder, r1.2@1, m1): in your files
  12 bytes (100644, 1111111111) becomes 20 bytes (100755, 2222222222)
@@ mode @@  dd00000000  by code (coder, r1.2@1, m1): undecided
  mode 100644 becomes 100755";
        assert_eq!(lines.join("\n"), expected);
    }

    #[test]
    fn links_and_submodules_say_where_they_lead() {
        let entry = |mode, link: Option<&str>, bytes| Entry {
            mode,
            object: "0123456789abcdef".to_owned(),
            bytes,
            link: link.map(str::to_owned),
        };
        assert_eq!(of_entry(&entry(0o120_000, Some("../x"), Some(4))), "a link to ../x");
        assert_eq!(of_entry(&entry(0o160_000, None, None)), "a submodule at 0123456789ab");
        assert_eq!(of_entry(&entry(0o100_644, None, Some(0))), "0 bytes (100644, 0123456789ab)");
    }
}
