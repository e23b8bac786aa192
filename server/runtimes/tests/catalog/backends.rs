//! Who runs agents that bring no command, and what stands in the way.

use crate::support::{Folders, agent, find, reason};
use orchestra_core::{agent::Origin, config::Config};
use orchestra_runtimes::catalog::Loaded;

fn backends(names: &[&str]) -> Config {
    let mut config = Config::default();
    config.agents.backends = names.iter().map(|&name| name.to_owned()).collect();
    config
}

fn backend<'l>(loaded: &'l Loaded, name: &str) -> Option<&'l str> {
    loaded.catalog.agent(name)?.profile.backend.as_deref()
}

#[test]
fn without_an_agent_program_every_role_says_what_is_missing() {
    let loaded = Folders::new().load();
    let names = "claude, codex, gemini, opencode, aider, mini";
    let expected =
        format!("no agent program is on PATH: install one of {names}, or give it a `command`");
    assert!(loaded.catalog.agents.len() >= 36);
    for agent in &loaded.catalog.agents {
        assert_eq!(agent.unavailable(), Some(expected.as_str()), "{}", agent.profile.name);
    }
}

#[test]
fn the_first_program_of_the_setting_that_is_there_plays_the_roles() {
    let folders = Folders::new();
    for program in ["mini", "gemini"] {
        folders.program(&folders.bin.join(program));
    }
    let loaded = folders.load();
    let coder = &loaded.catalog.agent("coder").unwrap();
    assert!(coder.is_available());
    assert_eq!(backend(&loaded, "coder"), Some("gemini"));
    assert_eq!(
        coder.profile.command,
        ["gemini", "--yolo", "--output-format", "stream-json", "--prompt", "{prompt}"]
    );
    assert!(coder.profile.env.contains(&"GEMINI_API_KEY".to_owned()));
    assert_eq!(coder.profile.variables["GEMINI_CLI_TRUST_WORKSPACE"], "true");

    let loaded = folders.load_with(folders.bin.as_os_str(), &backends(&["mini", "gemini"]));
    assert_eq!(backend(&loaded, "coder"), Some("mini"));
    let loaded = folders.load_with(folders.bin.as_os_str(), &backends(&[]));
    assert_eq!(
        reason(&loaded, "coder").as_deref(),
        Some("it has no command, and `agents.backends` names no agent program")
    );
    // Natives and agents with a command are what they were.
    folders.file(".orchestra/agents/own.md", agent(""));
    let loaded = folders.load();
    assert_eq!((backend(&loaded, "own"), reason(&loaded, "own")), (None, None));
}

#[test]
fn a_name_that_is_no_known_program_is_said_where_it_was_set() {
    let folders = Folders::new();
    folders.program(&folders.bin.join("mini"));
    let mut config = Config::default();
    let text = "[agents]\nbackends = [\"hal\", \"mini\"]\n";
    config.layer_file(orchestra_core::config::Layer::User, "~/config.toml", text);
    let loaded = folders.load_with(folders.bin.as_os_str(), &config);
    let found = &loaded.diagnostics[0];
    assert_eq!((found.file.as_str(), found.line), ("~/config.toml", 2));
    assert_eq!(found.message, "`agents.backends` names `hal`, which is not known");
    assert_eq!(backend(&loaded, "coder"), Some("mini"));
}

#[test]
fn an_agent_of_another_tool_is_run_by_that_tool_if_it_is_there() {
    let folders = Folders::new();
    let text = "---\nname: helper\ndescription: helps\nmodel: opus\n---\nHelp.\n";
    folders.file(".claude/agents/helper.md", text);
    folders.program(&folders.bin.join("codex"));
    let codex_first = backends(&["codex", "claude"]);
    let load = || folders.load_with(folders.bin.as_os_str(), &codex_first);
    let loaded = load();
    assert_eq!(backend(&loaded, "helper"), Some("codex"));
    // `opus` means nothing to another program.
    assert_eq!(loaded.catalog.agent("helper").unwrap().profile.model, None);

    folders.program(&folders.bin.join("claude"));
    let loaded = load();
    assert_eq!(backend(&loaded, "helper"), Some("claude"));
    let profile = &loaded.catalog.agent("helper").unwrap().profile;
    assert!(profile.command.ends_with(&["{prompt}".to_owned()]), "{profile:?}");
    assert!(profile.command.windows(2).any(|pair| pair == ["--model", "{model}"]));
    assert_eq!(backend(&loaded, "coder"), Some("codex"));
}

#[test]
fn an_agent_may_insist_on_one_program() {
    let folders = Folders::new();
    let file = |name: &str, backend: &str| {
        let text = format!("---\ncapabilities: [testing]\nbackend: {backend}\n---\nWork.\n");
        folders.file(&format!(".orchestra/agents/{name}.md"), text);
    };
    file("here", "mini");
    file("gone", "codex");
    file("unknown", "hal");
    folders.program(&folders.bin.join("mini"));
    let loaded = folders.load();
    assert_eq!((backend(&loaded, "here"), reason(&loaded, "here")), (Some("mini"), None));
    assert_eq!(reason(&loaded, "gone").as_deref(), Some("`codex` is not on PATH"));
    let unknown = reason(&loaded, "unknown").unwrap();
    assert!(unknown.starts_with("there is no agent program `hal`: known are claude"), "{unknown}");
}

#[test]
fn agents_of_other_tools_are_found_in_the_users_folders_too() {
    let folders = Folders::new();
    let write = |path: std::path::PathBuf| {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "---\ndescription: mine\n---\nWork.\n").unwrap();
    };
    write(folders.home.join(".claude/agents/one.md"));
    write(folders.home.join(".copilot/agents/two.agent.md"));
    write(folders.config.parent().unwrap().join("opencode/agents/three.md"));
    folders.user_file("agents/one.md", agent("description: first"));
    let loaded = folders.load();
    for name in ["one", "two", "three"] {
        assert_eq!(find(&loaded, name).origin, Origin::User, "{name}");
    }
    // Orchestra's own folder comes first, and two of one name in a layer are said.
    assert_eq!(find(&loaded, "one").profile.as_ref().unwrap().description, "first");
    let second =
        loaded.agents.iter().find(|agent| agent.name() == "one" && agent.shadowed_by.is_some());
    assert!(second.unwrap().diagnostics[0].message.contains("is defined in"), "{second:?}");
}

#[test]
fn nobody_takes_the_place_of_an_agent_whose_file_is_broken() {
    let folders = Folders::new();
    folders.program(&folders.bin.join("mini"));
    folders.file(".orchestra/agents/coder.md", "---\nname: coder\ntimeout: forever\n---\nWork.\n");
    let loaded = folders.load();
    let reason = reason(&loaded, "coder").unwrap();
    assert!(
        reason.starts_with(
            "the file that takes its place has errors: .orchestra/agents/coder.md:3: `timeout`"
        ),
        "{reason}"
    );
    assert!(loaded.catalog.agent("tester").unwrap().is_available());
}

#[test]
fn servers_of_the_workspace_are_listed_without_their_secrets() {
    let folders = Folders::new();
    folders.file(
        ".mcp.json",
        r#"{"mcpServers": {
            "web": {"type": "http", "url": "https://example.invalid/mcp"},
            "files": {"command": "npx", "args": ["-y", "files"], "env": {"TOKEN": "s3cret"}}
        }}"#,
    );
    let loaded = folders.load();
    let servers = serde_json::to_string(&loaded.mcp_servers).unwrap();
    assert_eq!(
        servers,
        r#"[{"name":"files","file":".mcp.json","command":["npx","-y","files"],"url":null,"env":["TOKEN"]},"#
            .to_owned()
            + r#"{"name":"web","file":".mcp.json","command":[],"url":"https://example.invalid/mcp","env":[]}]"#
    );

    folders.file(".mcp.json", "{\"mcpServers\":\n [}");
    let loaded = folders.load();
    let found = &loaded.diagnostics[0];
    assert_eq!((found.file.as_str(), found.line, loaded.mcp_servers.len()), (".mcp.json", 2, 0));
}
