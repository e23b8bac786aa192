//! Reading the files of a folder that others may have written: bounded, confined, and never for ever.

use orchestra_core::diagnostic::{Diagnostic, Severity};
use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

/// How many files of one folder are looked at.
const MAX_FILES: usize = 5_000;

/// Where a folder lies, and so how far its links may lead.
#[derive(Debug, Clone, Copy)]
pub(super) enum Confined<'a> {
    /// Below the workspace's root (canonical): nothing may lead out of it.
    To(&'a Path),
    /// The user's own folder, which may be links to anywhere.
    Nowhere,
}

/// One text file.
#[derive(Debug)]
pub(super) struct TextFile {
    pub(super) path: PathBuf,
    /// As the user would type it.
    pub(super) shown: String,
    pub(super) text: String,
}

/// A folder as the user would type its name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Folder<'a> {
    pub(super) path: &'a Path,
    pub(super) shown: &'a str,
    pub(super) confined: Confined<'a>,
}

impl Folder<'_> {
    /// The files whose names end in one of `endings`, sorted by name, each at most `limit` bytes. A
    /// folder that is not there has none.
    pub(super) fn read(
        &self,
        endings: &[&str],
        limit: usize,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Vec<TextFile> {
        let names = match self.names(endings, diagnostics) {
            Ok(names) => names,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Vec::new(),
            Err(error) => {
                let message = format!("the folder cannot be read: {error}");
                diagnostics.push(Diagnostic::error(self.shown, message, "check its permissions"));
                return Vec::new();
            }
        };
        names
            .into_iter()
            .filter_map(|name| {
                let shown = format!("{}/{name}", self.shown);
                let read = read(&self.path.join(name), &shown, self.confined, limit);
                read.map_err(|diagnostic| diagnostics.push(*diagnostic)).ok().flatten()
            })
            .collect()
    }

    fn names(
        &self,
        endings: &[&str],
        diagnostics: &mut Vec<Diagnostic>,
    ) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.path)? {
            let name = entry?.file_name();
            let Some(name) = name.to_str() else {
                let shown = format!("{}/{}", self.shown, name.to_string_lossy());
                let message = "the file's name is not UTF-8, so it is left out";
                diagnostics.push(Diagnostic::warning(&shown, message, "rename it"));
                continue;
            };
            let fits = endings.iter().any(|ending| name.ends_with(ending));
            if fits && !name.starts_with('.') {
                names.push(name.to_owned());
            }
        }
        names.sort();
        if names.len() > MAX_FILES {
            let message =
                format!("the folder has more than {MAX_FILES} files; the rest is left out");
            diagnostics.push(Diagnostic::warning(self.shown, message, "move some away"));
            names.truncate(MAX_FILES);
        }
        Ok(names)
    }
}

/// Reads one file of text. `Ok(None)`: it is not there, or it is a folder.
pub(super) fn read(
    path: &Path,
    shown: &str,
    confined: Confined<'_>,
    limit: usize,
) -> Result<Option<TextFile>, Box<Diagnostic>> {
    let error = |message: String, hint: &str| Box::new(Diagnostic::error(shown, message, hint));
    let unreadable = |cause: io::Error| {
        error(format!("cannot be read: {cause}"), "check its permissions and where it links to")
    };
    if let Err(cause) = fs::symlink_metadata(path) {
        return match cause.kind() {
            io::ErrorKind::NotFound => Ok(None),
            _ => Err(unreadable(cause)),
        };
    }
    let real = fs::canonicalize(path).map_err(unreadable)?;
    if let Confined::To(root) = confined
        && !real.starts_with(root)
    {
        let hint = "put a copy of it into the workspace, or into your own configuration folder";
        return Err(error("it leads out of the workspace, so it is left out".to_owned(), hint));
    }
    let metadata = fs::metadata(&real).map_err(unreadable)?;
    if metadata.is_dir() {
        return Ok(None);
    }
    // Opening a pipe would wait for its other end.
    if !metadata.is_file() {
        return Err(error("is not a regular file".to_owned(), "remove it"));
    }
    let mut bytes = Vec::new();
    // One more byte tells a file of exactly the limit from a longer one.
    let allowed = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let file = File::open(&real).map_err(unreadable)?;
    file.take(allowed).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > limit {
        let message = format!("the file is larger than {} KiB", limit >> 10);
        return Err(error(message, "split it, or move what is not needed elsewhere"));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Some(TextFile { path: path.to_owned(), shown: shown.to_owned(), text })),
        Err(wrong) => Err(Box::new(not_utf8(shown, &wrong))),
    }
}

fn not_utf8(shown: &str, wrong: &std::string::FromUtf8Error) -> Diagnostic {
    let valid = &wrong.as_bytes()[..wrong.utf8_error().valid_up_to()];
    let valid = String::from_utf8_lossy(valid);
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let column = valid.rsplit('\n').next().unwrap_or_default().chars().count();
    Diagnostic {
        file: shown.to_owned(),
        line: count(valid.matches('\n').count()).saturating_add(1),
        column: count(column).saturating_add(1),
        severity: Severity::Error,
        message: "the file is not UTF-8".to_owned(),
        hint: "save it as UTF-8".to_owned(),
    }
}
