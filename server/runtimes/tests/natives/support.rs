//! A workspace as messy as real ones, and the actions run over it.

use orchestra_core::{
    ids::StepId,
    outcome::{Artifact, Output},
    ports::{
        Change, Commit, Diff, DiffContent, DiffLine, DiffLineKind, DiffQuery, DiffSide, FileDiff,
        Hunk, LogEnd, Repo, RepoError, StepInput,
    },
    time::Timestamp,
    view::TaskStatus,
};
use orchestra_runtimes::native::{self, Context, OutputFile, Report, Stop};
use serde_json::{Map, Value, json};
use std::{
    ffi::OsStr,
    fs,
    ops::ControlFlow,
    os::unix::{ffi::OsStrExt, fs::symlink},
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::AtomicBool,
};
use tempfile::TempDir;

/// A workspace, and what the actions have made of it.
pub(crate) struct Bench {
    _dir: TempDir,
    pub(crate) root: PathBuf,
    pub(crate) repo: Option<History>,
    pub(crate) inputs: Vec<StepInput>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        Self { _dir: dir, root, repo: None, inputs: Vec::new() }
    }

    pub(crate) fn write(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn fifo(&self, path: &str) {
        assert!(Command::new("mkfifo").arg(self.root.join(path)).status().unwrap().success());
    }

    pub(crate) fn run_with(
        &self,
        action: &str,
        with: Value,
        cancelled: bool,
    ) -> Result<Report, Stop> {
        let with: Map<String, Value> = with.as_object().unwrap().clone();
        let ctx = Context {
            root: &self.root,
            repo: self.repo.as_ref().map(|repo| repo as &dyn Repo),
            run_name: "audit",
            run_description: "Audit | of `things`",
            with: &with,
            prompt: None,
            output: None,
            inputs: &self.inputs,
            cancelled: &AtomicBool::new(cancelled),
            progress: &|_| {},
            now: Timestamp(1_795_000_000_000),
        };
        native::find(action).unwrap().run(&ctx)
    }

    pub(crate) fn run(&self, action: &str, with: Value) -> Report {
        self.run_with(action, with, false).unwrap()
    }

    /// Runs an action as the step of a workflow: its files are written, its result goes to later ones.
    fn step(&mut self, step: &str, action: &str) -> Value {
        let report = self.run(action, json!({}));
        let artifacts = report.files.iter().map(|file| self.artifact(file)).collect();
        let output = Output {
            summary: report.summary,
            result: report.result,
            artifacts,
            ..Output::default()
        };
        let result = output.result.clone();
        self.inputs.push(StepInput {
            step: step.parse::<StepId>().unwrap(),
            executor: action.to_owned(),
            status: TaskStatus::Succeeded,
            detail: String::new(),
            output,
        });
        result
    }

    fn artifact(&self, file: &OutputFile) -> Artifact {
        self.write(Path::new(".orchestra/workspace").join(&file.path), &file.content);
        Artifact {
            path: file.path.clone(),
            bytes: file.content.len() as u64,
            sha256: String::new(),
        }
    }

    pub(crate) fn audit(&mut self) -> String {
        for (step, action) in [
            ("metrics", "workspace.metrics"),
            ("todo", "todo.scan"),
            ("secrets", "secrets.scan"),
            ("hotspots", "git.hotspots"),
            ("deps", "deps.list"),
        ] {
            self.step(step, action);
        }
        self.report()
    }

    pub(crate) fn report(&self) -> String {
        let report = self.run("report.write", json!({}));
        String::from_utf8(report.files[0].content.clone()).unwrap()
    }
}

/// A history that is told rather than read; that of real repositories is `vcs`'s to test.
pub(crate) struct History {
    pub(crate) commits: Vec<Commit>,
    pub(crate) end: Result<LogEnd, RepoError>,
    /// What differs, whatever the sides.
    pub(crate) files: Vec<FileDiff>,
}

/// A changed file: lines begin with ` `, `+` or `-`, and are all of one hunk that begins at the first line.
pub(crate) fn file_diff(path: &str, modes: (u32, u32), lines: &str) -> FileDiff {
    let lines: Vec<DiffLine> = lines
        .split_inclusive('\n')
        .map(|line| DiffLine {
            kind: match &line[..1] {
                "+" => DiffLineKind::Added,
                "-" => DiffLineKind::Removed,
                _ => DiffLineKind::Context,
            },
            content: line[1..].into(),
        })
        .collect();
    let side = |without: DiffLineKind| -> Vec<&[u8]> {
        let lines = lines.iter().filter(|line| line.kind != without);
        lines.map(|line| line.content.as_slice()).collect()
    };
    let (old, new) = (side(DiffLineKind::Added), side(DiffLineKind::Removed));
    let count = |lines: &[&[u8]]| u32::try_from(lines.len()).unwrap();
    let (old_lines, new_lines, new) = (count(&old), count(&new), new.concat());
    let start = |lines: u32| u32::from(lines > 0);
    let hunk = Hunk {
        old_start: start(old_lines),
        old_lines,
        new_start: start(new_lines),
        new_lines,
        lines,
    };
    FileDiff {
        path: path.into(),
        old_mode: modes.0,
        new_mode: modes.1,
        content: DiffContent::Text { new, hunks: vec![hunk] },
    }
}

impl History {
    pub(crate) fn commit(author: &str, second: i64, changes: &[(&str, u32, u32)]) -> Commit {
        let change = |&(path, added, removed): &(&str, u32, u32)| Change {
            path: path.into(),
            added,
            removed,
        };
        Commit {
            id: format!("{second:040x}"),
            author: author.into(),
            at: Timestamp(second * 1_000),
            subject: String::new(),
            changes: changes.iter().map(change).collect(),
        }
    }
}

impl Repo for History {
    fn log(
        &self,
        limit: usize,
        visit: &mut dyn FnMut(Commit) -> ControlFlow<()>,
    ) -> Result<LogEnd, RepoError> {
        for commit in self.commits.iter().take(limit) {
            if visit(commit.clone()).is_break() {
                return Ok(LogEnd::Stopped);
            }
        }
        self.end.clone()
    }

    fn diff(
        &self,
        query: &DiffQuery<'_>,
        visit: &mut dyn FnMut(FileDiff) -> ControlFlow<()>,
    ) -> Result<Diff, RepoError> {
        self.end.clone()?;
        for file in self.files.iter().take(query.max_files) {
            if visit(file.clone()).is_break() {
                break;
            }
        }
        let side = |revision: Option<&str>, otherwise: &str| DiffSide {
            name: revision.unwrap_or(otherwise).into(),
            commit: revision.map(|_| "1".repeat(40)),
        };
        Ok(Diff {
            from: side(query.from, "HEAD"),
            to: side(query.to, "the files as they are"),
            files: self.files.len() as u64,
        })
    }
}

/// Put together at run time, so that no file of this project holds a credential.
pub(crate) fn secret() -> String {
    ["ghp", "_q7Zk2Xw9Rv4Tb8Nm3Lp6Jh1Gd5Fs0Ya4Ue7c"].concat()
}

/// Everything that a tree should not have.
pub(crate) fn messy() -> Bench {
    let bench = Bench::new();
    bench.write("src/a.rs", "// TODO(ada): one | `two` ``three``\nfn main() {}\n");
    bench.write("src/b.py", format!("# FIXME: rotate {} soon\nx = 1\n", secret()));
    bench.write(
        "src/long.js",
        format!("{}/* TODO: far right */{}\n", "a;".repeat(1_000_000), "b;".repeat(100)),
    );
    bench.write("src/crlf.c", "int a;\r\n/* XXX: carriage\r\n * return */\r\n");
    bench.write("src/breaks.rs", "// TODO: odd\u{c}break\u{2028}here\u{85}and\rthere\n");
    bench.write("empty.rs", "");
    bench.write("no-end.rs", "// BUG: no line end");
    bench.write("with space/ä.sh", "#!/bin/sh\n# HACK: ümlaut\n");
    bench.write("binary.rs", b"// TODO: no\0\x01\x02");
    bench.write("latin1.rs", b"// TODO: caf\xe9\n");
    bench.write("large.rs", "// TODO: no\n".repeat(1_100_000));
    bench.write(Path::new(OsStr::from_bytes(b"odd\xff\nname.rs")), "// TODO: odd name\n");
    bench.write(".gitignore", "ignored/\n");
    bench.write("ignored/a.rs", "// TODO: no\n");
    bench.write("fifo-rules/a.rs", "// TODO: no\n");
    bench.fifo("fifo-rules/.gitignore");
    bench.fifo("pipe.rs");
    symlink("..", bench.root.join("src/loop")).unwrap();
    symlink("/etc/passwd", bench.root.join("outside.rs")).unwrap();
    symlink("nowhere", bench.root.join("dangling.rs")).unwrap();
    bench.write(".git/config.rs", "// TODO: no\n");
    bench.write(".orchestra/workspace/old.rs", "// TODO: no\n");
    bench.write("sub/.orchestra/old.rs", "// TODO: no\n");
    bench.write("Cargo.toml", "[dependencies]\nserde = \"1\"\n");
    let package = |version| {
        format!("[[package]]\nname = \"syn\"\nversion = \"{version}\"\nsource = \"x\"\n\n")
    };
    bench.write("Cargo.lock", format!("{}{}", package("1.0.0"), package("2.0.0")));
    bench.write("web/package.json", "{\n  \"dependencies\": {\n    \"left-pad\": \"^1\"\n  }\n}\n");
    bench.write("bad/package.json", "{ \"dependencies\": ");
    bench
}

pub(crate) fn left_out() -> Value {
    json!({
        "binary": { "count": 1, "paths": ["binary.rs"] },
        "too_large": { "count": 1, "paths": ["large.rs"] },
        "not_utf8": { "count": 1, "paths": ["latin1.rs"] },
        "unreadable": { "count": 1, "paths": ["fifo-rules/.gitignore"] },
        "not_regular": {
            "count": 4,
            "paths": ["dangling.rs", "outside.rs", "pipe.rs", "src/loop"]
        },
    })
}

pub(crate) fn finding(
    severity: &str,
    place: (&str, u64, u64),
    kind: &str,
    message: &str,
    quote: &str,
) -> Value {
    let (path, line, column) = place;
    json!({
        "severity": severity, "path": path, "line": line, "column": column,
        "kind": kind, "message": message, "excerpt": quote,
    })
}
