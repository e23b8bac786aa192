//! An entry of the key `state`: `~/.agent`, `$AGENT_HOME`, `${AGENT_HOME:-~/.agent}/`.

use super::profile::is_variable;

/// Where an agent keeps logins and settings: the same place wherever the file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateEntry<'t> {
    /// The variable whose value it begins with.
    pub variable: Option<&'t str>,
    /// What it begins with where there is no such value: a path from `/` or `~`. `None`: then it names
    /// nothing.
    pub start: Option<&'t str>,
    /// What follows, without slashes around it.
    pub below: &'t str,
    /// Whether it ends with a slash: a folder that is made where it is missing.
    pub is_made: bool,
}

impl<'t> StateEntry<'t> {
    /// `None` for what is no fixed place.
    pub fn parse(text: &'t str) -> Option<Self> {
        let (variable, start, below) = if let Some(rest) = text.strip_prefix("${") {
            let (inside, below) = rest.split_once('}')?;
            match inside.split_once(":-") {
                Some((name, start)) => (Some(name), Some(start), below),
                None => (Some(inside), None, below),
            }
        } else if let Some(rest) = text.strip_prefix('$') {
            let name = rest.split('/').next().unwrap_or_default();
            (Some(name), None, &rest[name.len()..])
        } else {
            (None, Some(text), "")
        };
        let leads_up = |path: &str| path.split('/').any(|part| part == "..");
        let is_fixed = |path: &str| path == "~" || path.starts_with("~/") || path.starts_with('/');
        let is_good = variable.is_none_or(is_variable)
            && start.is_none_or(|start| is_fixed(start) && !leads_up(start))
            && (below.is_empty() || below.starts_with('/'))
            && !leads_up(below);
        let below = below.trim_matches('/');
        is_good.then_some(Self { variable, start, below, is_made: text.ends_with('/') })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_a_path_or_begins_with_a_variable_that_may_have_a_substitute() {
        let entry =
            |variable, start, below, is_made| Some(StateEntry { variable, start, below, is_made });
        for (text, expected) in [
            ("~/.agent", entry(None, Some("~/.agent"), "", false)),
            ("/srv/agent/", entry(None, Some("/srv/agent/"), "", true)),
            ("$AGENT_HOME", entry(Some("AGENT_HOME"), None, "", false)),
            ("$AGENT_HOME/a/b/", entry(Some("AGENT_HOME"), None, "a/b", true)),
            ("${A:-~/.agent}/", entry(Some("A"), Some("~/.agent"), "", true)),
            ("${A:-~}/.agent", entry(Some("A"), Some("~"), ".agent", false)),
            ("${A}", entry(Some("A"), None, "", false)),
        ] {
            assert_eq!(StateEntry::parse(text), expected, "{text}");
        }
        for text in [
            "",
            ".agent",
            "~agent",
            "$",
            "$1",
            "$A-B",
            "${A",
            "${A:-}",
            "${A:-a}",
            "${A:-~/..}",
            "${A}b",
            "${A:-~/.a}/../b",
            "~/../etc",
            "/..",
            "$A/../b",
            "${$A}",
        ] {
            assert_eq!(StateEntry::parse(text), None, "{text}");
        }
    }
}
