//! Whatever two texts are: what is selected of their hunks is those hunks and nothing else.

use crate::support::{Sandbox, write};
use orchestra_core::{
    ids::HunkId,
    review::{Hunk, HunkContent, LineKind, Review},
};
use proptest::{prelude::*, test_runner::Config};
use std::{fs, path::Path};

/// Few lines that differ, so that there is much that is alike; some end otherwise.
fn text() -> impl Strategy<Value = String> {
    let line = prop::sample::select(vec!["a\n", "b\n", "c\r\n", "\n", "}\n", "d", "e\n", "f\n"]);
    prop::collection::vec(line, 0..60).prop_map(|lines| lines.concat())
}

/// A text, and what edits make of it.
fn edited() -> impl Strategy<Value = [String; 2]> {
    let edit = (any::<prop::sample::Index>(), 0..3_usize, text());
    let edits = prop::collection::vec(edit, 0..4);
    (prop::collection::vec(text(), 1..4), edits).prop_map(|(parts, edits)| {
        let old = parts.concat();
        let mut lines: Vec<String> = old.split_inclusive('\n').map(str::to_owned).collect();
        for (at, count, new) in edits {
            let at = at.index(lines.len() + 1);
            let end = (at + count).min(lines.len());
            let new: String = new.split_inclusive('\n').take(3).collect();
            lines.splice(at..end, [new]);
        }
        [old, lines.concat()]
    })
}

/// Few in the normal run; `PROPTEST_CASES` asks for more.
fn config() -> Config {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    Config { cases: cases.unwrap_or(12), max_shrink_iters: 200, ..Config::default() }
}

/// The lines that hunks add and remove, in order.
fn changes(review: &Review, is_meant: impl Fn(&HunkId) -> bool) -> Vec<(LineKind, String, bool)> {
    let hunks = review.hunks().filter(|(_, hunk)| is_meant(&hunk.id));
    let lines = hunks.flat_map(|(_, hunk)| match &hunk.content {
        HunkContent::Text { lines, .. } => lines.clone(),
        HunkContent::Mode { .. } | HunkContent::Whole { .. } => Vec::new(),
    });
    let changed = lines.filter(|line| line.kind != LineKind::Context);
    changed.map(|line| (line.kind, line.text, line.no_newline)).collect()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_is_selected_and_then_what_is_left_make_the_result(
        files in prop::collection::vec(edited(), 1..4),
        choice in any::<u64>(),
    ) {
        let name = |number: usize| format!("file{number}");
        let put = |folder: &Path, side: usize| {
            for (number, texts) in files.iter().enumerate() {
                write(folder, name(number), &texts[side]);
            }
        };
        let mut sandbox = Sandbox::with(|user| put(user, 0));
        let result = sandbox.work(|src| put(src, 1));
        let review = sandbox.compare(&sandbox.base, &result);
        let ids: Vec<HunkId> = review.hunks().map(|(_, hunk)| hunk.id).collect();
        let is_chosen = |id: &HunkId| {
            let number = ids.iter().position(|known| known == id);
            number.is_some_and(|number| choice >> (number % 64) & 1 == 1)
        };
        let tree = |commit: &str| sandbox.reference(&format!("{commit}^{{tree}}"));

        let none = sandbox.select(&review, []).unwrap();
        prop_assert_eq!(&none.tree, &tree(&sandbox.base));
        let all = sandbox.select(&review, ids.iter().copied()).unwrap();
        prop_assert_eq!((&all.commit, &all.tree), (&result, &tree(&result)));
        let some = sandbox.select(&review, ids.iter().copied().filter(is_chosen)).unwrap();
        prop_assert_eq!(&tree(&some.commit), &some.tree);

        // Git itself makes the same of a patch of the chosen ones alone.
        let mut chosen = review.clone();
        for file in &mut chosen.files {
            file.hunks.retain(|hunk| is_chosen(&hunk.id));
            renumber(&mut file.hunks);
        }
        chosen.files.retain(|file| !file.hunks.is_empty());
        prop_assert_eq!(applied(&sandbox, &chosen), sandbox.files(&some.commit));
        // What is left is the others, line by line.
        let left = sandbox.compare(&some.commit, &result);
        let rest: Vec<_> = changes(&review, |id| !is_chosen(id));
        let found: Vec<_> = changes(&left, |_| true);
        let net = |lines: &[(LineKind, String, bool)]| {
            let count = |kind| lines.iter().filter(|line| line.0 == kind).count() as i64;
            count(LineKind::Added) - count(LineKind::Removed)
        };
        prop_assert_eq!(net(&rest), net(&found));
        let rest = sandbox.select(&left, left.hunks().map(|(_, hunk)| hunk.id)).unwrap();
        prop_assert_eq!(rest.tree, all.tree);
    }
}

/// Says where hunks are on the new side when the others that they came with are left out: git looks for
/// them there.
fn renumber(hunks: &mut [Hunk]) {
    let mut shift = 0;
    for hunk in hunks {
        if let HunkContent::Text { old_start, old_lines, new_start, new_lines, .. } =
            &mut hunk.content
        {
            // A side without lines is told as the line before it.
            let lines_before = i64::from(*old_start) - i64::from(*old_lines > 0) + shift;
            *new_start = u32::try_from(lines_before + i64::from(*new_lines > 0)).unwrap();
            shift += i64::from(*new_lines) - i64::from(*old_lines);
        }
    }
}

/// The files that git makes of the base with a patch of this review.
fn applied(sandbox: &Sandbox, review: &Review) -> Vec<(String, String)> {
    let user = sandbox.user();
    let patch = review.unified(|_, _| String::new());
    if !patch.is_empty() {
        fs::write(sandbox.path("patch"), &patch).unwrap();
        let arguments = ["apply", "--index", "../patch"];
        let applied = crate::support::try_git(&user, &arguments);
        let complaint = String::from_utf8_lossy(&applied.stderr).into_owned();
        assert!(applied.status.success(), "{complaint}\n{patch}");
    }
    let tree = crate::support::git(&user, &["write-tree"]);
    crate::support::git(&user, &["reset", "-q", "--hard"]);
    sandbox.files(&tree)
}
