//! A review for tests: two agents, changed lines, a new file, a binary one, and a mode.

use orchestra_core::{
    change::{FileStatus, FlagKind},
    review::{Entry, Hunk, HunkContent, Line, LineKind, Review, ReviewFile, Work},
    view::{ReviewStatus, ReviewView},
};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) fn review() -> Review {
    let work = |attempt: &str, step: &str, agent: &str, model: Option<&str>| Work {
        attempt: attempt.parse().unwrap(),
        step: step.parse().unwrap(),
        agent: agent.to_owned(),
        model: model.map(str::to_owned),
        base: "b".repeat(40),
        commit: "c".repeat(40),
    };
    let changed = ["-def add(a, b): return a - b", "+def add(a, b): return a + b", " "];
    let entry = |mode, digit: &str, bytes| {
        Some(Entry { mode, object: digit.repeat(10), bytes: Some(bytes), link: None })
    };
    let binary =
        HunkContent::Whole { old: entry(0o100_644, "1", 12), new: entry(0o100_755, "2", 20) };
    let mode = HunkContent::Mode { old: 0o100_644, new: 0o100_755 };
    let file = |path: &str, status, flags: &[FlagKind], hunks: Vec<Hunk>| ReviewFile {
        path: path.to_owned(),
        status,
        old_mode: if status == FileStatus::Added { 0 } else { 0o100_644 },
        new_mode: 0o100_644,
        flags: flags.to_vec(),
        hunks,
    };
    Review {
        base: "b".repeat(40),
        result: "d".repeat(40),
        works: vec![
            work("r1.2@1", "code", "coder", Some("m1")),
            work("r1.3@2", "tests", "tester", None),
        ],
        files: vec![
            file(
                "a.py",
                FileStatus::Modified,
                &[],
                vec![
                    hunk("aa01000000", &[0], text([1, 2, 1, 2], &changed)),
                    hunk("aa02000000", &[0, 1], text([9, 1, 9, 2], &[" end", "+# more\\"])),
                ],
            ),
            file(
                ".github/ci.yml",
                FileStatus::Added,
                &[FlagKind::Ci],
                vec![hunk("bb00000000", &[], text([0, 0, 1, 1], &["+on: \u{1b}[2Jpush"]))],
            ),
            file(
                "logo.png",
                FileStatus::Modified,
                &[],
                vec![hunk("cc00000000", &[0], binary), hunk("dd00000000", &[0], mode)],
            ),
        ],
    }
}

/// Nothing of it is judged.
pub(crate) fn view() -> ReviewView {
    ReviewView {
        status: ReviewStatus::Open,
        failure: None,
        data: None,
        files: 3,
        hunks: 5,
        added: 3,
        removed: 1,
        doubts: Vec::new(),
        verdicts: BTreeMap::new(),
        applied: BTreeSet::new(),
    }
}

fn hunk(id: &str, works: &[u32], content: HunkContent) -> Hunk {
    Hunk { id: id.parse().unwrap(), works: works.to_vec(), content }
}

/// Lines as in a unified diff; one that ends with a backslash has no line break.
fn text(range: [u32; 4], lines: &[&str]) -> HunkContent {
    let [old_start, old_lines, new_start, new_lines] = range;
    let line = |line: &&str| {
        let (sign, text) = line.split_at(1);
        let kind = match sign {
            "+" => LineKind::Added,
            "-" => LineKind::Removed,
            _ => LineKind::Context,
        };
        let whole = text.strip_suffix('\\');
        Line { kind, text: whole.unwrap_or(text).to_owned(), no_newline: whole.is_some() }
    };
    let lines = lines.iter().map(line).collect();
    HunkContent::Text { old_start, old_lines, new_start, new_lines, lines }
}
