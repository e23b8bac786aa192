//! `orchestra logs`: what an attempt, or a job of it, has written. Reads its log file, and needs no daemon.

use crate::{
    commands::{
        Done,
        show::{find_task, no_such},
    },
    failure::{Class, Failure},
    session::{Session, unreadable},
    show::style::one_line,
};
use notify::{RecursiveMode, Watcher as _};
use orchestra_core::{
    ids::AttemptId,
    plan::Lane,
    view::{AttemptView, TaskView},
};
use orchestra_runtimes::{attempt::AttemptDir, native};
use std::{
    fs::File,
    io::{self, Write as _},
    path::Path,
    sync::mpsc,
};

pub(crate) fn run(
    session: &Session,
    target: &str,
    job: Option<&str>,
    follow: bool,
) -> Result<Done, Failure> {
    let reader = session.reader()?.ok_or_else(|| no_such("show the log of", target))?;
    let task = find_task(&reader, "show the log of", target)?;
    let attempt = match target.parse::<AttemptId>() {
        Ok(attempt) => task.attempts.iter().find(|known| known.id == attempt),
        Err(_) => task.attempts.last(),
    };
    let Some(attempt) = attempt else {
        return Err(Failure::doing(
            &format!("show the log of {target}"),
            format_args!("it has not started: it is {}", task.status),
        ));
    };
    if attempt.lane != Lane::Process {
        return Err(Failure::doing(
            &format!("show the log of {target}"),
            format_args!("{} is a native action and writes no log", attempt.executor),
        )
        .with_hint(format!("see its result with `orchestra show {}`", task.id)));
    }
    let id = attempt.id;
    let dir = whose(session, attempt, job)?;
    let path = dir.log_path();
    let doing = |error: io::Error| Failure::doing(&format!("read {}", path.display()), error);
    let has_ended = || -> Result<bool, Failure> {
        let task = reader.task(id.task()).map_err(unreadable)?;
        Ok(task.is_none_or(|task| attempt_has_ended(&task, id)))
    };
    if follow {
        print_following(&path, has_ended)
    } else {
        match File::open(&path) {
            Ok(mut file) => drop(copy(&mut file)),
            // There is no log before something has been written.
            Err(error) if error.kind() == io::ErrorKind::NotFound && dir.spec().is_ok() => {}
            Err(error) => return Err(doing(error)),
        }
        Ok(Done::Well)
    }
}

/// Where the log lies that is asked for.
fn whose(
    session: &Session,
    attempt: &AttemptView,
    job: Option<&str>,
) -> Result<AttemptDir, Failure> {
    let dir = AttemptDir::at(&session.folders.attempt(&session.workspace, attempt.id));
    let what = format!("show the log of {}", attempt.id);
    let known = dir.jobs().map_err(|error| Failure::doing(&what, error))?;
    let is_action = native::spawning().iter().any(|action| action.info.name == attempt.executor);
    let problem = match job {
        // Only what is listed is looked up, since a name could lead anywhere.
        Some(job) if known.iter().any(|name| name == job) => return Ok(dir.job(job)),
        Some(job) => format!("it has no job `{}`", one_line(job)),
        None if !is_action => return Ok(dir),
        None => format!("{} has a log for each of its jobs", attempt.executor),
    };
    let hint = match known.as_slice() {
        [] => "it has started no job".to_owned(),
        known => format!("its jobs are {}; name one with --job", known.join(", ")),
    };
    Err(Failure::new(Class::Usage, format!("{what}: {problem}"), hint))
}

fn attempt_has_ended(task: &TaskView, id: AttemptId) -> bool {
    task.attempts.iter().any(|attempt| attempt.id == id && attempt.ended.is_some())
}

/// Prints what is there, and then what comes, until the attempt has ended.
fn print_following(
    path: &Path,
    has_ended: impl Fn() -> Result<bool, Failure>,
) -> Result<Done, Failure> {
    let folder = path.parent().unwrap_or(path);
    let watching =
        |error: notify::Error| Failure::doing(&format!("watch {}", folder.display()), error);
    let (sender, changes) = mpsc::channel();
    // Watching begins before the first look, so that no change falls in between.
    let mut watcher = notify::recommended_watcher(move |event| {
        let _ = sender.send(event);
    })
    .map_err(watching)?;
    watcher.watch(folder, RecursiveMode::NonRecursive).map_err(watching)?;
    let mut file: Option<File> = None;
    loop {
        let ended = has_ended()? || folder.join("result.json").exists();
        if file.is_none() {
            file = File::open(path).ok();
        }
        if let Some(file) = &mut file
            && !copy(file)
        {
            return Ok(Done::Well);
        }
        if ended {
            return Ok(Done::Well);
        }
        // Every change in the folder is a reason to look: the log has grown, or the result is there.
        if changes.recv().is_err() {
            return Ok(Done::Well);
        }
        while changes.try_recv().is_ok() {}
    }
}

/// Whether anybody still reads.
fn copy(file: &mut File) -> bool {
    let mut stdout = io::stdout().lock();
    io::copy(file, &mut stdout).and_then(|_| stdout.flush()).is_ok()
}
