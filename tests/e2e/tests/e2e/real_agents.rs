//! Real agent programs, as their makers publish them, with a simulated model behind them.
//! `cargo xtask test --real` installs them.

use orchestra_testkit::{Act, Asked, Cmd, Sandbox, SimulatedModel, Used};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    env, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

/// What the user has logged in with; nothing else knows it.
const KEY: &str = "sk-simulated-0123456789";

/// Their start alone takes seconds on a machine that does other things, too.
const LIMIT: Duration = Duration::from_secs(150);

/// What the surroundings lack, for whoever reads the test's output.
fn say(text: &str) {
    writeln!(io::stderr(), "{text}").ok();
}

fn is_installed(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// A project in which the role `coder` is to make a file that a check wants.
fn project(program: &str) -> Sandbox {
    assert!(
        is_installed(program),
        "{program} is not on PATH: `cargo xtask test --only real` installs it and puts it there"
    );
    let sandbox = Sandbox::new();
    sandbox.workflow(
        "w",
        "steps:\n  - id: work\n    agent: coder\n    prompt: say hello in hello.txt\n    \
         verify: [[grep, -q, hello, hello.txt]]\n",
    );
    sandbox.git_repo([("readme.txt", "a project\n")]).trust();
    sandbox
}

/// A user who has told codex where the model is, and has logged in.
fn codex(model: &SimulatedModel) -> Sandbox {
    let sandbox = project("codex");
    let config = format!(
        "model = \"simulated\"\nmodel_provider = \"simulated\"\n\
         check_for_update_on_startup = false\n[analytics]\nenabled = false\n\
         [features]\nplugins = false\napps = false\n\
         [model_providers.simulated]\nname = \"simulated\"\nbase_url = \"{}/v1\"\n\
         wire_api = \"responses\"\nrequires_openai_auth = true\nsupports_websockets = false\n",
        model.url()
    );
    in_home(&sandbox, ".codex/config.toml", &config);
    sandbox.command("codex").args(["login", "--with-api-key"]).stdin(KEY).run().success();
    sandbox
}

const GEMINI_SETTINGS: &str = r#"{
    "general": { "enableAutoUpdate": false, "enableAutoUpdateNotification": false },
    "privacy": { "usageStatisticsEnabled": false },
    "security": { "auth": { "selectedType": "gemini-api-key" } }
}"#;

/// A user who has set gemini up, and keeps the key where gemini reads it.
fn gemini(model: &SimulatedModel) -> Sandbox {
    let sandbox = project("gemini");
    in_home(&sandbox, ".gemini/settings.json", GEMINI_SETTINGS);
    let login = format!("GEMINI_API_KEY={KEY}\nGOOGLE_GEMINI_BASE_URL={}\n", model.url());
    in_home(&sandbox, ".gemini/.env", &login);
    sandbox
}

fn in_home(sandbox: &Sandbox, path: &str, text: &str) {
    let path = sandbox.home().join(path);
    fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("create a folder");
    fs::write(path, text).expect("write a file of the user");
}

/// Every file below, with what is in it.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for path in fs::read_dir(folder).expect("read a folder").flatten().map(|entry| entry.path()) {
        if path.is_dir() && !path.is_symlink() {
            found.extend(files(&path));
        } else {
            let text = fs::read(&path).unwrap_or_default();
            found.insert(path, text);
        }
    }
    found
}

fn writes_hello(_: &str) -> Vec<Act> {
    vec![Act::Write { path: "hello.txt".to_owned(), text: "hello\n".to_owned() }]
}

fn run(sandbox: &Sandbox, backend: &str) -> Cmd {
    sandbox.orchestra(["run", "w"]).env("ORCHESTRA_AGENTS_BACKENDS", backend).limit(LIMIT)
}

/// Runs it, and asserts all that there is to say about a task that went well.
#[track_caller]
fn works(sandbox: &Sandbox, model: &SimulatedModel, run: Cmd) -> Value {
    let before = model.used();
    let run = run.run().success().stdout;
    let number = run.split_whitespace().next().unwrap_or_default().split('.').next();
    let task = sandbox.show(&format!("{}/work", number.unwrap_or_default()));
    let output = &task["output"];
    assert_eq!(output["change"]["paths"][0]["path"], "hello.txt", "{task:#}");
    assert_eq!(output["change"]["files"], 1, "{task:#}");
    let commit = output["change"]["commit"].as_str().unwrap_or_default();
    assert_eq!(sandbox.git(["show", &format!("{commit}:hello.txt")]), "hello\n");
    assert_eq!(output["evidence"]["verdict"]["type"], "passed", "{task:#}");
    let Used { input_tokens, cached_tokens, output_tokens } = model.used();
    let usage = json!({
        "input_tokens": input_tokens - before.input_tokens,
        "cached_tokens": cached_tokens - before.cached_tokens,
        "output_tokens": output_tokens - before.output_tokens,
    });
    assert_eq!(output["usage"], usage, "{task:#}");
    assert_eq!(output["summary"], "Simulated work is done.");
    if !matches!(output["confined"]["type"].as_str(), Some("landlock" | "bwrap")) {
        say(&format!("this system does not hold agents: {:#}", output["confined"]));
    }
    task
}

/// That each conversation had one call of a tool and an end, all with the user's key, at this place.
#[track_caller]
fn assert_asked(model: &SimulatedModel, conversations: usize, place: &str, tool: &str) {
    let asked = model.asked();
    let expected: Vec<Option<&str>> = [Some(tool), None].repeat(conversations);
    let called: Vec<Option<&str>> = asked.iter().map(|asked| asked.called.as_deref()).collect();
    assert_eq!(called, expected, "{asked:#?}");
    let is_right = |asked: &Asked| asked.path.contains(place) && asked.key.as_deref() == Some(KEY);
    assert!(asked.iter().all(is_right), "{asked:#?}");
}

/// Where a program keeps what, below the user's home.
struct State {
    folder: &'static str,
    /// The login and the settings.
    of_user: [&'static str; 2],
    /// What the program makes for itself when it has nothing of the kind.
    of_program: &'static str,
}

/// Two runs, by an agent that shares `state` with the user: the login and the settings stay, what the
/// program has kept there for itself is there the next time, and the rest of the home is as it was.
#[track_caller]
fn works_twice_with_the_users_login(
    sandbox: &Sandbox,
    model: &SimulatedModel,
    backend: &str,
    state: &State,
) {
    let folder = sandbox.home().join(state.folder);
    let read =
        |file: &str| fs::read_to_string(folder.join(file)).expect("read a file of the state");
    let of_user = || state.of_user.map(read);
    let elsewhere = || {
        let mut files = files(&sandbox.home());
        files.retain(|path, _| !path.starts_with(&folder));
        files
    };
    fs::remove_file(folder.join(state.of_program)).ok();
    let before = (of_user(), elsewhere());
    works(sandbox, model, run(sandbox, backend));
    let of_program = read(state.of_program);
    works(sandbox, model, run(sandbox, backend));
    let log = sandbox.orchestra(["logs", "r2/work"]).run().success().stdout;
    assert!(log.ends_with("\nSimulated work is done.\n") && !log.contains("\"type\""), "{log}");
    assert_eq!(read(state.of_program), of_program);
    assert_eq!((of_user(), elsewhere()), before);
    assert_eq!(sandbox.git(["status", "--porcelain"]), "");
}

#[test]
fn codex_works_in_a_held_tree_with_the_users_login() {
    let model = SimulatedModel::new(writes_hello);
    let sandbox = codex(&model);
    let state = State {
        folder: ".codex",
        of_user: ["auth.json", "config.toml"],
        of_program: "installation_id",
    };
    works_twice_with_the_users_login(&sandbox, &model, "codex", &state);
    assert_asked(&model, 2, "/v1/responses", "exec_command");
}

#[test]
fn gemini_works_in_a_held_tree_with_the_users_login() {
    let model = SimulatedModel::new(writes_hello);
    let sandbox = gemini(&model);
    let state = State {
        folder: ".gemini",
        of_user: [".env", "settings.json"],
        of_program: "projects.json",
    };
    works_twice_with_the_users_login(&sandbox, &model, "gemini", &state);
    assert_asked(&model, 2, ":streamGenerateContent", "write_file");
}

#[test]
fn codex_works_in_bubblewrap() {
    let model = SimulatedModel::new(writes_hello);
    let sandbox = codex(&model);
    if !is_installed("bwrap") {
        say("bubblewrap is not installed, so it holds nobody here");
        return;
    }
    let run = run(&sandbox, "codex").env("ORCHESTRA_ATTEMPT_SANDBOX", "bwrap");
    let task = works(&sandbox, &model, run);
    assert_eq!(task["output"]["confined"]["type"], "bwrap");
    assert_asked(&model, 1, "/v1/responses", "exec_command");
}

#[test]
fn a_program_that_was_never_used_works_with_a_key_of_the_environment() {
    let model = SimulatedModel::new(writes_hello);
    let sandbox = project("gemini");
    sandbox.write(".gemini/settings.json", GEMINI_SETTINGS);
    sandbox.git_commit("how this project uses gemini");
    let run = run(&sandbox, "gemini").env("GEMINI_API_KEY", KEY);
    works(&sandbox, &model, run.env("GOOGLE_GEMINI_BASE_URL", model.url()));
    assert_asked(&model, 1, ":streamGenerateContent", "write_file");
}

#[test]
fn with_private_state_a_program_works_and_the_users_own_stays_as_it_was() {
    let model = SimulatedModel::new(writes_hello);
    let sandbox = codex(&model);
    sandbox.write(
        ".orchestra/agents/coder.md",
        "---\nname: coder\nbackend: codex\nstate_mode: private\nwrites: true\n---\nYou write code.\n",
    );
    sandbox.git_commit("an agent");
    sandbox.trust();
    let before = files(&sandbox.home());
    works(&sandbox, &model, run(&sandbox, "codex"));
    assert_asked(&model, 1, "/v1/responses", "exec_command");
    assert!(files(&sandbox.home()) == before, "something in the user's home has changed");
}

/// Does what `orchestra agents test` asks for.
fn obeys(prompt: &str) -> Vec<Act> {
    let line =
        prompt.split("write the single line `").nth(1).and_then(|rest| rest.split('`').next());
    let line = line.unwrap_or_default();
    vec![Act::Run(format!(
        "echo {line} > orchestra-test.txt && cp orchestra-test.txt \"$ORCHESTRA_DIR\""
    ))]
}

#[test]
fn a_test_of_an_agent_shows_that_its_program_works() {
    let model = SimulatedModel::new(obeys);
    for (backend, sandbox) in [("codex", codex(&model)), ("gemini", gemini(&model))] {
        let test = sandbox.orchestra(["agents", "test", "coder", "--json"]);
        let outcome = test.env("ORCHESTRA_AGENTS_BACKENDS", backend).limit(LIMIT).run();
        let report: Value = outcome.success().json();
        assert_eq!(report["backend"], backend);
        assert_eq!(report["ok"], true, "{report:#}");
    }
}
