//! Who may depend on whom: the arrows of `docs/architecture.md`, checked against the manifests.

use crate::checkout::{Dependency, Package};

/// The rooms, with the rooms that each may know. The program at the top may know them all.
const ARROWS: [(&str, &[&str]); 8] = [
    ("orchestra-core", &[]),
    ("orchestra-store", &["orchestra-core"]),
    ("orchestra-vcs", &["orchestra-core"]),
    ("orchestra-runtimes", &["orchestra-core"]),
    ("orchestra-protocol", &["orchestra-core"]),
    (
        "orchestra-engine",
        // The protocol's types are what the engine takes and publishes.
        &[
            "orchestra-core",
            "orchestra-protocol",
            "orchestra-runtimes",
            "orchestra-store",
            "orchestra-vcs",
        ],
    ),
    ("orchestra-api", &["orchestra-core", "orchestra-engine", "orchestra-protocol"]),
    ("orchestra-lsp", &["orchestra-core", "orchestra-protocol"]),
];

/// The outermost package, which knows every room.
const PROGRAM: &str = "orchestra";

/// Libraries that one room alone may use, so that what they do happens in one place.
const ONE_ROOM: [(&str, &str); 7] = [
    ("rusqlite", "orchestra-store"),
    ("git2", "orchestra-vcs"),
    ("gix", "orchestra-vcs"),
    ("axum", "orchestra-api"),
    ("lsp-types", "orchestra-lsp"),
    ("tower-lsp", "orchestra-lsp"),
    ("clap", PROGRAM),
];

/// With these the domain could do I/O.
const NOT_IN_CORE: [&str; 6] = ["tokio", "rustix", "libc", "nix", "tempfile", "ignore"];

/// The tests' helpers; no part of the program may use them outside its own tests.
const FOR_TESTS: [&str; 2] = ["orchestra-testkit", "orchestra-e2e"];

pub(super) fn check(packages: &[Package]) -> anyhow::Result<()> {
    let problems: Vec<String> = packages.iter().flat_map(problems).collect();
    anyhow::ensure!(problems.is_empty(), "{}", problems.join("\n"));
    Ok(())
}

fn problems(package: &Package) -> Vec<String> {
    let name = package.name.as_str();
    let is_for_tests = FOR_TESTS.contains(&name) || name == "xtask";
    // A room's own tests may use whatever shows that it works.
    let in_the_program = package.dependencies.iter().filter(|used| !is_dev(used) && !is_for_tests);
    let arrows = ARROWS.iter().find(|(room, _)| *room == name).map(|(_, known)| *known);
    let mut problems = Vec::new();
    if arrows.is_none() && name != PROGRAM && !is_for_tests {
        problems.push(format!("{name} is no room; name what it may know in {}", file!()));
    }
    for used in in_the_program {
        let manifest = package.manifest_path.display();
        if used.path.is_some() {
            let allowed = match arrows {
                Some(known) => known.contains(&used.name.as_str()),
                None => !FOR_TESTS.contains(&used.name.as_str()) && used.name != "xtask",
            };
            if !allowed {
                problems.push(format!("{manifest}: {name} may not know {}", used.name));
            }
        }
        if let Some((_, owner)) = ONE_ROOM.iter().find(|(library, _)| *library == used.name)
            && *owner != name
        {
            problems.push(format!("{manifest}: only {owner} may use {}", used.name));
        }
        if name == "orchestra-core" && NOT_IN_CORE.contains(&used.name.as_str()) {
            problems.push(format!("{manifest}: core does no I/O, so it may not use {}", used.name));
        }
    }
    problems
}

fn is_dev(dependency: &Dependency) -> bool {
    dependency.kind.as_deref() == Some("dev")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn package(name: &str, dependencies: &[(&str, Option<&str>)]) -> Package {
        let dependencies = dependencies
            .iter()
            .map(|(name, kind)| Dependency {
                name: (*name).to_owned(),
                kind: kind.map(str::to_owned),
                path: name.starts_with("orchestra").then(PathBuf::new),
            })
            .collect();
        Package { name: name.to_owned(), manifest_path: "Cargo.toml".into(), dependencies }
    }

    #[test]
    fn arrows_against_the_direction_are_named() {
        let store = package("orchestra-store", &[("orchestra-vcs", None), ("rusqlite", None)]);
        assert_eq!(problems(&store), ["Cargo.toml: orchestra-store may not know orchestra-vcs"]);

        let core = package("orchestra-core", &[("tokio", None), ("proptest", Some("dev"))]);
        assert_eq!(problems(&core), ["Cargo.toml: core does no I/O, so it may not use tokio"]);
    }

    #[test]
    fn a_library_stays_in_its_room_outside_tests() {
        let engine = package("orchestra-engine", &[("rusqlite", None), ("git2", Some("dev"))]);
        assert_eq!(problems(&engine), ["Cargo.toml: only orchestra-store may use rusqlite"]);
    }

    #[test]
    fn the_program_knows_every_room_and_no_helper_of_the_tests() {
        let program = package(
            "orchestra",
            &[
                ("orchestra-engine", None),
                ("orchestra-testkit", None),
                ("orchestra-testkit", Some("dev")),
            ],
        );
        assert_eq!(problems(&program), ["Cargo.toml: orchestra may not know orchestra-testkit"]);
        assert_eq!(problems(&package("orchestra-attic", &[])).len(), 1);
    }
}
