//! Finding the byte ranges of secrets in a text.

use super::{
    super::finding::Severity,
    plausible::{entropy, is_placeholder, is_random},
    rules::{ASSIGNMENT, NAMES, PEM_KEY, RULES, Rule, SETTING},
};
use aho_corasick::AhoCorasick;
use regex::Regex;
use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{
        LazyLock,
        atomic::{AtomicBool, Ordering},
    },
};

/// One secret.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Secret {
    pub(super) rule: &'static str,
    pub(super) title: &'static str,
    pub(super) confidence: Severity,
    /// In bytes of the whole text.
    pub(super) value: Range<usize>,
}

impl Secret {
    /// With what belongs to it: the value of a private key is the line before it.
    pub(super) fn whole(&self, text: &str) -> Range<usize> {
        let Range { start, end } = self.value.clone();
        if !text[start..end].starts_with("-----BEGIN") {
            return start..end;
        }
        let after = text[end..].find("-----END").unwrap_or(text.len() - end);
        start..end + after
    }
}

/// How the file writes values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// Generated: only the well-known formats mean something there.
    Generated,
    /// Values are quoted.
    Code,
    /// Values may stand without quotes.
    Settings,
}

impl Style {
    pub(super) fn of(path: &str) -> Self {
        let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
        let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
        if ends(&[
            ".lock",
            "-lock.json",
            "-lock.yaml",
            ".sum",
            ".min.js",
            ".min.css",
            ".map",
            ".svg",
        ]) {
            Self::Generated
        } else if name.starts_with(".env")
            || ends(&[
                ".env",
                ".ini",
                ".cfg",
                ".conf",
                ".properties",
                ".yaml",
                ".yml",
                ".toml",
                ".netrc",
                ".npmrc",
                ".pypirc",
            ])
        {
            Self::Settings
        } else {
            Self::Code
        }
    }
}

/// Longer lines are looked at in tiles of this size, each with something on both sides so that what
/// lies across an edge is whole in one of them. A keyword costs no more than its tile, and all
/// keywords of one tile cost it once.
const TILE: usize = 4 * 1024;
const BEFORE_TILE: usize = 512;
const AFTER_TILE: usize = 2 * 1024;

/// What a keyword calls for.
#[derive(Clone, Copy)]
enum Call {
    Rule(usize),
    Name,
    PemKey,
}

struct Detector {
    keywords: AhoCorasick,
    calls: Vec<Call>,
    rules: Vec<(Regex, &'static Rule)>,
    assignment: Regex,
    setting: Regex,
    pem_key: Regex,
}

impl Detector {
    fn new() -> Result<Self, String> {
        let compile = |pattern: &str| Regex::new(pattern).map_err(|error| error.to_string());
        let mut words = vec!["private key"];
        let mut calls = vec![Call::PemKey];
        for (position, rule) in RULES.iter().enumerate() {
            words.extend(rule.keywords);
            calls.extend(rule.keywords.iter().map(|_| Call::Rule(position)));
        }
        words.extend(NAMES);
        calls.extend(NAMES.iter().map(|_| Call::Name));
        let keywords = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .build(words)
            .map_err(|error| error.to_string())?;
        let rules = RULES
            .iter()
            .map(|rule| Ok((compile(rule.pattern)?, rule)))
            .collect::<Result<_, String>>()?;
        Ok(Self {
            keywords,
            calls,
            rules,
            assignment: compile(ASSIGNMENT)?,
            setting: compile(SETTING)?,
            pem_key: compile(PEM_KEY)?,
        })
    }
}

/// All patterns are constants, and a test compiles them.
static DETECTOR: LazyLock<Result<Detector, String>> = LazyLock::new(Detector::new);

/// Whether secrets can be told at all: a scanner that finds nothing must have looked.
pub(super) fn ready() -> Result<(), &'static str> {
    DETECTOR.as_ref().map(|_| ()).map_err(String::as_str)
}

/// All secrets of a text, in order, none overlapping another. Finds none when it is not [`ready`].
/// Breaks off, with only a part of them, when `cancelled` is set.
pub(super) fn detect(text: &str, style: Style, cancelled: &AtomicBool) -> Vec<Secret> {
    let Ok(detector) = &*DETECTOR else { return Vec::new() };
    let mut found: BTreeMap<usize, Secret> = BTreeMap::new();
    // The last region that each call has seen: a line is tried once for each, not once a keyword.
    let mut seen: Vec<Option<Range<usize>>> = vec![None; detector.rules.len() + 2];
    let mut current: Option<(usize, Range<usize>)> = None;
    for keyword in detector.keywords.find_overlapping_iter(text) {
        let call = detector.calls[keyword.pattern().as_usize()];
        let slot = match call {
            Call::Rule(position) => position,
            Call::Name => detector.rules.len(),
            Call::PemKey => detector.rules.len() + 1,
        };
        if call_is_off(call, style) {
            continue;
        }
        if cancelled.load(Ordering::Relaxed) {
            break;
        }
        let (at, tile) = (keyword.start(), keyword.start() / TILE);
        let region = match &current {
            // Finding it anew for each of many keywords would cost more than the patterns.
            Some((of, region)) if *of == tile && region.contains(&at) => region.clone(),
            _ => region(text, at),
        };
        current = Some((tile, region.clone()));
        if seen[slot].as_ref() == Some(&region) {
            continue;
        }
        seen[slot] = Some(region.clone());
        let mut add = |secret: Secret| keep(&mut found, secret);
        match call {
            Call::Rule(position) => {
                let (pattern, rule) = &detector.rules[position];
                by_rule(text, &region, pattern, rule, &mut add);
            }
            Call::Name => {
                by_name(text, &region, &detector.assignment, &mut add);
                if style == Style::Settings {
                    by_name(text, &region, &detector.setting, &mut add);
                }
            }
            Call::PemKey => by_pem(text, &region, &detector.pem_key, &mut add),
        }
    }
    without_overlaps(found)
}

fn call_is_off(call: Call, style: Style) -> bool {
    matches!(call, Call::Name) && style == Style::Generated
}

/// The line around `at`, or, when it is long, the part of it that lies in the same tile of the text.
fn region(text: &str, at: usize) -> Range<usize> {
    let is_break = |byte: &u8| *byte == b'\n';
    let bytes = text.as_bytes();
    let tile = at - at % TILE;
    let from = tile.saturating_sub(BEFORE_TILE);
    let to = (tile + TILE + AFTER_TILE).min(bytes.len());
    let start = bytes[from..at].iter().rposition(is_break).map_or(from, |i| from + i + 1);
    let end = bytes[at..to].iter().position(is_break).map_or(to, |i| at + i);
    let boundary = |wanted: usize| {
        (wanted..=text.len()).find(|i| text.is_char_boundary(*i)).unwrap_or(text.len())
    };
    boundary(start)..boundary(end)
}

fn by_rule(
    text: &str,
    region: &Range<usize>,
    pattern: &Regex,
    rule: &'static Rule,
    add: &mut dyn FnMut(Secret),
) {
    for captures in pattern.captures_iter(&text[region.clone()]) {
        let Some(value) = captures.get(1) else { continue };
        if entropy(value.as_str()) >= rule.least_entropy && !is_placeholder(value.as_str()) {
            add(Secret {
                rule: rule.id,
                title: rule.title,
                confidence: rule.confidence,
                value: region.start + value.start()..region.start + value.end(),
            });
        }
    }
}

fn by_name(text: &str, region: &Range<usize>, pattern: &Regex, add: &mut dyn FnMut(Secret)) {
    for captures in pattern.captures_iter(&text[region.clone()]) {
        let (Some(name), Some(value)) = (captures.get(1), captures.get(2)) else { continue };
        if let Some((rule, title, confidence)) = judge(name.as_str(), value.as_str()) {
            let value = region.start + value.start()..region.start + value.end();
            add(Secret { rule, title, confidence, value });
        }
    }
}

/// What an assigned value probably is.
fn judge(name: &str, value: &str) -> Option<(&'static str, &'static str, Severity)> {
    const RANDOM_LENGTH: usize = 16;
    const LONG_LENGTH: usize = 24;
    if is_placeholder(value) || !is_random(value) {
        return None;
    }
    let name = name.to_ascii_lowercase();
    let is_password = name.contains("passw") || name.contains("pwd");
    let bits = entropy(value);
    if value.len() >= LONG_LENGTH && bits >= 3.5 {
        Some(("assigned-secret", "high-entropy value", Severity::Medium))
    } else if value.len() >= RANDOM_LENGTH && bits >= 3.2 {
        Some(("assigned-secret", "high-entropy value", Severity::Low))
    } else if is_password && bits >= 2.7 {
        Some(("assigned-password", "password", Severity::Low))
    } else {
        None
    }
}

/// The header alone is often code that reads keys; a body makes it a key.
fn by_pem(text: &str, region: &Range<usize>, pattern: &Regex, add: &mut dyn FnMut(Secret)) {
    const SHORTEST_BODY: usize = 40;
    const LOOKED_AT: usize = 400;
    for header in pattern.find_iter(&text[region.clone()]) {
        let start = region.start + header.end();
        let rest: String = text[start..].chars().take(LOOKED_AT).collect();
        // In a text literal the lines are joined by `\n`.
        let body = rest.replace("\\r", "").replace("\\n", "\n");
        let body_lines =
            body.lines().map(|line| line.trim().trim_matches(['"', '\'', '+', '`', ' ', ',']));
        let longest = body_lines
            .take_while(|line| !line.contains("-----END"))
            .filter(|line| line.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(&b)))
            .map(str::len)
            .max()
            .unwrap_or(0);
        if longest >= SHORTEST_BODY {
            add(Secret {
                rule: "private-key",
                title: "private key",
                confidence: Severity::High,
                value: region.start + header.start()..text.len().min(end_of_line(text, start)),
            });
        }
    }
}

fn end_of_line(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |i| at + i)
}

/// Of two that begin at one place the more certain stays.
fn keep(found: &mut BTreeMap<usize, Secret>, secret: Secret) {
    match found.get(&secret.value.start) {
        Some(other) if other.confidence <= secret.confidence => {}
        _ => {
            found.insert(secret.value.start, secret);
        }
    }
}

fn without_overlaps(found: BTreeMap<usize, Secret>) -> Vec<Secret> {
    let mut kept: Vec<Secret> = Vec::new();
    for secret in found.into_values() {
        match kept.last_mut() {
            Some(last) if secret.value.start < last.value.end => {
                if secret.confidence < last.confidence {
                    *last = secret;
                }
            }
            _ => kept.push(secret),
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str, style: Style) -> Vec<(&'static str, String)> {
        let secrets = detect(text, style, &AtomicBool::new(false));
        secrets.into_iter().map(|s| (s.rule, text[s.value].to_owned())).collect()
    }

    /// Put together at run time, so that this file holds no credential.
    fn random(length: usize) -> String {
        "q7Zk2Xw9Rv4Tb8Nm3Lp6Jh1Gd5Fs0Ya".chars().cycle().take(length).collect()
    }

    #[test]
    fn every_pattern_compiles_and_every_keyword_is_lowercase() {
        assert_eq!(DETECTOR.as_ref().err(), None);
        let keywords = RULES.iter().flat_map(|rule| rule.keywords).chain(NAMES);
        for keyword in keywords {
            assert_eq!(*keyword, keyword.to_lowercase());
        }
    }

    #[test]
    fn well_known_formats_are_found() {
        let upper: String =
            random(64).to_uppercase().chars().filter(|c| !"0189".contains(*c)).collect();
        let hex = "3f9a1c7e5b2d8046".repeat(4);
        let samples = [
            ("aws-access-key", format!("AKIA{}", &upper[..16])),
            ("github-token", format!("ghs_{}", random(36))),
            ("github-fine-token", format!("github_pat_{}", random(40))),
            ("gitlab-token", format!("glpat-{}", random(20))),
            ("slack-token", format!("xoxb-{}", random(30))),
            ("stripe-live-key", format!("sk_live_{}", random(24))),
            ("google-api-key", format!("AIza{}", random(35))),
            ("openai-key", format!("sk-proj-{}", random(48))),
            ("anthropic-key", format!("sk-ant-api03-{}", random(90))),
            ("npm-token", format!("npm_{}", random(36))),
            ("pypi-token", format!("pypi-AgE{}", random(60))),
            ("json-web-token", format!("eyJ{}.eyJ{}.{}", random(20), random(20), random(20))),
            ("digitalocean-token", format!("dop_v1_{hex}")),
        ];
        for (rule, value) in samples {
            for text in [format!("x = \"{value}\";\n"), format!("X={value}\n"), value.clone()] {
                assert_eq!(rules(&text, Style::Code), [(rule, value.clone())], "{text}");
            }
        }
        let text = format!("url = \"https://bob:{}@example.org/\"", random(12));
        assert_eq!(rules(&text, Style::Code), [("url-password", random(12))]);
    }

    #[test]
    fn a_private_key_needs_a_body() {
        let header = ["-----BEGIN RSA PRIVATE", "KEY-----"].join(" ");
        let body = random(64);
        assert_eq!(rules(&format!("{header}\n{body}\n"), Style::Code).len(), 1);
        assert_eq!(rules(&format!("k = \"{header}\\n{body}\\n\""), Style::Code).len(), 1);
        assert_eq!(rules(&format!("if text.starts_with(\"{header}\") {{\n"), Style::Code), []);
    }

    #[test]
    fn assigned_values_are_judged_by_entropy() {
        let long = random(32);
        let code = format!("const API_KEY: &str = 1; api_key = '{long}'; \"secret\": \"{long}\"");
        let found = rules(&code, Style::Code);
        assert_eq!(found, [("assigned-secret", long.clone()), ("assigned-secret", long.clone())]);
        assert_eq!(rules(&format!("DB_PASSWORD={}\n", random(12)), Style::Code), []);
        assert_eq!(
            rules(&format!("A=1\nDB_PASSWORD={}\n", random(12)), Style::Settings),
            [("assigned-password", random(12))]
        );
        for harmless in [
            "token = \"access_token_type_1\"",
            "password = \"changeme123\"",
            "secret: \"${SECRET_1_VALUE_XYZ}\"",
            "tokens = \"1.10.0-beta.2\"",
            "max_tokens: 4096",
        ] {
            assert_eq!(rules(harmless, Style::Settings), [], "{harmless}");
        }
    }

    #[test]
    fn long_lines_are_looked_at_in_tiles() {
        let value = format!("ghp_{}", random(36));
        let line = format!("{}\"{value}\"{}", "a;".repeat(500_000), "b;".repeat(500_000));
        assert_eq!(rules(&line, Style::Code), [("github-token", value.clone())]);
        // Wherever the edge of a tile falls, it is found, once and whole.
        for shift in TILE - 50..TILE + 10 {
            let line = format!("{} {value} {}", "a".repeat(shift), "b".repeat(3 * TILE));
            assert_eq!(rules(&line, Style::Code), [("github-token", value.clone())], "{shift}");
        }
    }

    /// One large file is one visit of the walk: the wish to stop must be heard inside it, too.
    #[test]
    fn the_search_breaks_off_inside_a_text() {
        let text = format!("ghp_{}", random(36));
        assert_eq!(detect(&text, Style::Code, &AtomicBool::new(false)).len(), 1);
        assert_eq!(detect(&text, Style::Code, &AtomicBool::new(true)), []);
    }

    /// What a keyword costs is its region: were they all different, a long line of keywords would
    /// cost its length for each of them.
    #[test]
    fn many_keywords_in_one_line_share_their_regions() {
        let text = "token".repeat(4 * TILE);
        let keywords = (0..text.len()).step_by("token".len());
        let mut regions: Vec<Range<usize>> = keywords.map(|at| region(&text, at)).collect();
        regions.dedup();
        assert_eq!(regions.len(), text.len() / TILE);
        let longest = regions.iter().map(ExactSizeIterator::len).max();
        assert_eq!(longest, Some(BEFORE_TILE + TILE + AFTER_TILE));
    }
}
