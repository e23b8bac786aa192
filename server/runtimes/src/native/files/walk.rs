//! The walk over the workspace.

use super::{
    super::contract::{Context, Progress, Stop},
    coverage::{Coverage, LeftOutCollector},
    ignore_files, open_regular,
};
use ignore::{DirEntry, WalkBuilder, WalkState, overrides::OverrideBuilder};
use std::{
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// Larger files are left out: they are data, not something that people read.
pub(crate) const MAX_FILE_BYTES: u64 = 10 * 1024 * 1024;

/// How much of a file is looked at to tell whether it is binary.
const BINARY_PROBE_BYTES: usize = 8 * 1024;

/// How often progress is reported, in files.
const PROGRESS_EVERY: u64 = 64;

/// What of the workspace is read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    /// A folder or a file below the root; empty: everything.
    pub(crate) below: String,
    /// Globs in the syntax of `.gitignore`, relative to the root; `!` excludes. Empty: every file. A
    /// file that a glob names is read even when git's rules ignore it.
    pub(crate) globs: Vec<String>,
    /// Files whose path it refuses are passed over without being opened or counted.
    pub(crate) wanted: Option<fn(&str) -> bool>,
}

/// One text file.
pub(crate) struct TextFile<'a> {
    /// As findings show it.
    pub(crate) path: &'a str,
    pub(crate) text: &'a str,
}

/// Visits every text file on several threads, each with a state of its own from `start`, and hands
/// all states back, in no particular order.
///
/// `.git` and `.orchestra` are never entered, links never followed, and what git's rules ignore is
/// left out, hidden files are not. The rules are those of the `.gitignore` files alone: neither the
/// user's own excludes nor `.git/info/exclude`, so that the answer depends on the workspace only.
pub(crate) fn scan<S: Send>(
    ctx: &Context<'_>,
    options: &Options,
    start: impl Fn() -> S + Sync,
    visit: impl Fn(&mut S, &TextFile<'_>) + Sync,
) -> Result<(Vec<S>, Coverage), Stop> {
    let start_at = confined(ctx.root, &options.below)?;
    let refused = Arc::new(Mutex::new(LeftOutCollector::new()));
    let builder = walker(ctx, options, start_at, &refused)?;
    let visited = AtomicU64::new(0);
    let finished: Mutex<Vec<Worker<S>>> = Mutex::default();

    builder.build_parallel().run(|| {
        let worker = Worker::new(start());
        let mut slot = ReturnOnDrop { worker: Some(worker), finished: &finished };
        let (visit, visited) = (&visit, &visited);
        Box::new(move |entry| {
            if ctx.is_cancelled() {
                return WalkState::Quit;
            }
            let Some(worker) = &mut slot.worker else { return WalkState::Quit };
            worker.take(ctx.root, options.wanted, entry, visit);
            let done = visited.fetch_add(1, Ordering::Relaxed) + 1;
            if done.is_multiple_of(PROGRESS_EVERY) {
                (ctx.progress)(Progress { done, total: None, unit: "files" });
            }
            WalkState::Continue
        })
    });
    ctx.check_cancelled()?;

    let mut coverage = Coverage::default();
    let mut left_out = std::mem::replace(&mut *lock(&refused), LeftOutCollector::new());
    let mut states = Vec::new();
    for worker in std::mem::take(&mut *lock(&finished)) {
        coverage.files += worker.files;
        coverage.bytes += worker.bytes;
        left_out.merge(worker.left_out);
        states.push(worker.state);
    }
    coverage.left_out = left_out.finish();
    (ctx.progress)(Progress { done: coverage.files, total: Some(coverage.files), unit: "files" });
    Ok((states, coverage))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is behind these locks is only ever pushed to: it is whole even after a panic.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The path below `root` that `below` names, which must exist and stay inside, links resolved.
fn confined(root: &Path, below: &str) -> Result<PathBuf, Stop> {
    if below.is_empty() || below == "." {
        return match root.read_dir() {
            Ok(_) => Ok(root.to_owned()),
            Err(error) => Err(Stop::environment(
                format!("failed to read {}: {error}", root.display()),
                "check that the folder exists and that you may read it",
            )),
        };
    }
    let wrong = |reason: String| {
        Stop::work(
            format!("path `{below}` {reason}"),
            "name a folder or a file relative to the workspace's root",
        )
    };
    match root.join(below).canonicalize() {
        Ok(path) if path.starts_with(root) => Ok(path),
        Ok(_) => Err(wrong("leaves the workspace".into())),
        Err(error) => Err(wrong(format!("cannot be read: {error}"))),
    }
}

fn walker(
    ctx: &Context<'_>,
    options: &Options,
    start_at: PathBuf,
    refused: &Arc<Mutex<LeftOutCollector>>,
) -> Result<WalkBuilder, Stop> {
    let mut globs = OverrideBuilder::new(ctx.root);
    for glob in &options.globs {
        globs.add(glob).map_err(|error| {
            Stop::work(
                format!("glob `{glob}` does not parse: {error}"),
                "globs are written as in .gitignore, such as src/**/*.rs or !vendor",
            )
        })?;
    }
    let overrides = globs.build().map_err(|error| {
        Stop::work(format!("globs do not compile: {error}"), "use fewer or simpler globs")
    })?;

    let in_git = ctx.repo.is_some();
    let readable = |folder: &Path| ignore_files::are_readable(folder, ctx.root);
    // From the root even when only a part is wanted: the rules above that part count, too.
    let mut builder = WalkBuilder::new(ctx.root);
    builder
        .hidden(false)
        .ignore(false)
        .git_global(false)
        .git_exclude(false)
        .git_ignore(readable(ctx.root))
        // Outside of git the rules in the folder itself still say what people consider generated.
        .require_git(in_git)
        // The workspace may be a subfolder of the repository.
        .parents(in_git && ctx.root.ancestors().skip(1).all(readable))
        .follow_links(false)
        .overrides(overrides);
    let (root, refused) = (ctx.root.to_owned(), Arc::clone(refused));
    builder.filter_entry(move |entry| {
        let wanted = entry.path().starts_with(&start_at) || start_at.starts_with(entry.path());
        wanted && may_enter(entry, &root, &refused)
    });
    Ok(builder)
}

fn may_enter(entry: &DirEntry, root: &Path, refused: &Mutex<LeftOutCollector>) -> bool {
    let name = entry.file_name();
    if entry.depth() > 0 && (name == ".git" || name == ".orchestra") {
        return false;
    }
    let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
    if is_folder && entry.depth() > 0 && !ignore_files::are_readable(entry.path(), root) {
        let path = shown_path(root, &entry.path().join(".gitignore"));
        lock(refused).unreadable.push(path);
        return false;
    }
    true
}

/// A path as findings show it; see [`super::super::finding::Finding::path`].
pub(crate) fn shown_path(root: &Path, path: &Path) -> String {
    let relative = path.strip_prefix(root).unwrap_or(path);
    let text = relative.to_string_lossy();
    let text = if cfg!(windows) { text.replace('\\', "/") } else { text.into_owned() };
    if text.contains(char::is_control) { text.replace(char::is_control, "\u{fffd}") } else { text }
}

/// What one thread has read.
struct Worker<S> {
    state: S,
    buffer: Vec<u8>,
    files: u64,
    bytes: u64,
    left_out: LeftOutCollector,
}

struct ReturnOnDrop<'a, S> {
    worker: Option<Worker<S>>,
    finished: &'a Mutex<Vec<Worker<S>>>,
}

impl<S> Drop for ReturnOnDrop<'_, S> {
    fn drop(&mut self) {
        if let Some(worker) = self.worker.take() {
            lock(self.finished).push(worker);
        }
    }
}

impl<S> Worker<S> {
    fn new(state: S) -> Self {
        Self { state, buffer: Vec::new(), files: 0, bytes: 0, left_out: LeftOutCollector::new() }
    }

    fn take(
        &mut self,
        root: &Path,
        wanted: Option<fn(&str) -> bool>,
        entry: Result<DirEntry, ignore::Error>,
        visit: &impl Fn(&mut S, &TextFile<'_>),
    ) {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                self.left_out.unreadable.push(path_of(root, &error));
                return;
            }
        };
        if entry.file_type().is_some_and(|kind| kind.is_dir()) {
            return;
        }
        let path = shown_path(root, entry.path());
        if wanted.is_some_and(|wanted| !wanted(&path)) {
            return;
        }
        if !entry.file_type().is_some_and(|kind| kind.is_file()) {
            self.left_out.not_regular.push(path);
            return;
        }
        match read_text(entry.path(), &mut self.buffer) {
            Ok(ReadText::Text(text)) => {
                self.files += 1;
                self.bytes += text.len() as u64;
                visit(&mut self.state, &TextFile { path: &path, text });
            }
            Ok(ReadText::Binary) => self.left_out.binary.push(path),
            Ok(ReadText::TooLarge) => self.left_out.too_large.push(path),
            Ok(ReadText::NotUtf8) => self.left_out.not_utf8.push(path),
            Ok(ReadText::NotRegular) => self.left_out.not_regular.push(path),
            Err(_) => self.left_out.unreadable.push(path),
        }
    }
}

fn path_of(root: &Path, error: &ignore::Error) -> String {
    match error {
        ignore::Error::WithPath { path, .. } => shown_path(root, path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => {
            path_of(root, err)
        }
        _ => "(unknown)".to_owned(),
    }
}

/// What a file turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ReadText<'a> {
    Text(&'a str),
    Binary,
    TooLarge,
    NotUtf8,
    NotRegular,
}

/// Reads a file into `buffer`, and no more of it than is needed to tell what it is.
pub(crate) fn read_text<'a>(path: &Path, buffer: &'a mut Vec<u8>) -> io::Result<ReadText<'a>> {
    buffer.clear();
    let Some(mut file) = open_regular(path)? else { return Ok(ReadText::NotRegular) };
    let size = file.metadata()?.len();
    if size > MAX_FILE_BYTES {
        return Ok(ReadText::TooLarge);
    }
    // The size is only a hint: files grow, and those below /proc say zero.
    buffer.reserve(usize::try_from(size).unwrap_or(0) + 1);
    file.by_ref().take(BINARY_PROBE_BYTES as u64).read_to_end(buffer)?;
    if buffer.contains(&0) {
        return Ok(ReadText::Binary);
    }
    file.take(MAX_FILE_BYTES + 1 - buffer.len() as u64).read_to_end(buffer)?;
    if buffer.len() as u64 > MAX_FILE_BYTES {
        return Ok(ReadText::TooLarge);
    }
    Ok(std::str::from_utf8(buffer).map_or(ReadText::NotUtf8, ReadText::Text))
}
