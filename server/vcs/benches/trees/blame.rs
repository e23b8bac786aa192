//! Who wrote each line of a long file with a long history.

use crate::{Result, measuring::Rows, repository::git};
use orchestra_core::review::Work;
use orchestra_vcs::blame::{Apply, Limits, LineAuthor, Request, blame};
use std::{fs, path::Path, time::Duration};

const LINES: usize = 10_000;
const COMMITS: usize = 200;

/// How many lines a commit of the user's changes, and an agent adds.
const CHANGED: usize = 30;
const ADDED: usize = 20;

/// After every so many commits, an agent's work is applied.
const EVERY: usize = 20;

const LIMITS: Limits = Limits { file: 1 << 24, time: Duration::from_secs(600) };

struct Applied {
    operation: String,
    after: String,
    works: Vec<Work>,
}

/// The first round is there to warm up.
pub(crate) fn rows(folder: &Path, measured: usize) -> Result<Rows> {
    let top = folder.join("blamed");
    let applied = history(&top)?;
    let mut rows = Rows::default();
    for _ in 0..=measured {
        rows.time("git blame", || git(&top, &["blame", "--porcelain", "file"]).map(drop))?;
        for (row, count) in [
            ("blame, nothing applied", 0),
            ("blame, an old apply", 1),
            ("blame, 10 applies", COMMITS / EVERY),
        ] {
            let agents = rows.time(row, || agents(&top, &applied[..count]))?;
            if (agents > 0) != (count > 0) {
                return Err(format!("{agents} lines are agents' after {count} applies").into());
            }
        }
    }
    Ok(rows)
}

/// How many lines are agents'.
fn agents(top: &Path, applied: &[Applied]) -> Result<usize> {
    let applies = applied.iter().map(|Applied { operation, after, works }| {
        Ok(Apply { operation: operation.parse()?, after, works })
    });
    let applies: Vec<Apply<'_>> = applies.collect::<Result<_>>()?;
    let lines = blame(&Request {
        root: top,
        path: "file",
        content: None,
        applies: &applies,
        limits: LIMITS,
    })?;
    Ok(lines.iter().filter(|line| matches!(line.author, LineAuthor::Agent { .. })).count())
}

/// The user commits again and again, and what agents have made between.
fn history(top: &Path) -> Result<Vec<Applied>> {
    fs::create_dir(top)?;
    git(top, &["init", "-q", "-b", "main"])?;
    for (key, value) in [("user.name", "bench"), ("user.email", "bench@localhost")] {
        git(top, &["config", key, value])?;
    }
    let mut lines: Vec<String> = (0..LINES).map(|number| format!("let x{number} = 0;")).collect();
    let mut applied = Vec::new();
    save(top, &lines, "first")?;
    for commit in 1..COMMITS {
        for change in 0..CHANGED {
            // Spread over the file, and not always the same.
            let at = (commit * 7_919 + change * 337) % lines.len();
            lines[at] = format!("let x{at} = {commit};");
        }
        save(top, &lines, "more")?;
        if commit % EVERY == EVERY / 2 {
            let base = git(top, &["commit-tree", "-p", "HEAD", "-m", "snapshot", "HEAD^{tree}"])?;
            let at = (commit * 4_001) % lines.len();
            let new = (0..ADDED).map(|number| format!("agents({commit}, {number});"));
            lines.splice(at..at, new);
            save(top, &lines, "all")?;
            let tree = "HEAD^{tree}";
            let work = git(top, &["commit-tree", "-p", &base, "-m", "work", tree])?;
            let after = ["commit-tree", "-p", &base, "-p", &work, "-m", "after", tree];
            let after = git(top, &after)?;
            let number = applied.len() + 1;
            let work = Work {
                attempt: format!("r{number}.1@1").parse()?,
                step: "write".parse()?,
                agent: "coder".to_owned(),
                model: None,
                base,
                commit: work,
            };
            let operation = format!("r{number}/o1");
            applied.push(Applied { operation, after, works: vec![work] });
        }
    }
    git(top, &["gc", "-q"])?;
    Ok(applied)
}

fn save(top: &Path, lines: &[String], message: &str) -> Result<()> {
    fs::write(top.join("file"), lines.join("\n") + "\n")?;
    git(top, &["add", "file"])?;
    git(top, &["commit", "-q", "-m", message]).map(drop)
}
