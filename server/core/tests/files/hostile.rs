//! No text makes a reader panic, and every finding points into the file.

use crate::catalogue::catalog;
use orchestra_core::{
    agent::Origin,
    agent_file::{self, Dialect},
    config::{Config, Layer},
    diagnostic::Diagnostic,
    planner::{self, Request},
    template,
};
use proptest::{prelude::*, sample::Index};
use serde_json::{Map, json};
use std::{fs, path::Path};

fn check(text: &str, diagnostics: &[Diagnostic]) {
    assert!(diagnostics.is_sorted(), "{diagnostics:#?}");
    for diagnostic in diagnostics {
        let line = usize::try_from(diagnostic.line).unwrap();
        let column = usize::try_from(diagnostic.column).unwrap();
        // YAML has more kinds of line ends than `lines` knows.
        let ends = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'];
        let lines: Vec<&str> = text.split(ends).collect();
        assert!((1..=lines.len()).contains(&line), "{diagnostic}\n{text:?}");
        assert!(column >= 1 && column <= text.chars().count() + 2, "{diagnostic}\n{text:?}");
        assert!(!diagnostic.message.chars().any(char::is_control), "{diagnostic:?}");
    }
}

/// Through every reader, whatever it was meant for.
fn read_everywhere(text: &str) {
    let (catalog, params) = (catalog(), Map::new());
    let request = Request {
        text,
        file: "file",
        origin: Origin::Workspace,
        catalog: &catalog,
        params: &params,
        mode: None,
        approve: None,
    };
    match planner::plan(&request) {
        Ok(planned) => {
            check(text, &planned.warnings);
            for task in &planned.plan.tasks {
                assert!(!task.executors.is_empty(), "{text}");
            }
        }
        Err(errors) => {
            assert!(errors.iter().any(Diagnostic::is_error), "{text:?}");
            check(text, &errors);
        }
    }
    check(text, &agent_file::read(text, "file.md", Origin::User).diagnostics);
    for dialect in [Dialect::Claude, Dialect::OpenCode, Dialect::Copilot] {
        let read = agent_file::read_foreign(text, "file.md", Origin::User, dialect);
        check(text, &read.diagnostics);
    }
    check(text, &Config::default().layer_file(Layer::User, "file", text));
    let context = json!({ "params": { "a": 1 }, "steps": {} });
    let _ = template::render(text, &context);
    let _ = template::condition(text, &context);
}

fn fixtures() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut texts = Vec::new();
    for kind in ["valid", "invalid"] {
        for file in fs::read_dir(folder.join(kind)).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "expected") {
                texts.push(fs::read_to_string(path).unwrap());
            }
        }
    }
    texts
}

/// Pieces that mean something to one of the readers.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        prop::sample::select(vec![
            "---\n",
            "...\n",
            "{{",
            "}}",
            "{%",
            "%}",
            "{#",
            "- ",
            ": ",
            "\n",
            "  ",
            "\t",
            "'",
            "\"",
            "\\",
            "|",
            ">-",
            "&a",
            "*a",
            "<<",
            "!!str",
            "[",
            "]",
            "{",
            "}",
            "=",
            "steps",
            "params.",
            "\u{feff}",
            "\r\n",
            "\u{2028}",
            "\0",
            "é",
            "🎻",
            "needs: [a]",
            "{prompt}",
            "{promt}",
            "1e999",
            "-.inf",
            "0x",
            "[[x]]",
            "a.b = ",
        ])
        .prop_map(str::to_owned),
    ]
}

proptest! {

    #[test]
    fn any_text(pieces in prop::collection::vec(piece(), 0..40)) {
        read_everywhere(&pieces.concat());
    }

    #[test]
    fn a_fixture_with_slips(
        which in any::<Index>(),
        slips in prop::collection::vec((any::<Index>(), 0usize..12, piece()), 1..6),
    ) {
        let fixtures = fixtures();
        let mut text: Vec<char> = which.get(&fixtures).chars().collect();
        for (place, length, piece) in slips {
            let start = place.index(text.len() + 1);
            let end = (start + length).min(text.len());
            text.splice(start..end, piece.chars());
        }
        read_everywhere(&text.into_iter().collect::<String>());
    }
}
