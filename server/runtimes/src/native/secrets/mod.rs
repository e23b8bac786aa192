//! `secrets.scan`: credentials that were left in files, masked wherever they are shown.

mod detect;
mod plausible;
mod rules;

use super::{
    arguments::{Arguments, GLOB, LIMIT, PATH},
    contract::{Argument, ArgumentKind, Context, DefaultValue, Info, Native, Report, Stop},
    files::{self, Coverage, TextFile},
    finding::{Finding, Severity},
    listing::{Count, Counts, GROUPS, LISTED_ITEMS, counted, halve, listing_file, to_result},
    places::Places,
    ranked::Ranked,
};
use detect::{Style, detect};
use schemars::{JsonSchema, Schema, schema_for};
use serde::{Deserialize, Serialize};
use std::{
    ops::Range,
    sync::atomic::{AtomicBool, Ordering},
};

pub(crate) struct ScanSecrets;

const INFO: Info = Info {
    name: "secrets.scan",
    description: "Finds credentials in files by their formats and by entropy; shows them masked.",
    capabilities: &["secrets.scan", "security", "signals"],
    inline: false,
    arguments: &[
        PATH,
        GLOB,
        Argument {
            name: "confidence",
            kind: ArgumentKind::Choice(&["high", "medium", "low"]),
            default: DefaultValue::Text("low"),
            description: "The least confidence that is reported.",
        },
        LIMIT,
    ],
};

/// What `secrets.scan` found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SecretsResult {
    /// The most certain ones first: `severity` is the confidence, one level lower in tests, fixtures
    /// and examples; `kind` is the rule. `message` and `excerpt` show the value's first characters
    /// at most.
    pub findings: Vec<Finding>,
    /// How many there are, listed or not.
    pub total: u64,
    pub by_confidence: Vec<Count>,
    pub by_rule: Vec<Count>,
    /// How many of them lie in tests, fixtures, examples or documentation.
    pub in_tests: u64,
    pub coverage: Coverage,
}

struct State {
    found: Ranked<Finding>,
    by_confidence: Counts,
    by_rule: Counts,
    in_tests: u64,
}

impl State {
    fn new() -> Self {
        Self {
            found: Ranked::new(LISTED_ITEMS),
            by_confidence: Counts::default(),
            by_rule: Counts::default(),
            in_tests: 0,
        }
    }

    fn merge(mut self, other: Self) -> Self {
        self.found.merge(other.found);
        self.by_confidence.merge(other.by_confidence);
        self.by_rule.merge(other.by_rule);
        self.in_tests += other.in_tests;
        self
    }

    fn add(&mut self, finding: Finding, in_tests: bool) {
        self.by_confidence.add(finding.severity.as_str());
        self.by_rule.add(&finding.kind);
        self.in_tests += u64::from(in_tests);
        self.found.push(finding);
    }
}

impl Native for ScanSecrets {
    fn info(&self) -> Info {
        INFO
    }

    fn result_schema(&self) -> Schema {
        schema_for!(SecretsResult)
    }

    fn run(&self, ctx: &Context<'_>) -> Result<Report, Stop> {
        let arguments = Arguments::read(INFO, ctx.with)?;
        ready()?;
        let options = arguments.files(None);
        let least = match arguments.text("confidence") {
            Some("high") => Severity::High,
            Some("medium") => Severity::Medium,
            _ => Severity::Low,
        };
        let (states, coverage) = files::scan(ctx, &options, State::new, |state, file| {
            let in_tests = is_in_tests(file.path);
            scan_file(ctx.cancelled, file, &mut |finding| {
                if finding.severity <= least {
                    state.add(finding, in_tests);
                }
            });
        })?;
        let state = states.into_iter().fold(State::new(), State::merge);
        let mut by_confidence = state.by_confidence.top(GROUPS);
        by_confidence.sort_by_key(|count| {
            ["high", "medium", "low"].iter().position(|word| *word == count.name)
        });
        let mut result = SecretsResult {
            total: state.found.total(),
            findings: state.found.into_sorted(),
            by_confidence,
            by_rule: state.by_rule.top(GROUPS),
            in_tests: state.in_tests,
            coverage,
        };
        let files = vec![listing_file(ctx, "signals/secrets.json", &result)?];
        result.findings.truncate(arguments.count(LIMIT.name));
        let summary = summary(&result);
        let result = to_result(result, |result| halve(&mut result.findings))?;
        Ok(Report { summary, result, files })
    }
}

fn summary(result: &SecretsResult) -> String {
    let files = counted(result.coverage.files, "file", "files");
    if result.total == 0 {
        return format!("no credentials found in {files}");
    }
    let confidence: Vec<String> = result
        .by_confidence
        .iter()
        .map(|count| format!("{} of {} confidence", count.count, count.name))
        .collect();
    format!(
        "{} in {files}: {}",
        counted(result.total, "possible credential", "possible credentials"),
        confidence.join(", ")
    )
}

/// Whether secrets can be told at all.
pub(super) fn ready() -> Result<(), Stop> {
    detect::ready().map_err(Stop::defect)
}

/// Whether a file lies among tests, fixtures, examples or documentation.
pub(super) fn is_in_tests(path: &str) -> bool {
    plausible::is_test_path(path)
}

/// The possible credentials of one file, in the order in which they stand there.
pub(super) fn scan_file(cancelled: &AtomicBool, file: &TextFile<'_>, add: &mut dyn FnMut(Finding)) {
    let in_tests = is_in_tests(file.path);
    let mut places = Places::new(file.text, cancelled);
    for secret in detect(file.text, Style::of(file.path), cancelled) {
        if cancelled.load(Ordering::Relaxed) {
            return;
        }
        let place = places.find(secret.value.start);
        let value = &file.text[secret.value.clone()];
        let severity = if in_tests { secret.confidence.lower() } else { secret.confidence };
        add(Finding {
            severity,
            path: file.path.to_owned(),
            line: place.line,
            column: place.column,
            kind: secret.rule.to_owned(),
            message: format!("{} {}", secret.title, mask(value)),
            excerpt: place.quote,
            assignee: None,
        });
    }
}

/// What may be shown of a secret.
fn mask(value: &str) -> String {
    format!("{}…", &value[..shown(value)])
}

/// How many bytes of a secret may be shown: four characters, fewer of a short one.
fn shown(value: &str) -> usize {
    const SHOWN_CHARS: usize = 4;
    let count = SHOWN_CHARS.min(value.chars().count() / 4);
    value.char_indices().nth(count).map_or(0, |(i, _)| i)
}

/// What kind of secret a file holds that its content `before` does not, when one of its texts is certain
/// to be one by its format; low marks (entropy, the names of variables) do not count. Wherever the file lies:
/// a credential that is pushed with a test or a document is as public as any. Fails when secrets cannot
/// be told.
pub fn certain_secret(
    path: &str,
    content: &[u8],
    before: &[u8],
) -> Result<Option<&'static str>, &'static str> {
    detect::ready()?;
    let (text, before) = (String::from_utf8_lossy(content), String::from_utf8_lossy(before));
    let secrets = detect(&text, Style::of(path), &AtomicBool::new(false));
    let is_new = |secret: &detect::Secret| !before.contains(&text[secret.whole(&text)]);
    let mut certain = secrets.into_iter().filter(|secret| secret.confidence == Severity::High);
    Ok(certain.find(is_new).map(|secret| secret.title))
}

/// The parts of `text` that must not be shown: all of it when secrets cannot be told.
pub(super) fn hidden(text: &str, cancelled: &AtomicBool) -> Vec<Range<usize>> {
    if detect::ready().is_err() {
        return vec![Range { start: 0, end: text.len() }];
    }
    let hide = |secret: detect::Secret| {
        let value = secret.value;
        value.start + shown(&text[value.clone()])..value.end
    };
    detect(text, Style::Settings, cancelled).into_iter().map(hide).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Put together at run time, so that this file holds no credential.
    fn token(prefix: &str) -> String {
        format!("{prefix}{}", "q7Zk2Xw9Rv4Tb8Nm3Lp6Jh1Gd5Fs0Ya4Ue7c")
    }

    fn scan(path: &str, text: &str) -> Vec<Finding> {
        let mut found = Vec::new();
        let go_on = AtomicBool::new(false);
        scan_file(&go_on, &TextFile { path, text }, &mut |f| found.push(f));
        found
    }

    #[test]
    fn a_secret_is_shown_by_its_first_characters_only() {
        let (one, two) = (token("ghp_"), token("npm_"));
        let text = format!("# notes\nA={one} B={two} # rotate\n");
        let found = scan("deploy/notes.sh", &text);
        let shown: Vec<_> = found
            .iter()
            .map(|f| (f.line, f.kind.as_str(), f.message.as_str(), f.excerpt.as_str(), f.severity))
            .collect();
        assert_eq!(
            shown,
            [
                (2, "github-token", "GitHub token ghp_…", "A=ghp_", Severity::High),
                (2, "npm-token", "npm token npm_…", "B=npm_", Severity::High),
            ]
        );
        let all = format!("{found:?}");
        assert!(!all.contains(&one[4..]) && !all.contains(&two[4..]));
    }

    #[test]
    fn tests_and_examples_rank_lower() {
        let text = format!("token = \"{}\"\n", token("ghp_"));
        assert_eq!(scan("src/a.rs", &text)[0].severity, Severity::High);
        assert_eq!(scan("tests/fixtures/a.rs", &text)[0].severity, Severity::Medium);
    }

    #[test]
    fn what_is_certain_is_told_without_a_scan() {
        let text = format!("key = \"{}\"\n", token("ghp_"));
        let kind = |path: &str, text: &str| certain_secret(path, text.as_bytes(), b"").unwrap();
        assert_eq!(kind("src/a.rs", &text), Some("GitHub token"));
        for path in ["docs/deploy.sh", "README.md", "examples/a.py", "tests/fixtures/a.json"] {
            assert_eq!(kind(path, &text), Some("GitHub token"), "{path}");
        }
        assert_eq!(kind("bin.dat", &format!("a\0{text}")), Some("GitHub token"));
        assert_eq!(
            kind("docs/use.md", "export TOKEN=ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"),
            None
        );
        assert_eq!(kind("src/a.rs", "password = \"correct horse battery\""), None);
    }

    #[test]
    fn a_secret_that_was_there_before_is_no_news_and_a_second_one_is() {
        let before = format!("key = \"{}\"\n", token("ghp_"));
        let kind = |text: &str| certain_secret("src/a.rs", text.as_bytes(), before.as_bytes());
        assert_eq!(kind(&format!("// moved\n{before}")), Ok(None));
        let second = format!("{before}other = \"{}\"\n", token("ghp_Another"));
        assert_eq!(kind(&second), Ok(Some("GitHub token")));
    }

    #[test]
    fn another_private_key_in_place_of_one_is_news() {
        let key = |body: &str| {
            let word = "PRIVATE KEY-----";
            format!("-----BEGIN {word}\n{}{body}\n-----END {word}\n", "MIIEvgIB".repeat(6))
        };
        let (before, after) = (key("ADAN"), key("ADAM"));
        let kind = |text: &str| certain_secret("a.pem", text.as_bytes(), before.as_bytes());
        assert_eq!(kind(&format!("{before}\n")), Ok(None));
        assert_eq!(kind(&after), Ok(Some("private key")));
    }

    #[test]
    fn what_is_quoted_elsewhere_stops_before_a_secret() {
        let secret = token("ghp_");
        let line = format!("// TODO: remove {secret} soon");
        let go_on = AtomicBool::new(false);
        let mut places = Places::new(&line, &go_on);
        assert_eq!(places.find(3).quote, "// TODO: remove ghp_");
        assert_eq!(places.showable(3..line.len()), "TODO: remove ghp_");
        assert_eq!(places.find(line.len() - 2).quote, "soon");
    }
}
