//! Bundler, for Ruby.

use super::{DependencyKind, Found, npm::lines};

/// `Gemfile.lock`: the gems below `specs:` are fixed, those below `DEPENDENCIES` asked for.
pub(super) fn lock(text: &str) -> Result<Vec<Found>, String> {
    let mut section = "";
    let found = lines(text).filter_map(|(at, line)| {
        if !line.starts_with(' ') {
            section = line;
            return None;
        }
        let (kind, entry) = if section == "DEPENDENCIES" {
            (DependencyKind::Normal, line.strip_prefix("  ")?)
        } else {
            // Deeper ones are what a gem needs, which is listed on its own as well.
            let entry = line.strip_prefix("    ").filter(|entry| !entry.starts_with(' '))?;
            entry.ends_with(')').then_some((DependencyKind::Locked, entry))?
        };
        let (name, version) = entry.split_once(' ').unwrap_or((entry, ""));
        Some(Found {
            name: name.trim_end_matches('!').to_owned(),
            version: version.trim_matches(['(', ')']).to_owned(),
            kind,
            at,
        })
    });
    Ok(found.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gems_are_read_with_what_was_asked_for() {
        let text = "GEM\n  remote: https://rubygems.org/\n  specs:\n    rails (7.1.0)\n      rack (>= 2)\n    rack (3.0.0)\n\nDEPENDENCIES\n  rails (~> 7.1)\n  own!\n";
        let found = lock(text).unwrap();
        let all: Vec<_> =
            found.iter().map(|f| (f.name.as_str(), f.version.as_str(), f.kind)).collect();
        assert_eq!(
            all,
            [
                ("rails", "7.1.0", DependencyKind::Locked),
                ("rack", "3.0.0", DependencyKind::Locked),
                ("rails", "~> 7.1", DependencyKind::Normal),
                ("own", "", DependencyKind::Normal),
            ]
        );
    }
}
