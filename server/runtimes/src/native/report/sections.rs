//! One section for each step, with the most important things first.

use super::{
    super::{
        deps::{Dependency, DependencyKind, DepsResult, SeveralVersions},
        finding::{Finding, Severity},
        hotspots::HotspotsResult,
        languages::LanguageKind,
        listing::{Count, counted, grouped},
        metrics::MetricsResult,
        search::SearchResult,
        secrets::SecretsResult,
        todo::TodoResult,
    },
    left_out::read,
    markdown::{Align, block, citation, code, table, text},
};
use orchestra_core::{ports::StepInput, time::Timestamp, view::TaskStatus};

/// One part of the report.
pub(super) struct Section {
    pub(super) title: String,
    pub(super) body: String,
    /// List items for the top of the report.
    pub(super) highlights: Vec<String>,
    /// How many places it quotes.
    pub(super) quotes: u64,
}

use Align::{Left, Right};

impl Section {
    pub(super) fn of(input: &StepInput, top: usize) -> Self {
        let known = match input.executor.as_str() {
            _ if input.status != TaskStatus::Succeeded => None,
            "workspace.metrics" => read(input).map(|result| metrics(&result, top)),
            "workspace.search" => read(input).map(|result| search(input, &result, top)),
            "todo.scan" => read(input).map(|result| todo(input, &result, top)),
            "secrets.scan" => read(input).map(|result| secrets(input, &result, top)),
            "git.hotspots" => read(input).map(|result| hotspots(input, &result, top)),
            "deps.list" => read(input).map(|result| deps(input, &result, top)),
            _ => None,
        };
        let mut section = known.unwrap_or_else(|| other(input));
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

    /// Cites the first `top` findings and says where the others are.
    fn citations(&mut self, input: &StepInput, findings: &[Finding], total: u64, top: usize) {
        for finding in findings.iter().take(top) {
            self.body.push_str(&cite(finding));
            self.body.push('\n');
            self.quotes += 1;
        }
        let shown = findings.len().min(top) as u64;
        if total > shown {
            self.body.push_str(&format!(
                "\n… and {} more{}.\n",
                grouped(total - shown),
                listing(input)
            ));
        }
        self.body.push('\n');
    }
}

fn cite(finding: &Finding) -> String {
    let label = match (finding.kind.as_str(), &finding.assignee) {
        ("match", _) => "matches".to_owned(),
        ("TODO" | "FIXME" | "XXX" | "HACK" | "BUG", Some(who)) => {
            format!("{} ({who})", finding.kind)
        }
        ("TODO" | "FIXME" | "XXX" | "HACK" | "BUG", None) => finding.kind.clone(),
        _ => format!("{}, {} confidence", finding.message, finding.severity.as_str()),
    };
    citation(&finding.path, finding.line, &label, &finding.excerpt)
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

fn metrics(result: &MetricsResult, top: usize) -> Section {
    let mut section = Section::new("Size and languages");
    section.paragraph(&format!(
        "{} with {} of code, {} of comment, {} of data and {} blank lines.",
        counted(result.files, "text file", "text files"),
        counted(result.code, "line", "lines"),
        grouped(result.comment),
        grouped(result.data),
        grouped(result.blank)
    ));
    let mut rows: Vec<Vec<String>> = result
        .languages
        .iter()
        .take(top)
        .map(|language| {
            vec![
                text(&language.name),
                kind(language.kind).to_owned(),
                grouped(language.files),
                grouped(language.code),
                grouped(language.comment),
                grouped(language.blank),
            ]
        })
        .collect();
    let rest = result.languages.get(top..).unwrap_or_default();
    if !rest.is_empty() {
        let sum = |count: fn(&super::super::metrics::LanguageLines) -> u64| {
            grouped(rest.iter().map(count).sum())
        };
        rows.push(vec![
            format!("{} others", rest.len()),
            String::new(),
            sum(|language| language.files),
            sum(|language| language.code),
            sum(|language| language.comment),
            sum(|language| language.blank),
        ]);
    }
    section.table(
        "Languages, by lines of code",
        &["language", "kind", "files", "code", "comment", "blank"],
        &[Left, Left, Right, Right, Right, Right],
        &rows,
    );
    let folders: Vec<Vec<String>> = result
        .folders
        .iter()
        .filter(|folder| folder.code > 0)
        .take(top)
        .map(|folder| {
            vec![
                code(&folder.path),
                grouped(folder.files),
                grouped(folder.code),
                share(folder.code, result.code),
            ]
        })
        .collect();
    if folders.len() > 1 {
        section.table(
            "Where the code is",
            &["folder", "files", "lines of code", "share"],
            &[Left, Right, Right, Right],
            &folders,
        );
    }
    let largest: Vec<Vec<String>> = result
        .largest
        .iter()
        .take(top)
        .map(|file| {
            vec![
                code(&file.path),
                text(&file.language),
                grouped(file.code),
                grouped(file.comment),
                share(file.code, result.code),
            ]
        })
        .collect();
    section.table(
        "Largest files",
        &["file", "language", "code", "comment", "share"],
        &[Left, Left, Right, Right, Right],
        &largest,
    );
    section
}

fn kind(kind: LanguageKind) -> &'static str {
    match kind {
        LanguageKind::Programming => "programming",
        LanguageKind::Markup => "markup",
        LanguageKind::Data => "data",
        LanguageKind::Prose => "prose",
        LanguageKind::Other => "other",
    }
}

/// Rounded to whole percents; computed in integers, so that it is the same everywhere.
fn share(part: u64, whole: u64) -> String {
    match (part.saturating_mul(200) + whole).checked_div(whole.saturating_mul(2)) {
        Some(0) if part > 0 => "< 1 %".to_owned(),
        Some(percent) => format!("{percent} %"),
        None => String::new(),
    }
}

fn todo(input: &StepInput, result: &TodoResult, top: usize) -> Section {
    let mut section = Section::new("Open points in comments");
    if result.total == 0 {
        section.paragraph("No TODO, FIXME, HACK, XXX or BUG was found in comments.");
        return section;
    }
    let kinds: Vec<String> = result
        .by_kind
        .iter()
        .map(|count| format!("{} {}", grouped(count.count), text(&count.name)))
        .collect();
    section.paragraph(&format!(
        "{}: {}.",
        counted(result.total, "open point", "open points"),
        kinds.join(", ")
    ));
    if result.by_folder.len() > 1 {
        let rows = count_rows(&result.by_folder, top, true);
        section.table("By folder", &["folder", "open points"], &[Left, Right], &rows);
    }
    if !result.by_assignee.is_empty() {
        let rows = count_rows(&result.by_assignee, top.min(5), false);
        section.table("Named in them", &["who or what", "open points"], &[Left, Right], &rows);
    }
    section.paragraph("**Most important first**");
    section.citations(input, &result.findings, result.total, top);
    let urgent = result.findings.iter().filter(|finding| finding.severity == Severity::High);
    section.highlights = urgent.take(3).map(cite).collect();
    section
}

fn secrets(input: &StepInput, result: &SecretsResult, top: usize) -> Section {
    let mut section = Section::new("Possible credentials");
    if result.total == 0 {
        section.paragraph(
            "No credential was found in the files that were read. The history was not searched.",
        );
        return section;
    }
    section.paragraph(&format!(
        "{}, {} of them in tests, examples or documentation, where confidence is one level lower. \
         Values are shown by their first characters only. The history was not searched. A credential \
         that was ever committed must be revoked: deleting the line does not help.",
        counted(result.total, "possible credential", "possible credentials"),
        grouped(result.in_tests)
    ));
    let rows = count_rows(&result.by_confidence, top, false);
    section.table("By confidence", &["confidence", "number"], &[Left, Right], &rows);
    if result.by_rule.len() > 1 {
        let rows = count_rows(&result.by_rule, top, true);
        section.table("By kind", &["rule", "number"], &[Left, Right], &rows);
    }
    section.paragraph("**Most certain first**");
    section.citations(input, &result.findings, result.total, top);
    let certain = result.findings.iter().filter(|finding| finding.severity <= Severity::Medium);
    section.highlights = certain.take(4).map(cite).collect();
    section
}

fn hotspots(input: &StepInput, result: &HotspotsResult, top: usize) -> Section {
    let mut section = Section::new("Hotspots");
    if result.commits == 0 {
        let why =
            if result.bounded.is_empty() { "there are no commits yet" } else { &result.bounded };
        section.paragraph(&format!("No history to look at: {}.", text(why)));
        return section;
    }
    let since = result.since.map_or_else(String::new, |since| format!(" since {}", day(since)));
    section.paragraph(&format!(
        "Files that are large and change often are where defects gather and where tests and reviews \
         pay most. {} by {}{since}; {} changed and still there. The score is commits times lines.",
        counted(result.commits, "commit", "commits"),
        counted(result.authors, "author", "authors"),
        counted(result.total, "file", "files"),
    ));
    let rows: Vec<Vec<String>> = result
        .files
        .iter()
        .take(top)
        .map(|file| {
            vec![
                code(&file.path),
                grouped(file.score),
                grouped(file.commits),
                grouped(file.churn),
                grouped(file.authors),
                grouped(file.lines),
                day(file.last_change),
            ]
        })
        .collect();
    section.table(
        "Hottest first",
        &["file", "score", "commits", "lines changed", "authors", "lines", "last change"],
        &[Left, Right, Right, Right, Right, Right, Left],
        &rows,
    );
    if result.total > rows.len() as u64 {
        let more = result.total - rows.len() as u64;
        section.paragraph(&format!("… and {} more{}.", grouped(more), listing(input)));
    }
    // One commit is no history to call a file hot for.
    section.highlights = result
        .files
        .iter()
        .filter(|file| file.commits > 2)
        .take(2)
        .map(|file| {
            format!(
                "- {} changed in {} of {} and has {}",
                code(&file.path),
                grouped(file.commits),
                counted(result.commits, "commit", "commits"),
                counted(file.lines, "line", "lines")
            )
        })
        .collect();
    section
}

/// `2026-11-21`: the time of day says nothing here.
fn day(time: Timestamp) -> String {
    let text = time.to_string();
    text.split('T').next().unwrap_or(&text).to_owned()
}

fn deps(input: &StepInput, result: &DepsResult, top: usize) -> Section {
    let mut section = Section::new("Dependencies");
    if result.manifests_total == 0 {
        section.paragraph("No manifest or lock file of a known kind was found.");
        return section;
    }
    section.paragraph(&format!(
        "{} and {} locked in {}; {} in more than one version.",
        counted(result.direct, "direct dependency", "direct dependencies"),
        grouped(result.locked),
        counted(result.manifests_total, "file", "files"),
        counted(result.several_versions_total, "package", "packages"),
    ));
    let mut manifests: Vec<_> = result.manifests.iter().collect();
    manifests.sort_by(|a, b| b.dependencies.cmp(&a.dependencies).then_with(|| a.path.cmp(&b.path)));
    let rows: Vec<Vec<String>> = manifests
        .iter()
        .take(top)
        .map(|manifest| {
            let kind = if manifest.is_lock { "lock file" } else { "manifest" };
            vec![
                code(&manifest.path),
                manifest.ecosystem.clone(),
                kind.to_owned(),
                grouped(manifest.dependencies),
            ]
        })
        .collect();
    section.table(
        "Files, by number of dependencies",
        &["file", "ecosystem", "kind", "dependencies"],
        &[Left, Left, Left, Right],
        &rows,
    );
    let more = result.manifests_total.saturating_sub(rows.len() as u64);
    if more > 0 {
        section.paragraph(&format!(
            "… and {} more{}.",
            counted(more, "file", "files"),
            listing(input)
        ));
    }
    several(&mut section, input, result, top);
    direct(&mut section, input, result, top);
    section
}

fn several(section: &mut Section, input: &StepInput, result: &DepsResult, top: usize) {
    if result.several_versions.is_empty() {
        return;
    }
    section.paragraph("**In several versions**");
    for package in result.several_versions.iter().take(top) {
        for at in &package.versions {
            let label = format!("{} {}", package.name, at.version);
            section.body.push_str(&citation(&at.path, at.line, &label, &at.excerpt));
            section.body.push('\n');
            section.quotes += 1;
        }
    }
    let more = result.several_versions_total.saturating_sub(top as u64);
    if more > 0 {
        let more = counted(more, "package", "packages");
        section.body.push_str(&format!("\n… and {more} more{}.\n", listing(input)));
    }
    section.body.push('\n');
    if let Some(package) = result.several_versions.first().filter(|it| it.versions.len() > 2) {
        section.highlights.push(highlight(package));
    }
}

fn highlight(package: &SeveralVersions) -> String {
    let versions: Vec<&str> = package.versions.iter().map(|at| at.version.as_str()).collect();
    format!(
        "- {} is locked in {} versions: {}",
        code(&package.name),
        versions.len(),
        text(&versions.join(", "))
    )
}

fn direct(section: &mut Section, input: &StepInput, result: &DepsResult, top: usize) {
    // What only points to the workspace's own table says nothing that the table does not.
    let says_something =
        |it: &&Dependency| it.kind != DependencyKind::Locked && it.version != "workspace";
    let direct: Vec<_> = result.dependencies.iter().filter(says_something).collect();
    if direct.is_empty() {
        return;
    }
    section.paragraph("**Direct dependencies**");
    for dependency in direct.iter().take(top) {
        let kind = match dependency.kind {
            DependencyKind::Normal | DependencyKind::Locked => "",
            DependencyKind::Dev => ", for development",
            DependencyKind::Build => ", for building",
            DependencyKind::Peer => ", as a peer",
            DependencyKind::Optional => ", optional",
        };
        let label = format!("{} ({}{kind})", dependency.name, dependency.ecosystem);
        let line = citation(&dependency.path, dependency.line, &label, &dependency.excerpt);
        section.body.push_str(&line);
        section.body.push('\n');
        section.quotes += 1;
    }
    let more = result.direct.saturating_sub(direct.len().min(top) as u64);
    if more > 0 {
        section.body.push_str(&format!("\n… and {} more{}.\n", grouped(more), listing(input)));
    }
    section.body.push('\n');
}

fn search(input: &StepInput, result: &SearchResult, top: usize) -> Section {
    let mut section = Section::new("Search");
    section.paragraph(&format!(
        "{} for {} in {}.",
        counted(result.total, "line matches", "lines match"),
        code(&result.pattern),
        counted(result.files_with_matches, "file", "files")
    ));
    if result.by_folder.len() > 1 {
        let rows = count_rows(&result.by_folder, top, true);
        section.table("By folder", &["folder", "lines"], &[Left, Right], &rows);
    }
    section.citations(input, &result.findings, result.total, top);
    section
}

/// The section of an agent, of an unknown action, and of a step that has not succeeded.
fn other(input: &StepInput) -> Section {
    /// Enough for an answer; whole documents are artifacts.
    const SHOWN_CHARS: usize = 8_000;
    let mut section = Section::new(input.step.as_str());
    if input.status != TaskStatus::Succeeded {
        let detail = if input.detail.is_empty() {
            String::new()
        } else {
            format!(": {}", text(&input.detail))
        };
        section.paragraph(&format!("This step is {}{detail}.", input.status));
    }
    if !input.output.summary.is_empty() {
        section.paragraph(&text(&input.output.summary));
    }
    let result = match &input.output.result {
        serde_json::Value::Null => String::new(),
        serde_json::Value::String(words) => words.clone(),
        value => serde_json::to_string_pretty(value).unwrap_or_default(),
    };
    if !result.is_empty() {
        let shown: String = result.chars().take(SHOWN_CHARS).collect();
        section.paragraph(block(&shown).trim_end());
        if shown.len() < result.len() {
            section.paragraph("The result is longer; the rest is left out here.");
        }
    }
    if !input.output.artifacts.is_empty() {
        let name = |path: &str| format!("- {}", code(&format!(".orchestra/workspace/{path}")));
        let files: Vec<String> = input.output.artifacts.iter().map(|it| name(&it.path)).collect();
        section.paragraph(&format!("It has written:\n\n{}", files.join("\n")));
    }
    if section.body.is_empty() {
        section.paragraph("This step has handed nothing over.");
    }
    section
}
