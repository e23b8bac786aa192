//! `orchestra blame`: who wrote the lines of a file, an agent or a person.

use crate::{
    arguments::reviews::Blame,
    commands::{Done, review::kept},
    failure::{Class, Failure},
    session::{Session, unreadable},
    show::{style::one_line, table::Table},
};
use orchestra_core::{
    operation::{OperationKind, Target},
    review::Work,
    view::OperationView,
};
use orchestra_vcs::{
    GitError,
    blame::{self, Apply, Limits, Line, LineAuthor, Request},
    state,
};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

/// How many runs are looked through for what was applied.
const RUNS: u32 = 1_000;

pub(crate) fn run(session: &Session, arguments: &Blame) -> Result<Done, Failure> {
    let wanted = arguments.line.as_deref().map(lines).transpose()?;
    let path = below_top(session, &arguments.file)?;
    let text = fs::read(&arguments.file).unwrap_or_default();
    let applied = applied(session)?;
    let applies: Vec<Apply<'_>> = applied
        .iter()
        .filter_map(|(operation, works)| {
            Some(Apply { operation: operation.id, after: operation.after.as_deref()?, works })
        })
        .collect();
    let request = Request {
        root: &session.root,
        path: &path,
        content: None,
        applies: &applies,
        limits: Limits {
            file: session.config().0.snapshot.file_limit.0,
            time: Duration::from_millis(arguments.timeout.0),
        },
    };
    let mut found = blame::blame(&request).map_err(|error| failure(&path, error))?;
    if let Some((first, last)) = wanted {
        let all = found.len();
        found.retain(|line| (first..=last).contains(&line.number));
        if found.is_empty() {
            let problem = format!("blame {path}: it has {all} lines, and no line {first}");
            return Err(Failure::new(Class::Usage, problem, "name one that it has"));
        }
    }
    if session.json {
        let lines: Vec<Value> = found.iter().map(of_line).collect();
        anstream::println!("{}", json!({ "path": path, "lines": lines }));
    } else {
        print(&found, &String::from_utf8_lossy(&text));
    }
    Ok(Done::Well)
}

/// `N`, or `A,B`.
fn lines(text: &str) -> Result<(u32, u32), Failure> {
    let (first, last) = text.split_once(',').unwrap_or((text, text));
    let number = |text: &str| text.trim().parse::<u32>().ok().filter(|number| *number > 0);
    match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => Ok((first, last)),
        _ => Err(Failure::new(
            Class::Usage,
            format!("read the lines `{}`", text.chars().take(40).collect::<String>()),
            "write a line as 12, or lines as 12,20",
        )),
    }
}

/// The file by its path from the top of the repository.
fn below_top(session: &Session, file: &Path) -> Result<String, Failure> {
    let usage = |problem: String, hint: &str| {
        Failure::new(Class::Usage, format!("blame {}: {problem}", file.display()), hint)
    };
    let top: Option<PathBuf> =
        state::toplevel(&session.root).map_err(|error| usage(error.to_string(), &error.hint()))?;
    let top = top.ok_or_else(|| {
        let problem = format!("{} is no git repository", session.root.display());
        usage(problem, "lines have authors where git keeps their history")
    })?;
    // The file itself may be a link, whose own history is meant.
    let name = file.file_name().ok_or_else(|| usage("it is no file".to_owned(), "name a file"))?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new(".")).canonicalize();
    let folder = folder.map_err(|error| usage(error.to_string(), "name a file that is there"))?;
    let whole = folder.join(name);
    let below = whole.strip_prefix(&top).map_err(|_| {
        usage(format!("it is not in {}", top.display()), "name a file of this repository")
    })?;
    let path = below.to_str();
    let path = path.ok_or_else(|| usage("its name is no UTF-8".to_owned(), "rename it"))?;
    Ok(path.to_owned())
}

/// What was applied to the user's files and is in effect, the oldest first, and whose works came in.
fn applied(session: &Session) -> Result<Vec<(OperationView, Vec<Work>)>, Failure> {
    let Some(reader) = session.reader()? else { return Ok(Vec::new()) };
    let mut applied = Vec::new();
    for mut run in reader.operated(RUNS).map_err(unreadable)? {
        let is_apply = |operation: &OperationView| {
            operation.in_effect
                && matches!(operation.kind, OperationKind::Apply { target: Target::Files, .. })
        };
        let mut operations = std::mem::take(&mut run.operations);
        operations.retain(is_apply);
        if operations.is_empty() {
            continue;
        }
        let works = kept(session, &run)?.works;
        applied.extend(operations.into_iter().map(|operation| (operation, works.clone())));
    }
    applied.sort_by_key(|(operation, _)| (operation.started, operation.id));
    Ok(applied)
}

fn failure(path: &str, error: GitError) -> Failure {
    let hint = error.hint();
    let class = match &error {
        GitError::NoFile(_)
        | GitError::NotTracked(_)
        | GitError::NotText(_)
        | GitError::LineBreak(_)
        | GitError::FileTooLarge { .. } => Class::Usage,
        _ => Class::Failed,
    };
    Failure::new(class, format!("blame {path}: {error}"), hint)
}

fn of_line(line: &Line) -> Value {
    let author = match &line.author {
        LineAuthor::Agent { operation, attempt, agent, model, commit } => json!({
            "type": "agent",
            "operation": operation,
            "attempt": attempt,
            "agent": agent,
            "model": model,
            "commit": commit,
        }),
        LineAuthor::Person { commit, author, at } => {
            json!({ "type": "person", "commit": commit, "author": author, "at": at })
        }
        LineAuthor::NotCommitted => json!({ "type": "not-committed" }),
        LineAuthor::NotKnown => json!({ "type": "not-known" }),
    };
    json!({ "line": line.number, "author": author })
}

fn print(found: &[Line], text: &str) {
    let texts: Vec<&str> = text.lines().collect();
    let mut table = Table::new(&["line", "who", "commit", "text"]);
    for line in found {
        let (who, commit) = match &line.author {
            LineAuthor::Agent { attempt, agent, commit, .. } => {
                (format!("{agent} ({attempt})"), commit.as_str())
            }
            LineAuthor::Person { commit, author, .. } => (author.clone(), commit.as_str()),
            LineAuthor::NotCommitted => ("you, not committed".to_owned(), ""),
            LineAuthor::NotKnown => ("not known".to_owned(), ""),
        };
        let position = usize::try_from(line.number).unwrap_or(usize::MAX).saturating_sub(1);
        table.row([
            line.number.to_string(),
            one_line(&who),
            commit.get(..12).unwrap_or(commit).to_owned(),
            one_line(texts.get(position).copied().unwrap_or_default()),
        ]);
    }
    table.print();
}
