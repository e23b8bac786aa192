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
pub(crate) struct Source {
    pub(crate) layout: Layout,
    /// The full name of the branch that HEAD is on; none when it is detached, or when there is no
    /// commit yet.
    pub(super) branch: Option<Vec<u8>>,
    /// The commit that was asked for, lowercase hex.
    pub(crate) commit: String,
    /// Branches, remote-tracking branches and tags: full name to object id.
    pub(super) refs: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Key to value, of the settings that decide what a checkout of this repository looks like. The
    /// keys are as git prints them, in lowercase.
    pub(super) settings: BTreeMap<Vec<u8>, Vec<u8>>,
}

/// Where the repository's parts are.
#[derive(Debug)]
pub(crate) struct Layout {
    /// The top of the working tree.
    pub(super) top: PathBuf,
    /// The workspace's folder, relative to the top of the working tree.
    pub(crate) prefix: PathBuf,
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
pub(crate) enum Format {
    Sha1,
    Sha256,
}

/// Without these the clone's files would differ from the user's, its commits had no author, or git
/// took what was never fetched for damage. Whatever names a program, a path or a server is not
/// among them.
const SETTINGS: &str = "^(core\\.(autocrlf|eol|safecrlf|symlinks|filemode|ignorecase\
    |precomposeunicode|protecthfs|protectntfs|longpaths|bigfilethreshold|sparsecheckout\
    |sparsecheckoutcone)|user\\.(name|email)|extensions\\.partialclone\
    |remote\\..*\\.(promisor|partialclonefilter)\
    |lfs\\.(repositoryformatversion|fetchinclude|fetchexclude))$";

/// Reads what a clone of the workspace at `root` takes over that shows `revision`.
pub(crate) fn read(root: &Path, revision: &str) -> Result<Source, GitError> {
    if root.as_os_str().as_bytes().contains(&b'\n') {
        return Err(GitError::LineBreak(root.to_owned()));
    }
    let (layout, (refs, settings)) =
        at_once(|| layout(root, revision), || at_once(|| refs(root), || settings(root)));
    // The first one's error says best what is wrong with a folder.
    let ((layout, commit), (refs, branch), settings) = (layout?, refs?, settings?);
    Ok(Source { layout, commit, branch, refs, settings })
}

/// Where the parts are, and the commit.
fn layout(root: &Path, revision: &str) -> Result<(Layout, String), GitError> {
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
        &format!("{revision}^{{commit}}"),
    ]);
    let answer = git.answer()?;
    let lines: Vec<&[u8]> = answer.stdout.split(|&byte| byte == b'\n').collect();
    if !answer.status.success() {
        let refusal = answer.refusal("git rev-parse".to_owned(), root.to_owned());
        // Everything before the commit was answered: then that is what is wrong.
        let is_commit = matches!(refusal, GitError::Failed { .. }) && lines.len() > 7;
        return Err(if is_commit { without_commit(root, revision)? } else { refusal });
    }
    let [top, objects, shallow, exclude, attributes, sparse, format, commit, b""] = lines[..]
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
    let layout = Layout {
        top: path(top),
        prefix: prefix.to_owned(),
        format: if format == b"sha256" { Format::Sha256 } else { Format::Sha1 },
        objects: path(objects),
        shallow: path(shallow),
        exclude: path(exclude),
        attributes: path(attributes),
        sparse_checkout: path(sparse),
    };
    Ok((layout, String::from_utf8_lossy(commit).into_owned()))
}

/// Why a revision names no commit: there is none yet, or the one it names cannot be read.
fn without_commit(root: &Path, revision: &str) -> Result<GitError, GitError> {
    let git = Git::new(root, "rev-parse", ANSWER_LIMIT);
    let answer = git.args(["--quiet", "--verify", revision]).answer()?;
    if !answer.status.success() {
        return Ok(GitError::NoCommit(root.to_owned()));
    }
    Ok(GitError::Failed {
        what: "git rev-parse".to_owned(),
        place: root.to_owned(),
        detail: format!("commit {} is missing", String::from_utf8_lossy(&answer.stdout).trim()),
    })
}

type Refs = BTreeMap<Vec<u8>, Vec<u8>>;

/// The refs, and the branch that HEAD is on.
///
/// Agents compare with other branches, and builds ask for the nearest tag. What others keep in
/// `refs` (stashes, notes, our own) is not for them.
fn refs(root: &Path) -> Result<(Refs, Option<Vec<u8>>), GitError> {
    let git = Git::new(root, "for-each-ref", ANSWER_LIMIT);
    let format = "--format=%(HEAD)%(objectname) %(refname)";
    let output = git.args([format, "refs/heads", "refs/remotes", "refs/tags"]).output()?;
    let (mut refs, mut branch) = (BTreeMap::new(), None);
    for line in output.split(|&byte| byte == b'\n') {
        let Some((mark, line)) = line.split_first() else { continue };
        let Some(space) = line.iter().position(|&byte| byte == b' ') else { continue };
        let name = line[space + 1..].to_owned();
        if *mark == b'*' {
            branch = Some(name.clone());
        }
        refs.insert(name, line[..space].to_owned());
    }
    Ok((refs, branch))
}

fn settings(root: &Path) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, GitError> {
    let found = matching_settings(root, &[], SETTINGS)?;
    // In the order of their precedence: the last one stays.
    Ok(found.into_iter().map(|setting| (setting.key, setting.value)).collect())
}
