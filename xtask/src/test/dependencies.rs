//! `docs/dependencies.md` names every direct dependency and every tool, with a reason, and nothing
//! else.

use crate::{checkout::Package, packages, tools};
use anyhow::Context as _;
use std::{collections::BTreeSet, fs, path::Path};

const PAGE: &str = "docs/dependencies.md";

/// Returns how many dependencies and tools the page names.
pub(super) fn check(root: &Path, packages: &[Package]) -> anyhow::Result<usize> {
    let page = fs::read_to_string(root.join(PAGE)).with_context(|| format!("read {PAGE}"))?;
    let problems = problems(&page, &needed(packages));
    anyhow::ensure!(problems.is_empty(), "{}", problems.join("\n"));
    Ok(named(&page).count())
}

fn needed(packages: &[Package]) -> BTreeSet<String> {
    let direct = packages.iter().flat_map(|package| &package.dependencies);
    let foreign = direct.filter(|dependency| dependency.path.is_none());
    let tools = tools::ALL.iter().map(|tool| tool.name.to_owned());
    let installed = packages::ALL.iter().map(|package| package.name.to_owned());
    foreign.map(|dependency| dependency.name.clone()).chain(tools).chain(installed).collect()
}

fn problems(page: &str, needed: &BTreeSet<String>) -> Vec<String> {
    let mut problems = Vec::new();
    let mut seen = BTreeSet::new();
    for (line, name, reason) in named(page) {
        let at = format!("{PAGE}:{line}");
        if !needed.contains(name) {
            problems.push(format!("{at}: nothing depends on {name}; remove its line"));
        }
        if !seen.insert(name) {
            problems.push(format!("{at}: {name} is named twice"));
        }
        if reason.is_empty() {
            problems.push(format!("{at}: {name} has no reason"));
        }
    }
    for name in needed.iter().filter(|name| !seen.contains(name.as_str())) {
        problems.push(format!("{PAGE}: add a line \"- `{name}`: why it is needed\""));
    }
    problems
}

/// The lines of the form "- `name`: reason", with their numbers.
fn named(page: &str) -> impl Iterator<Item = (usize, &str, &str)> {
    page.lines().enumerate().filter_map(|(index, line)| {
        let (name, rest) = line.strip_prefix("- `")?.split_once('`')?;
        Some((index + 1, name, rest.trim_start_matches(':').trim()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems_of(page: &str) -> Vec<String> {
        problems(page, &["serde", "tokio"].map(str::to_owned).into())
    }

    #[test]
    fn a_page_that_names_each_dependency_once_is_complete() {
        assert_eq!(problems_of("# Title\n\n- `serde`: data\n- `tokio`: sockets\n"), [""; 0]);
    }

    #[test]
    fn what_is_missing_superfluous_double_or_bare_is_named_with_its_line() {
        let page = "- `serde`: data\n- `serde`: data\n- `left-pad`: why not\n- `tokio`:\n";
        assert_eq!(
            problems_of(page),
            [
                "docs/dependencies.md:2: serde is named twice",
                "docs/dependencies.md:3: nothing depends on left-pad; remove its line",
                "docs/dependencies.md:4: tokio has no reason",
            ]
        );
        assert_eq!(
            problems_of("- `serde`: data"),
            ["docs/dependencies.md: add a line \"- `tokio`: why it is needed\""]
        );
    }
}
