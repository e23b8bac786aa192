//! What a clone takes over from the user's repository, read without running anything of it.

use crate::{
    GitError,
    git::{ANSWER_LIMIT, Git, at_once},
    state::matching_settings,
};
use std::{
    collections::BTreeMap,
    ffi::OsStr,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

/// What a clone takes over.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) layout: Layout,
    /// Branches, remote-tracking branches and tags: full name to object id.
    pub(super) refs: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Key to value, of the settings that decide what a checkout of this repository looks like. The
    /// keys are as git prints them, in lowercase.
    pub(super) settings: BTreeMap<Vec<u8>, Vec<u8>>,
}

/// Where the repository's parts are, and where it stands.
#[derive(Debug)]
pub(super) struct Layout {
    /// The workspace's folder, relative to the top of the working tree.
    pub(super) prefix: PathBuf,
    /// The commit of HEAD, lowercase hex.
    pub(super) head: String,
    /// The full name of the branch that HEAD is on; none when it is detached.
    pub(super) branch: Option<Vec<u8>>,
    pub(super) format: Format,
    pub(super) objects: PathBuf,
    // These files need not exist.
    pub(super) shallow: PathBuf,
    pub(super) exclude: PathBuf,
    pub(super) attributes: PathBuf,
    pub(super) sparse_checkout: PathBuf,
}

/// How the repository names its objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Sha1,
    Sha256,
}

/// Without these the clone's files would differ from the user's, or its commits had no author.
/// Whatever names a program, a path or a server is not among them.
const SETTINGS: &str = "^(core\\.(autocrlf|eol|safecrlf|symlinks|filemode|ignorecase\
    |precomposeunicode|protecthfs|protectntfs|longpaths|bigfilethreshold|sparsecheckout\
    |sparsecheckoutcone)|user\\.(name|email))$";

pub(super) fn read(root: &Path) -> Result<Source, GitError> {
    if root.as_os_str().as_bytes().contains(&b'\n') {
        return Err(GitError::LineBreak(root.to_owned()));
    }
    let (layout, (refs, settings)) =
        at_once(|| layout(root), || at_once(|| refs(root), || settings(root)));
    // The first one's error says best what is wrong with a folder.
    let (layout, mut refs, settings) = (layout?, refs?, settings?);
    if let Some(branch) = &layout.branch {
        // The user may have committed between the calls.
        refs.insert(branch.clone(), layout.head.as_bytes().to_owned());
    }
    Ok(Source { layout, refs, settings })
}

fn layout(root: &Path) -> Result<Layout, GitError> {
    let git = Git::new(root, "rev-parse", ANSWER_LIMIT).args([
        "--path-format=absolute",
        "--show-toplevel",
        "--git-path",
        "objects",
        "--git-path",
        "shallow",
        "--git-path",
        "info/exclude",
        "--git-path",
        "info/attributes",
        "--git-path",
        "info/sparse-checkout",
        "--show-object-format=storage",
        "HEAD^{commit}",
        "--symbolic-full-name",
        "HEAD",
    ]);
    let answer = git.answer()?;
    let lines: Vec<&[u8]> = answer.stdout.split(|&byte| byte == b'\n').collect();
    if !answer.status.success() {
        let refusal = answer.refusal("git rev-parse".to_owned(), root.to_owned());
        // Everything before HEAD was answered: then HEAD is what is wrong.
        let is_head = matches!(refusal, GitError::Failed { .. }) && lines.len() > 7;
        return Err(if is_head { without_head(root)? } else { refusal });
    }
    let [top, objects, shallow, exclude, attributes, sparse, format, head, branch, b""] = lines[..]
    else {
        return Err(GitError::Failed {
            what: "git rev-parse".to_owned(),
            place: root.to_owned(),
            detail: format!("it answered {} lines", lines.len()),
        });
    };
    let path = |line: &[u8]| PathBuf::from(OsStr::from_bytes(line));
    let prefix = root
        .strip_prefix(path(top))
        .map_err(|_| GitError::Outside { root: root.to_owned(), top: path(top) })?;
    Ok(Layout {
        prefix: prefix.to_owned(),
        head: String::from_utf8_lossy(head).into_owned(),
        branch: (branch != b"HEAD").then(|| branch.to_owned()),
        format: if format == b"sha256" { Format::Sha256 } else { Format::Sha1 },
        objects: path(objects),
        shallow: path(shallow),
        exclude: path(exclude),
        attributes: path(attributes),
        sparse_checkout: path(sparse),
    })
}

/// Why HEAD names no commit: there is none yet, or the one it names cannot be read.
fn without_head(root: &Path) -> Result<GitError, GitError> {
    let git = Git::new(root, "rev-parse", ANSWER_LIMIT);
    let answer = git.args(["--quiet", "--verify", "HEAD"]).answer()?;
    if !answer.status.success() {
        return Ok(GitError::NoCommit(root.to_owned()));
    }
    Ok(GitError::Failed {
        what: "git rev-parse".to_owned(),
        place: root.to_owned(),
        detail: format!("commit {} is missing", String::from_utf8_lossy(&answer.stdout).trim()),
    })
}

/// Agents compare with other branches, and builds ask for the nearest tag. What others keep in
/// `refs` (stashes, notes, our own) is not for them.
fn refs(root: &Path) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, GitError> {
    let git = Git::new(root, "for-each-ref", ANSWER_LIMIT);
    let shown = ["--format=%(objectname) %(refname)", "refs/heads", "refs/remotes", "refs/tags"];
    let output = git.args(shown).output()?;
    let lines = output.split(|&byte| byte == b'\n');
    let pair = |line: &[u8]| {
        let space = line.iter().position(|&byte| byte == b' ')?;
        Some((line[space + 1..].to_owned(), line[..space].to_owned()))
    };
    Ok(lines.filter_map(pair).collect())
}

fn settings(root: &Path) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, GitError> {
    let found = matching_settings(root, &[], SETTINGS)?;
    // In the order of their precedence: the last one stays.
    Ok(found.into_iter().map(|setting| (setting.key, setting.value)).collect())
}
