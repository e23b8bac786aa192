//! Telling real credentials from placeholders, names and examples.

/// Words that stand where a credential would stand.
const PLACEHOLDERS: &[&str] = &[
    "example",
    "xxxx",
    "changeme",
    "change_me",
    "change-me",
    "placeholder",
    "dummy",
    "sample",
    "redacted",
    "replace",
    "insert",
    "your_",
    "your-",
    "yourkey",
    "yourtoken",
    "yoursecret",
    "yourpassword",
    "foobar",
    "notasecret",
    "not-a-secret",
    "not_a_secret",
    "secretkey",
    "fake",
    "mock",
    "0123456789",
    "1234567890",
    "12345678",
    "abcdefgh",
    "deadbeef",
    "${",
    "{{",
    "}}",
    "#{",
    "$(",
    "%(",
    "<",
    ">",
    "...",
    "***",
    "process.env",
    "getenv",
    "environ",
];

/// Whether a value stands for a credential rather than being one.
pub(super) fn is_placeholder(value: &str) -> bool {
    const FEWEST_DIFFERENT: usize = 5;
    let lower = value.to_ascii_lowercase();
    let mut different: Vec<char> = lower.chars().collect();
    different.sort_unstable();
    different.dedup();
    different.len() < FEWEST_DIFFERENT || PLACEHOLDERS.iter().any(|word| lower.contains(word))
}

/// Shannon's entropy in bits for each character.
pub(super) fn entropy(value: &str) -> f64 {
    let mut counts = [0_u32; 256];
    value.bytes().for_each(|byte| counts[usize::from(byte)] += 1);
    let length = value.len() as f64;
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| {
            let share = f64::from(*count) / length;
            -share * share.log2()
        })
        .sum()
}

/// Whether a value could have been drawn at random: letters and digits mixed, not words, not a path,
/// not a version.
pub(super) fn is_random(value: &str) -> bool {
    const LONGEST_WORD: usize = 24;
    let has = |test: fn(&char) -> bool| value.chars().any(|c| test(&c));
    let mixed = has(char::is_ascii_digit) && has(char::is_ascii_alphabetic);
    let is_path = value.starts_with(['/', '.', '~', '@', '$', '%', '&', '(', '[', '{'])
        || value.contains("://")
        || value.contains("::")
        || value.contains("()");
    // `sha256-of-the-archive`, `oauth2.access.token`, `someVariable1`: words, numbered or not.
    let is_word = |part: &str| {
        let letters = part.trim_matches(|c: char| c.is_ascii_digit());
        part.len() <= LONGEST_WORD && letters.chars().all(|c| c.is_ascii_alphabetic())
    };
    let mut words = value.split(['-', '_', '.', '/', ' ', ':']);
    let all_words =
        words.all(|part| is_word(part) || is_word(part.trim_end_matches(char::is_alphabetic)));
    mixed && !is_path && !all_words
}

/// Whether a file exists to test or to show something.
pub(super) fn is_test_path(path: &str) -> bool {
    const FOLDERS: &[&str] = &[
        "test",
        "tests",
        "__tests__",
        "testing",
        "testdata",
        "test_data",
        "spec",
        "specs",
        "fixture",
        "fixtures",
        "__fixtures__",
        "mock",
        "mocks",
        "__mocks__",
        "example",
        "examples",
        "sample",
        "samples",
        "demo",
        "demos",
        "doc",
        "docs",
        "e2e",
        "benches",
        "bench",
        "cassettes",
        "snapshots",
    ];
    let lower = path.to_ascii_lowercase();
    let mut parts: Vec<&str> = lower.split('/').collect();
    let name = parts.pop().unwrap_or_default();
    let stem = name.split('.').next().unwrap_or(name);
    parts.iter().any(|folder| FOLDERS.contains(folder))
        || stem.starts_with("test_")
        || stem.ends_with("_test")
        || stem.ends_with("_tests")
        || stem.ends_with("_spec")
        || stem == "tests"
        || ["test", "spec", "example", "sample", "template", "dist", "md", "rst"]
            .iter()
            .any(|mark| name.split('.').skip(1).any(|part| part == *mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_no_secrets() {
        for value in [
            "xxxxxxxxxxxx",
            "changeme",
            "your_api_key",
            "${TOKEN}",
            "<token>",
            "aaaaaaaa1",
            "AKIAIOSFODNN7EXAMPLE",
        ] {
            assert!(is_placeholder(value), "{value}");
        }
        assert!(!is_placeholder("q7Zk2Xw9Rv4Tb8Nm"));
    }

    #[test]
    fn names_and_versions_are_not_random() {
        for value in [
            "application/json2",
            "oauth2.access.token",
            "my-key-name-1",
            "./path/to/key1",
            "SOME_NAME_2",
            "aVariable1",
            "onlyletters",
            "5.10.2-3",
        ] {
            assert!(!is_random(value), "{value}");
        }
        for value in ["q7Zk2Xw9Rv4Tb8Nm", "a8f5f167f44f4964e6c998dee827110c", "Tr0ub4dor&3x!9"] {
            assert!(is_random(value), "{value}");
        }
    }

    #[test]
    fn entropy_is_in_bits() {
        assert!((entropy("aaaa") - 0.0).abs() < 1e-9);
        assert!((entropy("abcd") - 2.0).abs() < 1e-9);
    }

    #[test]
    fn tests_are_told_by_their_paths() {
        for path in [
            "tests/a.rs",
            "a/__tests__/b.js",
            "x_test.go",
            "a.spec.ts",
            ".env.example",
            "docs/use.html",
        ] {
            assert!(is_test_path(path), "{path}");
        }
        for path in ["src/a.rs", "attest/latest.py", ".env", "contest.go"] {
            assert!(!is_test_path(path), "{path}");
        }
    }
}
