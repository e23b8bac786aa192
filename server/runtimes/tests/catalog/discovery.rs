//! Which agents and workflows are found where, which takes the place of which, and what bad files do.

use crate::support::{Folders, agent, find, reason};
use orchestra_core::{
    agent::Origin, diagnostic::Diagnostic, diagnostic::Severity, plan::Mode, planner,
};
use std::{
    env,
    ffi::OsString,
    fs,
    os::unix::{ffi::OsStringExt as _, fs::symlink},
    path::Path,
    process::Command,
};

#[test]
fn a_folder_without_anything_has_what_is_built_in() {
    let folders = Folders::new();
    let loaded = folders.load();
    assert!(loaded.catalog.native("todo.scan").is_some());
    assert!(loaded.agents.iter().all(|agent| agent.origin == Origin::BuiltIn));
    assert_eq!((loaded.diagnostics.len(), loaded.mcp_servers.len()), (0, 0));
    let audit = loaded.workflow("audit").unwrap();
    assert_eq!(audit.origin, Origin::BuiltIn);
    // Opening a folder writes nothing.
    assert_eq!(fs::read_dir(&folders.root).unwrap().count(), 0);
    assert!(!folders.state.exists());
}

#[test]
fn every_built_in_workflow_can_be_planned() {
    let folders = Folders::new();
    let loaded = folders.load();
    for workflow in &loaded.workflows {
        // Without a program for the agents, what only they can do is left out.
        let others = |mut found: Vec<Diagnostic>| {
            found.retain(|found| !found.message.ends_with("is left out: nobody can do it"));
            found
        };
        let found = planner::check(&workflow.text, &workflow.file, &loaded.catalog);
        // Two are about what only agents can do, and say so.
        if ["develop", "fix"].contains(&workflow.name.as_str()) {
            let found: Vec<String> = found.into_iter().map(|found| found.message).collect();
            let [message] = &found[..] else { panic!("{}: {found:?}", workflow.name) };
            assert!(message.starts_with("nobody "), "{message}");
            continue;
        }
        assert_eq!(others(found), [], "{}", workflow.name);
        let request = planner::Request {
            text: &workflow.text,
            file: &workflow.file,
            origin: workflow.origin,
            catalog: &loaded.catalog,
            params: &serde_json::Map::new(),
            mode: Some(Mode::Speed),
            approve: None,
        };
        assert_eq!(others(planner::plan(&request).unwrap().warnings), []);
    }
}

#[test]
fn agents_are_found_in_every_folder_and_the_workspace_comes_first() {
    let folders = Folders::new();
    folders.file(".orchestra/agents/reviewer.md", agent("description: ours"));
    folders.file(".claude/agents/tester.md", "---\nname: tester\ndescription: tests\n---\n");
    folders.file(".opencode/agents/planner.md", "---\ndescription: plans\n---\n");
    folders.file(".github/agents/docs.agent.md", "---\ndescription: writes\n---\n");
    folders.user_file("agents/reviewer.md", agent("description: mine"));
    folders.user_file("agents/coder.md", agent("description: codes"));
    let loaded = folders.load();

    let found: Vec<_> = loaded
        .catalog
        .agents
        .iter()
        .filter(|agent| agent.profile.origin != Origin::BuiltIn)
        .map(|agent| (agent.profile.name.as_str(), agent.profile.origin, agent.is_available()))
        .collect();
    assert_eq!(
        found,
        [
            ("reviewer", Origin::Workspace, true),
            ("tester", Origin::Workspace, false),
            ("planner", Origin::Workspace, false),
            ("docs", Origin::Workspace, false),
            ("coder", Origin::User, true),
        ]
    );
    assert_eq!(find(&loaded, "reviewer").profile.as_ref().unwrap().description, "ours");
    assert_eq!(find(&loaded, "reviewer").file, ".orchestra/agents/reviewer.md");
    let ours = |name: &str| {
        let shadowed = loaded.agents.iter().filter(|agent| agent.name() == name);
        let shadowed = shadowed.filter_map(|agent| agent.shadowed_by.clone());
        shadowed.collect::<Vec<_>>()
    };
    // The user's and the built-in one.
    assert_eq!(ours("reviewer"), [".orchestra/agents/reviewer.md"; 2]);
    assert_eq!(ours("tester"), [".claude/agents/tester.md"]);
    assert_eq!(loaded.diagnostics, []);
}

#[test]
fn two_agents_of_one_name_in_a_layer_are_said() {
    let folders = Folders::new();
    folders.file(".orchestra/agents/a.md", agent("name: coder"));
    folders.file(".orchestra/agents/b.md", agent("name: coder"));
    let loaded = folders.load();
    let coders = loaded.catalog.agents.iter().filter(|agent| agent.profile.name == "coder");
    assert_eq!(coders.count(), 1);
    let second = &loaded.agents[1];
    assert_eq!(second.shadowed_by.as_deref(), Some(".orchestra/agents/a.md"));
    assert_eq!(
        second.diagnostics[0].message,
        "agent `coder` is defined in .orchestra/agents/a.md already"
    );
}

#[test]
fn an_agent_says_why_it_cannot_work() {
    let folders = Folders::new();
    let command = |command: &str| format!("---\ncommand: [{command}, \"{{prompt}}\"]\n---\n");
    folders.file(".orchestra/agents/gone.md", command("no-such-agent"));
    folders.file(".orchestra/agents/local.md", command("./tools/agent"));
    folders.file(".orchestra/agents/plain.md", command("./README.md"));
    folders.file(".orchestra/agents/needy.md", agent("requires: [no-such-tool]"));
    folders.file(".orchestra/agents/off.md", agent("status: inactive"));
    folders.file(".orchestra/agents/fine.md", agent(""));
    folders.file("README.md", "not a program");
    folders.program(&folders.root.join("tools/agent"));
    let loaded = folders.load();
    let reason = |name: &str| reason(&loaded, name);
    assert_eq!(reason("gone").as_deref(), Some("`no-such-agent` is not on PATH"));
    assert_eq!(reason("plain").as_deref(), Some("`./README.md` is not an executable file"));
    assert_eq!(reason("needy").as_deref(), Some("`no-such-tool` is not on PATH"));
    assert_eq!(reason("off").as_deref(), Some("its status is inactive"));
    assert_eq!((reason("local"), reason("fine")), (None, None));
    // A relative folder on PATH means another one for every process.
    let here = env::current_dir().unwrap();
    let up = "../".repeat(here.components().count() - 1);
    let relative = format!("{up}{}", folders.bin.strip_prefix("/").unwrap().display());
    assert!(Path::new(&relative).join("agent").exists());
    let relative = folders.load_with_path(relative.as_ref());
    assert!(crate::support::reason(&relative, "fine").is_some());
}

#[test]
fn a_workflow_of_the_workspace_takes_the_place_of_others_and_says_so_for_built_in_ones() {
    let folders = Folders::new();
    folders.file(".orchestra/workflows/audit.yaml", "name: audit\n");
    folders.file(".orchestra/workflows/mend.yml", "name: repair\n");
    folders.user_file("workflows/mend.yaml", "name: mend\n");
    folders.user_file("workflows/mine.yaml", "name: mine\n");
    folders.file(".orchestra/workflows/bad name.yaml", "");
    let loaded = folders.load();
    let found: Vec<_> =
        loaded.workflows.iter().map(|workflow| (workflow.name.as_str(), workflow.origin)).collect();
    assert_eq!(
        found,
        [
            ("audit", Origin::Workspace),
            ("code-review", Origin::BuiltIn),
            ("develop", Origin::BuiltIn),
            ("document", Origin::BuiltIn),
            ("fix", Origin::BuiltIn),
            ("mend", Origin::Workspace),
            ("mine", Origin::User),
        ]
    );
    let shown: Vec<String> = loaded
        .diagnostics
        .iter()
        .map(|found| format!("{}: {}", found.file, found.message))
        .collect();
    assert_eq!(
        shown,
        [
            ".orchestra/workflows/audit.yaml: this takes the place of the built-in workflow `audit`",
            ".orchestra/workflows/bad name.yaml: `bad name` cannot be the name of a workflow",
        ]
    );
    let file = |name: &str| loaded.workflow(name).map(|workflow| workflow.file.as_str());
    assert_eq!(file("repair"), Some(".orchestra/workflows/mend.yml"));
    assert_eq!(file(".orchestra/workflows/mend.yml"), Some(".orchestra/workflows/mend.yml"));
    assert_eq!(file("../mend"), None);
}

#[test]
fn a_bad_file_costs_itself_and_nothing_else() {
    let folders = Folders::new();
    let agents = folders.root.join(".orchestra/agents");
    folders.file(".orchestra/agents/good.md", agent(""));
    folders.file(".orchestra/agents/broken.md", "---\nname: [\n---\n");
    folders.file(".orchestra/agents/latin1.md", b"---\nname: x\n---\ncaf\xe9\n");
    folders.file(".orchestra/agents/large.md", "x".repeat((1 << 20) + 1));
    fs::create_dir(agents.join("folder.md")).unwrap();
    fs::write(folders.outside.join("secret.md"), agent("name: stolen")).unwrap();
    symlink(folders.outside.join("secret.md"), agents.join("link.md")).unwrap();
    symlink("loop.md", agents.join("loop.md")).unwrap();
    symlink("nowhere.md", agents.join("dangling.md")).unwrap();
    symlink("good.md", agents.join("alias.md")).unwrap();
    fs::write(agents.join(OsString::from_vec(b"\xff.md".to_vec())), "").unwrap();
    // A pipe without a writer: reading it would wait for ever.
    assert!(Command::new("mkfifo").arg(agents.join("pipe.md")).status().unwrap().success());

    let loaded = folders.load();
    assert!(loaded.catalog.agent("good").unwrap().is_available());
    assert!(loaded.catalog.agent("alias").is_some());
    assert!(loaded.catalog.agent("stolen").is_none());
    let broken = loaded.agents.iter().find(|a| a.file.ends_with("broken.md")).unwrap();
    assert!(broken.profile.is_none());
    assert_eq!(broken.diagnostics[0].line, 2);

    let found = |name: &str| {
        let file = format!(".orchestra/agents/{name}");
        let of_file: Vec<_> = loaded.diagnostics.iter().filter(|d| d.file == file).collect();
        assert_eq!(of_file.len(), 1, "{name}: {:#?}", loaded.diagnostics);
        of_file[0].clone()
    };
    let latin1 = found("latin1.md");
    assert_eq!((latin1.line, latin1.column), (4, 4));
    assert_eq!(found("large.md").message, "the file is larger than 1024 KiB");
    assert_eq!(found("link.md").message, "it leads out of the workspace, so it is left out");
    assert!(found("loop.md").message.starts_with("cannot be read"));
    assert!(found("dangling.md").message.starts_with("cannot be read"));
    assert_eq!(found("pipe.md").message, "is not a regular file");
    assert_eq!(found("\u{fffd}.md").severity, Severity::Warning);
    assert_eq!(loaded.diagnostics.len(), 7);
}

#[test]
fn a_folder_that_leads_out_of_the_workspace_brings_nothing() {
    let folders = Folders::new();
    fs::create_dir(folders.outside.join("agents")).unwrap();
    fs::write(folders.outside.join("agents/a.md"), agent("")).unwrap();
    symlink(&folders.outside, folders.root.join(".orchestra")).unwrap();
    let loaded = folders.load();
    assert!(loaded.agents.iter().all(|agent| agent.origin == Origin::BuiltIn));
    assert_eq!(loaded.diagnostics.len(), 1);
    assert_eq!(loaded.diagnostics[0].file, ".orchestra/agents/a.md");
}

#[test]
fn a_file_where_a_folder_should_be_is_said() {
    let folders = Folders::new();
    folders.file(".orchestra/agents", "not a folder");
    let loaded = folders.load();
    assert_eq!(loaded.diagnostics.len(), 1);
    assert_eq!(loaded.diagnostics[0].file, ".orchestra/agents");
}
