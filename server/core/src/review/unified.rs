//! A review as a patch, for people and for `git apply`.

use super::{Entry, Hunk, HunkContent, Line, LineKind, Review, ReviewFile};
use std::fmt::Write as _;

/// What stands for bytes that are no text.
const REPLACEMENT: char = char::REPLACEMENT_CHARACTER;

/// The bits of a mode that say what it is, and what they say of files and links.
const KIND: u32 = 0o170_000;
const FILE: u32 = 0o100_000;
const LINK: u32 = 0o120_000;

impl Review {
    /// The review as a unified diff, which `git apply` takes where it is about text, links, modes and empty
    /// files; the rest is in comments. Before each file stands who wrote it, and at the end of the line that
    /// begins a hunk its id, with what `note` says of it.
    pub fn unified(&self, note: impl Fn(&ReviewFile, &Hunk) -> String) -> String {
        let mut patch = Patch(String::new());
        for file in &self.files {
            patch.introduce(self, file);
            patch.file(file, &|hunk| {
                let note = one_line(&note(file, hunk));
                if note.is_empty() { hunk.id.to_string() } else { format!("{} {note}", hunk.id) }
            });
        }
        patch.0
    }
}

struct Patch(String);

impl Patch {
    fn line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    /// Comments: what happens to the file, who did it, and what to look at.
    fn introduce(&mut self, review: &Review, file: &ReviewFile) {
        let mut works: Vec<u32> = file.hunks.iter().flat_map(|hunk| hunk.works.clone()).collect();
        works.sort_unstable();
        works.dedup();
        let name = |number: &u32| {
            let work = review.works.get(usize::try_from(*number).ok()?)?;
            Some(format!("{} {} ({})", work.attempt, work.step, one_line(&work.agent)))
        };
        let names: Vec<String> = works.iter().filter_map(name).collect();
        let writers = if names.is_empty() { "not known".to_owned() } else { names.join(", ") };
        self.line(&format!("# {}: {}, by {writers}", one_line(&file.path), file.status));
        if !file.flags.is_empty() {
            let flags: Vec<String> = file.flags.iter().map(ToString::to_string).collect();
            self.line(&format!("# look at it: {}", flags.join(", ")));
        }
        if file.path.contains(REPLACEMENT) || file.hunks.iter().any(is_lossy) {
            self.line(
                "# bytes that are no UTF-8 are shown as U+FFFD: git cannot apply them from here",
            );
        }
    }

    fn file(&mut self, file: &ReviewFile, note: &dyn Fn(&Hunk) -> String) {
        for hunk in &file.hunks {
            match &hunk.content {
                HunkContent::Text { .. } => {}
                HunkContent::Mode { .. } => self.line(&format!("# mode: {}", note(hunk))),
                HunkContent::Whole { old, new } => {
                    self.line(&format!("# whole: {}", note(hunk)));
                    self.whole(&file.path, old.as_ref(), new.as_ref());
                    return;
                }
            }
        }
        self.begin(&file.path, file.old_mode, file.new_mode);
        let mut are_named = false;
        for hunk in &file.hunks {
            if let HunkContent::Text { old_start, old_lines, new_start, new_lines, lines } =
                &hunk.content
            {
                if !are_named {
                    self.names(&file.path, [file.old_mode != 0, file.new_mode != 0]);
                    are_named = true;
                }
                let (old, new) = ((old_start, old_lines), (new_start, new_lines));
                self.line(&format!(
                    "@@ -{},{} +{},{} @@ {}",
                    old.0,
                    old.1,
                    new.0,
                    new.1,
                    note(hunk)
                ));
                lines.iter().for_each(|line| self.text(line));
            }
        }
    }

    /// `diff --git`, and what is said about modes; 0 where there is no file.
    fn begin(&mut self, path: &str, old_mode: u32, new_mode: u32) {
        self.line(&format!("diff --git {} {}", quoted("a/", path), quoted("b/", path)));
        match (old_mode, new_mode) {
            (0, new) => self.line(&format!("new file mode {new:06o}")),
            (old, 0) => self.line(&format!("deleted file mode {old:06o}")),
            (old, new) if old != new => {
                self.line(&format!("old mode {old:06o}\nnew mode {new:06o}"));
            }
            _ => {}
        }
    }

    fn names(&mut self, path: &str, [is_old, is_new]: [bool; 2]) {
        let name = |exists: bool, prefix: &str| match exists {
            // Else what follows a blank in a name could be taken for a time stamp.
            true if path.contains(' ') => format!("{}\t", quoted(prefix, path)),
            true => quoted(prefix, path),
            false => "/dev/null".to_owned(),
        };
        self.line(&format!("--- {}\n+++ {}", name(is_old, "a/"), name(is_new, "b/")));
    }

    fn text(&mut self, line: &Line) {
        let mark = match line.kind {
            LineKind::Context => ' ',
            LineKind::Added => '+',
            LineKind::Removed => '-',
        };
        self.0.push(mark);
        self.line(&line.text);
        if line.no_newline {
            self.line("\\ No newline at end of file");
        }
    }

    /// Both sides of an entry. What git could not apply from here is said in comments.
    fn whole(&mut self, path: &str, old: Option<&Entry>, new: Option<&Entry>) {
        if ![old, new].into_iter().flatten().all(is_writable) {
            let said = |side: Option<&Entry>| side.map_or_else(|| "nothing".to_owned(), shown);
            self.line(&format!("# it was {}, and is {}", said(old), said(new)));
            return;
        }
        let kind = |side: Option<&Entry>| side.map(|entry| entry.mode & KIND);
        // What changes its kind is for git one file that goes and one that comes.
        let steps = match (old, new) {
            (Some(_), Some(_)) if kind(old) != kind(new) => vec![(old, None), (None, new)],
            _ => vec![(old, new)],
        };
        for (old, new) in steps {
            let mode = |side: Option<&Entry>| side.map_or(0, |entry| entry.mode);
            self.begin(path, mode(old), mode(new));
            let target = |side: Option<&Entry>| side.and_then(|entry| entry.link.clone());
            let (before, after) = (target(old), target(new));
            if before.is_none() && after.is_none() {
                continue;
            }
            self.names(path, [old.is_some(), new.is_some()]);
            let (gone, come) = (u8::from(before.is_some()), u8::from(after.is_some()));
            self.line(&format!("@@ -{gone},{gone} +{come},{come} @@"));
            for (kind, target) in [(LineKind::Removed, before), (LineKind::Added, after)] {
                if let Some(text) = target {
                    self.text(&Line { kind, text, no_newline: true });
                }
            }
        }
    }
}

fn is_lossy(hunk: &Hunk) -> bool {
    match &hunk.content {
        HunkContent::Text { lines, .. } => lines.iter().any(|line| line.text.contains(REPLACEMENT)),
        HunkContent::Mode { .. } | HunkContent::Whole { .. } => false,
    }
}

/// Nothing that is said beside a patch begins a line of it.
fn one_line(text: &str) -> String {
    text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Whether the side can be made of what the review says of it: an empty file, or a link.
fn is_writable(entry: &Entry) -> bool {
    let is_line = |target: &String| !target.contains(['\n', REPLACEMENT]);
    match entry.mode & KIND {
        FILE => entry.bytes == Some(0),
        LINK => entry.link.as_ref().is_some_and(is_line),
        _ => false,
    }
}

fn shown(entry: &Entry) -> String {
    let Entry { mode, object, bytes, link } = entry;
    let bytes = bytes.map_or_else(String::new, |bytes| format!(" ({bytes} bytes)"));
    let link = link.as_ref().map_or_else(String::new, |link| format!(" -> {}", one_line(link)));
    format!("{mode:06o} {object}{bytes}{link}")
}

/// A path as git writes it: in quotes when it holds what could end it.
fn quoted(prefix: &str, path: &str) -> String {
    let is_odd = |c: char| c.is_ascii_control() || matches!(c, '"' | '\\');
    if !path.contains(is_odd) {
        return format!("{prefix}{path}");
    }
    let mut quoted = format!("\"{prefix}");
    for c in path.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_ascii_control() => {
                // Writing to a string does not fail.
                let _ = write!(quoted, "\\{:03o}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
