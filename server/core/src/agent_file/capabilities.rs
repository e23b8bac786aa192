//! The catalogue of capabilities: the words by which steps ask for agents, and how texts mention them.

/// The capabilities that built-in workflows and agents use. Agents may have others.
pub const CAPABILITIES: &[&str] = &{
    let mut names = [""; CATALOGUE.len()];
    let mut index = 0;
    while index < names.len() {
        names[index] = CATALOGUE[index].0;
        index += 1;
    }
    names
};

/// Each capability with the beginnings of words that hint at it.
const CATALOGUE: [(&str, &[&str]); 22] = [
    ("accessibility", &["accessib", "a11y", "wcag"]),
    ("api-design", &["api", "endpoint", "openapi", "graphql"]),
    ("architecture", &["architect", "design pattern"]),
    ("backend", &["backend", "server-side"]),
    ("code-review", &["review"]),
    ("coding", &["implement", "coding", "programm", "developer"]),
    ("data-analysis", &["data analy", "dataset", "statistic"]),
    ("database", &["database", "sql", "migration", "schema"]),
    ("debugging", &["debug", "root cause", "bug"]),
    ("dependencies", &["dependenc", "upgrade"]),
    ("deployment", &["deploy", "kubernetes", "docker", "terraform"]),
    ("documentation", &["document", "readme", "tutorial"]),
    ("frontend", &["frontend", "front-end", "css", "react", "user interface"]),
    ("incident-response", &["incident", "postmortem", "on-call"]),
    ("monitoring", &["monitor", "observab", "telemetry", "alert"]),
    ("optimization", &["optimi", "performance", "profil", "latency"]),
    ("planning", &["plan", "roadmap", "break down"]),
    ("refactoring", &["refactor", "clean up", "technical debt"]),
    ("release", &["release", "changelog", "version bump"]),
    ("research", &["research", "investigat", "compare"]),
    ("security-review", &["security", "vulnerab", "threat", "owasp"]),
    ("testing", &["test", "coverage"]),
];

/// How much of a text is looked at, in bytes: what an agent is for stands at the top.
const LOOKED_AT: usize = 4 << 10;
/// The most capabilities that a text can be taken to claim.
const MOST: usize = 5;

/// The capabilities that a text mentions, in the order in which it does.
pub(super) fn infer(text: &str) -> Vec<String> {
    let text = text[..text.floor_char_boundary(LOOKED_AT)].to_lowercase();
    let mut found: Vec<(usize, &str)> = CATALOGUE
        .iter()
        .filter_map(|(capability, hints)| {
            let first = hints.iter().filter_map(|hint| word_start(&text, hint)).min()?;
            Some((first, *capability))
        })
        .collect();
    found.sort_unstable();
    found.into_iter().take(MOST).map(|(_, capability)| capability.to_owned()).collect()
}

/// Where a word of `text` begins with `hint`.
fn word_start(text: &str, hint: &str) -> Option<usize> {
    text.match_indices(hint)
        .map(|(place, _)| place)
        .find(|&place| !text[..place].ends_with(char::is_alphanumeric))
}
