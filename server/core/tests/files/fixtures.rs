//! Every file below `fixtures/` is read as a user's file would be. A valid one has no findings; an
//! invalid one has exactly those in the `.expected` file beside it (`UPDATE=1` rewrites them).

use crate::catalogue::catalog;
use orchestra_core::{
    agent::Origin,
    agent_file,
    config::{self, Config},
    diagnostic::Diagnostic,
    planner::{self, Request},
};
use std::{fs, path::Path};

/// What the comments at the top of a workflow fixture ask for: `# params: {…}`.
fn params(text: &str) -> serde_json::Map<String, serde_json::Value> {
    text.lines()
        .find_map(|line| line.strip_prefix("# params: "))
        .map_or_else(Default::default, |json| serde_json::from_str(json).unwrap())
}

fn diagnose(path: &Path) -> Vec<Diagnostic> {
    let bytes = fs::read(path).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let file = path.file_name().unwrap().to_str().unwrap();
    match path.extension().unwrap().to_str().unwrap() {
        "yaml" => {
            let (catalog, params) = (catalog(), params(&text));
            let request = Request {
                text: &text,
                file,
                origin: Origin::Workspace,
                catalog: &catalog,
                params: &params,
                mode: None,
                approve: None,
            };
            planner::plan(&request).map_or_else(|errors| errors, |planned| planned.warnings)
        }
        "md" => agent_file::read(&text, file, Origin::Workspace).diagnostics,
        "toml" => {
            let mut config = Config::default();
            config.layer_file(config::Layer::Workspace, file, &text)
        }
        other => panic!("no reader for .{other}"),
    }
}

fn files(folder: &str) -> Vec<std::path::PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(folder);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()).collect();
    files.retain(|file| file.extension().is_none_or(|extension| extension != "expected"));
    files.sort();
    files
}

#[test]
fn valid_files_have_no_findings() {
    let files = files("valid");
    assert!(files.len() >= 6, "only {} fixtures", files.len());
    for file in files {
        let found = diagnose(&file);
        assert!(found.is_empty(), "{}: {found:#?}", file.display());
    }
}

#[test]
fn invalid_files_have_exactly_the_expected_findings() {
    let files = files("invalid");
    assert!(files.len() >= 20, "only {} fixtures", files.len());
    let mut wrong = Vec::new();
    for file in files {
        let found = diagnose(&file);
        assert!(!found.is_empty(), "{} has no findings", file.display());
        assert!(found.is_sorted(), "{} is not sorted: {found:#?}", file.display());
        let shown: String = found.iter().map(|finding| format!("{finding}\n")).collect();
        let expected = file.with_added_extension("expected");
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&expected, &shown).unwrap();
        } else if fs::read_to_string(&expected).unwrap_or_default() != shown {
            wrong.push(format!("{}:\n{shown}", file.display()));
        }
    }
    assert!(wrong.is_empty(), "run with UPDATE=1 if these are right:\n{}", wrong.join("\n"));
}
