//! What the user's repository contributes: where its objects are, what it ignores, how its lines end,
//! and whether the result is there already.

use super::record::Kept;
use crate::{
    GitError,
    bare::line,
    git::{ANSWER_LIMIT, Git, at_once},
    state::{Setting, matching_settings},
};
use std::{
    ffi::OsStr,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

/// The user's repository as a result needs it.
#[derive(Debug)]
pub(super) struct Origin {
    pub(super) objects: PathBuf,
    // These files need not exist.
    pub(super) shallow: PathBuf,
    pub(super) exclude: PathBuf,
    pub(super) attributes: PathBuf,
    /// `sha1` or `sha256`.
    pub(super) object_format: String,
    /// The tree of the commit that the agent was given.
    pub(super) base_tree: String,
    /// Those that decide what of a file is committed; keys in lowercase.
    pub(super) settings: Vec<Setting>,
    /// Whether objects may be missing that a remote has.
    pub(super) is_partial: bool,
    /// What the reference holds.
    pub(super) kept: Option<Kept>,
}

/// Without these, a file that nobody touched could differ from the commit, or an ignored one count as
/// new. Programs are not among them.
const SETTINGS: &str = "^(core\\.(autocrlf|eol|symlinks|filemode|ignorecase|precomposeunicode\
    |protecthfs|protectntfs|bigfilethreshold|excludesfile|attributesfile)\
    |extensions\\.partialclone|remote\\..*\\.promisor)$";

pub(super) fn read(root: &Path, base: &str, reference: &str) -> Result<Origin, GitError> {
    if root.as_os_str().as_bytes().contains(&b'\n') {
        return Err(GitError::LineBreak(root.to_owned()));
    }
    let (origin, (settings, kept)) = at_once(
        || layout(root, base),
        || {
            at_once(
                || matching_settings(root, &["--type=path"], SETTINGS),
                || kept(root, reference),
            )
        },
    );
    // The first one's error says best what is wrong with a folder.
    let mut origin = origin?;
    let (of_objects, settings) =
        settings?.into_iter().partition(|setting| !setting.key.starts_with(b"core."));
    origin.settings = settings;
    origin.is_partial = !Vec::is_empty(&of_objects);
    origin.kept = kept?;
    Ok(origin)
}

fn layout(root: &Path, base: &str) -> Result<Origin, GitError> {
    let output = Git::new(root, "rev-parse", ANSWER_LIMIT)
        .args(["--path-format=absolute", "--git-path", "objects", "--git-path", "shallow"])
        .args(["--git-path", "info/exclude", "--git-path", "info/attributes"])
        .args(["--show-object-format=storage", &format!("{base}^{{tree}}")])
        .env("GIT_NO_REPLACE_OBJECTS", "1")
        .output()?;
    let lines: Vec<&[u8]> = output.split(|&byte| byte == b'\n').collect();
    let [objects, shallow, exclude, attributes, format, base_tree, b""] = lines[..] else {
        return Err(GitError::Failed {
            what: "git rev-parse".to_owned(),
            place: root.to_owned(),
            detail: format!("it answered {} lines", lines.len()),
        });
    };
    let path = |line: &[u8]| PathBuf::from(OsStr::from_bytes(line));
    Ok(Origin {
        objects: path(objects),
        shallow: path(shallow),
        exclude: path(exclude),
        attributes: path(attributes),
        object_format: line(format),
        base_tree: line(base_tree),
        settings: Vec::new(),
        is_partial: false,
        kept: None,
    })
}

fn kept(root: &Path, reference: &str) -> Result<Option<Kept>, GitError> {
    let git = Git::new(root, "for-each-ref", ANSWER_LIMIT);
    let output = git.args(["--format=%(objectname)%00%(refname)%00%(contents)%00", reference]);
    let output = output.output()?;
    let mut parts = output.split(|&byte| byte == 0);
    let (Some(commit), Some(name), Some(message)) = (parts.next(), parts.next(), parts.next())
    else {
        return Ok(None);
    };
    // It also names what lies below a folder of that name.
    if name != reference.as_bytes() {
        return Ok(None);
    }
    Ok(Some(Kept::read(&String::from_utf8_lossy(commit), &String::from_utf8_lossy(message))))
}
