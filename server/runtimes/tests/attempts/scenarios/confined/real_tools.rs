//! Package managers as they are installed here, with the registries that the user has configured.

use crate::scenarios::bench::Bench;
use orchestra_core::confinement::{Cache, Confinement, SandboxChoice};
use orchestra_runtimes::{attempt::End, caches, cli::is_always_passed, confine::Scope};
use std::{collections::BTreeMap, env, fs, path::PathBuf};

/// What a tool has to do in a tree: a package of its own with a dependency from the registry.
struct Tool {
    cache: Cache,
    program: &'static str,
    files: &'static [(&'static str, &'static str)],
    script: &'static str,
}

const CARGO: Tool = Tool {
    cache: Cache::Cargo,
    program: "cargo",
    files: &[
        (
            "Cargo.toml",
            "[package]\nname = \"small\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\
             [dependencies]\nitoa = \"1\"\n[workspace]\n",
        ),
        ("src/main.rs", "fn main() { println!(\"{}\", itoa::Buffer::new().format(7)); }\n"),
    ],
    script: "cargo --version && cargo build --quiet && test \"$(target/debug/small)\" = 7",
};

const NPM: Tool = Tool {
    cache: Cache::Npm,
    program: "npm",
    files: &[(
        "package.json",
        "{\"name\": \"small\", \"version\": \"0.1.0\", \"dependencies\": {\"is-number\": \"7.0.0\"}}",
    )],
    script: "npm --version && npm install --package-lock-only --no-audit --no-fund && \
             npm ci --no-audit --no-fund && node -e \"process.exit(require('is-number')('7') ? 0 : 1)\"",
};

const PIP: Tool = Tool {
    cache: Cache::Pip,
    program: "python3",
    files: &[],
    script: "python3 --version && python3 -m venv venv && venv/bin/pip install --quiet six && \
             venv/bin/python -c 'import six'",
};

const UV: Tool = Tool {
    cache: Cache::Uv,
    program: "uv",
    files: &[],
    script: "uv --version && uv venv --quiet venv && uv pip install --quiet --python venv six && \
             venv/bin/python -c 'import six' && test -n \"$(ls \"$UV_CACHE_DIR\")\"",
};

/// With a module that lies beside it, as a registry would serve it; the second time only the cache has it.
const GO: Tool = Tool {
    cache: Cache::Go,
    program: "go",
    files: &[
        ("go.mod", "module small\n\ngo 1.19\n\nrequire example.invalid/seven v1.0.0\n"),
        (
            "main.go",
            "package main\n\nimport \"example.invalid/seven\"\n\nfunc main() { print(seven.Seven) }\n",
        ),
        ("seven/go.mod", "module example.invalid/seven\n"),
        ("seven/seven.go", "package seven\n\nconst Seven = 7\n"),
        ("proxy/example.invalid/seven/@v/v1.0.0.info", "{\"Version\": \"v1.0.0\"}"),
        ("proxy/example.invalid/seven/@v/v1.0.0.mod", "module example.invalid/seven\n"),
    ],
    // Modules that nobody may write to could be removed by go alone.
    script: "go version; export GOFLAGS=-modcacherw GOSUMDB=off GOPROXY=\"file://$PWD/proxy\"
        if test -d \"$GOMODCACHE/example.invalid\"; then export GOPROXY=off; fi
        python3 -c 'import zipfile
with zipfile.ZipFile(\"proxy/example.invalid/seven/@v/v1.0.0.zip\", \"w\") as module:
    for name in [\"go.mod\", \"seven.go\"]:
        module.write(\"seven/\" + name, \"example.invalid/seven@v1.0.0/\" + name)'
        go mod tidy && go build -o small . && test \"$(./small 2>&1)\" = 7 && test -d \"$GOCACHE/00\"",
};

pub(super) fn cargo() {
    works(&CARGO);
}

pub(super) fn npm() {
    works(&NPM);
}

pub(super) fn pip() {
    works(&PIP);
}

pub(super) fn uv() {
    works(&UV);
}

pub(super) fn go() {
    works(&GO);
}

/// Where a program lies on PATH.
pub(super) fn installed(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).map(|folder| folder.join(program)).find(|path| path.is_file())
}

fn works(tool: &Tool) {
    if installed(tool.program).is_none() {
        eprintln!("{} is not installed, so nothing of it is tried", tool.program);
        return;
    }
    let held = run(tool, SandboxChoice::Auto);
    match held {
        Ok(()) => return,
        Err(ref log) => assert!(log.lines().count() > 0, "{} does not start", tool.program),
    }
    // Without a network it works nowhere.
    if run(tool, SandboxChoice::None).is_ok() {
        panic!("{} works, but not in a held tree: {held:?}", tool.program);
    }
    eprintln!(
        "{} does not work outside either, perhaps for want of a network: {held:?}",
        tool.program
    );
}

/// Twice: from the registry, and from the cache. The error is the log.
fn run(tool: &Tool, choice: SandboxChoice) -> Result<(), String> {
    let caches_folder = tempfile::tempdir().unwrap();
    let user: BTreeMap<String, String> =
        env::vars().filter(|(name, _)| is_always_passed(name)).collect();
    let caches = caches::prepare(caches_folder.path(), &[tool.cache], &user).unwrap();
    for round in ["registry", "cache"] {
        let mut bench = Bench::new(tool.script);
        let slot = bench.spec.slot.clone();
        for (name, text) in tool.files {
            let path = slot.join("src").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        bench.environment.extend(user.clone());
        bench.environment.extend(caches.variables.clone());
        bench.set("TMPDIR", slot.join("tmp").to_str().unwrap());
        let parts = ["src", "tmp", "out"].map(|part| slot.join(part));
        bench.spec.scope = Scope {
            write: parts.into_iter().chain(caches.write.clone()).collect(),
            hidden: vec![bench.path().join("state")],
            choice,
        };
        let result = bench.run();
        if choice == SandboxChoice::Auto && !result.confined.is_some_and(Confinement::is_kernel) {
            eprintln!("this kernel does not hold agents: {:?}", result.confine_problem);
        }
        if result.end != (End::Exited { code: 0 }) {
            return Err(format!("from the {round}: {}", bench.log()));
        }
    }
    Ok(())
}
