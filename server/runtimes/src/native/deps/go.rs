//! Go modules.

use super::{DependencyKind, Found, npm::lines};

/// `go.mod`: what is required, whether directly or, in the words of the file, indirectly.
pub(super) fn module(text: &str) -> Result<Vec<Found>, String> {
    let mut found = Vec::new();
    let mut in_block = false;
    for (at, line) in lines(text) {
        let (code, comment) = line.split_once("//").unwrap_or((line, ""));
        let code = code.trim();
        let entry = if in_block {
            in_block = code != ")";
            code
        } else if let Some(rest) = code.strip_prefix("require") {
            in_block = rest.trim() == "(";
            rest.trim()
        } else {
            continue;
        };
        let mut words = entry.split_ascii_whitespace();
        if let (Some(name), Some(version), None) = (words.next(), words.next(), words.next()) {
            let is_indirect = comment.trim().starts_with("indirect");
            let kind = if is_indirect { DependencyKind::Locked } else { DependencyKind::Normal };
            let (name, version) = (name.trim_matches('"').to_owned(), version.to_owned());
            found.push(Found { name, version, kind, at });
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_and_single_lines_are_read() {
        let text = "module x\n\ngo 1.22\nrequire a.org/b v1.0.0\nrequire (\n\tc.org/d v2.0.0 // indirect\n\te.org/f v0.1.0\n)\nreplace a.org/b => ../b\n";
        let found = module(text).unwrap();
        let all: Vec<_> =
            found.iter().map(|f| (f.name.as_str(), f.version.as_str(), f.kind)).collect();
        assert_eq!(
            all,
            [
                ("a.org/b", "v1.0.0", DependencyKind::Normal),
                ("c.org/d", "v2.0.0", DependencyKind::Locked),
                ("e.org/f", "v0.1.0", DependencyKind::Normal),
            ]
        );
    }
}
