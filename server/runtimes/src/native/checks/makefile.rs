//! The targets of a Makefile that check something.

use super::{
    detect::{CheckKind, Found},
    projects::command,
};

const TARGETS: [(&str, CheckKind); 6] = [
    ("test", CheckKind::Test),
    ("check", CheckKind::Test),
    ("tests", CheckKind::Test),
    ("lint", CheckKind::Lint),
    ("typecheck", CheckKind::Types),
    ("format-check", CheckKind::Format),
];

pub(super) fn read(text: &str) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        // Recipes begin with a tab; `a := b` is a variable.
        if let Some((targets, rest)) = line.split_once(':')
            && !line.starts_with(['\t', ' ', '#', '.'])
            && !rest.starts_with('=')
        {
            for target in targets.split_whitespace() {
                let known = TARGETS.iter().find(|(name, _)| *name == target);
                if let Some((_, kind)) = known
                    && !found.iter().any(|one| one.command[1..] == [target])
                {
                    found.push(Found {
                        kind: *kind,
                        ecosystem: "make",
                        command: command(&["make", target]),
                        why: format!("the target `{target}`"),
                        at,
                    });
                }
            }
        }
        at += line.len();
    }
    found
}
