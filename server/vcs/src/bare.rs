//! A bare repository of our own, in a private folder, that reads the user's objects: what git computes in it
//! depends on those objects alone, and not on anybody's settings, attributes, drivers or hooks.

mod facts;
mod signature;

pub(crate) use facts::Facts;
pub(crate) use signature::Signature;

use crate::{
    GitError,
    collect::blobs,
    git::{ANSWER_LIMIT, CHECKOUT_LIMIT, Git, at_once},
    state::{Setting, matching_settings},
    update_index::{self, Entry},
};
use std::{
    ffi::{OsStr, OsString},
    fs::{self, DirBuilder, File, Permissions},
    io,
    os::unix::{
        ffi::{OsStrExt as _, OsStringExt as _},
        fs::{DirBuilderExt as _, PermissionsExt as _},
    },
    path::{Path, PathBuf},
};
use tempfile::TempDir;

/// What holds in it.
const SETTINGS: [(&str, &str); 5] = [
    // By default, git reads the user's.
    ("core.attributesFile", "/dev/null"),
    // It is a cache that is believed; here ancestry is read from the commits.
    ("core.commitGraph", "false"),
    // What a crash leaves here is thrown away.
    ("core.fsync", "none"),
    ("index.skipHash", "true"),
    // Else commits could say that they are in another encoding.
    ("i18n.commitEncoding", "UTF-8"),
];

/// Those of the user's that say which objects may be missing, because a remote has them, and who may read new
/// ones.
const OF_OBJECTS: &str =
    "^(core\\.sharedrepository|extensions\\.partialclone|remote\\..*\\.promisor)$";

/// Where the user's objects are.
#[derive(Debug)]
struct Users {
    objects: PathBuf,
    /// It need not exist.
    shallow: PathBuf,
    /// `sha1` or `sha256`.
    object_format: String,
}

/// Removed when dropped, with the objects that were made in it.
#[derive(Debug)]
pub(crate) struct Bare {
    root: PathBuf,
    folder: TempDir,
    repository: PathBuf,
    settings: Vec<(OsString, String)>,
    users: Users,
}

impl Bare {
    /// For the workspace at `root`, in `scratch`, a private folder of ours on whose file system new objects
    /// have room.
    pub(crate) fn create(root: &Path, scratch: &Path) -> Result<Self, GitError> {
        if root.as_os_str().as_bytes().contains(&b'\n') {
            return Err(GitError::LineBreak(root.to_owned()));
        }
        let (users, settings) =
            at_once(|| users(root), || matching_settings(root, &[], OF_OBJECTS));
        // The first one's error says best what is wrong with a folder.
        let (users, settings) = (users?, settings?);
        make(scratch)?;
        let folder = tempfile::Builder::new()
            .prefix("bare-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(scratch)
            .map_err(GitError::io("failed to create a folder in", scratch))?;
        let repository = folder.path().join("repository");
        skeleton(&repository, &[&users.objects], &users.object_format, &users.shallow)?;
        let users_setting = |Setting { key, value }: Setting| {
            (OsString::from_vec(key), String::from_utf8_lossy(&value).into_owned())
        };
        let ours = SETTINGS.map(|(key, value)| (key.into(), value.to_owned()));
        // Ours come last, so they count.
        let settings = settings.into_iter().map(users_setting).chain(ours).collect();
        Ok(Self { root: root.to_owned(), folder, repository, settings, users })
    }

    /// A call of git that sees objects, and what else was put into this repository.
    pub(crate) fn git(&self, verb: &str) -> Git {
        let git = Git::new(&self.repository, verb, CHECKOUT_LIMIT)
            .in_repository(&self.repository)
            .with_own_settings_only()
            .with_index(&self.room("index"))
            .env("GIT_NO_REPLACE_OBJECTS", "1")
            .env("GIT_ATTR_NOSYSTEM", "1");
        self.settings.iter().fold(git, |git, (key, value)| git.set(key.clone(), value))
    }

    /// The workspace that it was made for.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A private path beside the repository.
    pub(crate) fn room(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Lets commits be called by these names, each a valid one for a branch. Replaces those of before.
    pub(crate) fn call(&self, names: &[(&str, &str)]) -> Result<(), GitError> {
        let mut lines: Vec<String> =
            names.iter().map(|(name, commit)| format!("{commit} refs/heads/{name}\n")).collect();
        lines.sort_by(|a, b| a.split(' ').nth(1).cmp(&b.split(' ').nth(1)));
        let text = format!("# pack-refs with: sorted \n{}", lines.concat());
        put(&self.repository.join("packed-refs"), text.as_bytes())
    }

    /// What these commits say; one that is missing is an error.
    pub(crate) fn facts(&self, commits: &[&str]) -> Result<Vec<Facts>, GitError> {
        let mut found = vec![None; commits.len()];
        blobs::contents(self.git("cat-file"), commits, Facts::MAX_BYTES, |number, content| {
            found[number] = Facts::read(content);
        })?;
        let missing = |id: &str| GitError::Failed {
            what: "git cat-file".to_owned(),
            place: self.root.clone(),
            detail: format!("commit {id} is missing"),
        };
        let found = commits.iter().zip(found);
        found.map(|(id, found)| found.ok_or_else(|| missing(id))).collect()
    }

    /// How many hex digits an object's id has.
    pub(crate) fn id_length(&self) -> usize {
        if self.users.object_format == "sha256" { 64 } else { 40 }
    }

    /// The id of the tree that `tree` becomes with these entries; removals first, so that a file can take
    /// the place of a folder.
    pub(crate) fn tree_with(
        &self,
        tree: &str,
        mut entries: Vec<Entry>,
    ) -> Result<String, GitError> {
        entries.sort_by_key(|entry| entry.object.is_some());
        self.git("read-tree")
            .args(["--index-output"])
            .args([self.room("index")])
            .args([tree])
            .output()?;
        let git = self.git("update-index").args(["--add", "--replace"]);
        update_index::enter(git, self.id_length(), entries)?;
        // Contents may be with the remote of a partial clone.
        self.git("write-tree").args(["--missing-ok"]).output().map(|output| line(&output))
    }

    /// Makes blobs of these contents, in order.
    pub(crate) fn blobs(&self, contents: &[Vec<u8>]) -> Result<Vec<String>, GitError> {
        let folder = self.room("contents");
        make(&folder)?;
        let mut paths = Vec::new();
        for (number, content) in contents.iter().enumerate() {
            let file = folder.join(number.to_string());
            put(&file, content)?;
            paths.extend([file.as_os_str().as_bytes(), b"\n"].concat());
        }
        if contents.is_empty() {
            return Ok(Vec::new());
        }
        let git = self.git("hash-object").args(["-w", "--no-filters", "--stdin-paths"]);
        let output = git.input(paths).output()?;
        Ok(String::from_utf8_lossy(&output).lines().map(str::to_owned).collect())
    }

    /// Commits a tree at the time of `date` (seconds since 1970), so that doing it again gives the same.
    pub(crate) fn commit(
        &self,
        signature: &Signature,
        date: i64,
        tree: &str,
        parents: &[&str],
        message: String,
    ) -> Result<String, GitError> {
        let date = format!("@{date} +0000");
        let git = signature.sign(self.git("commit-tree"));
        let git = git.env("GIT_AUTHOR_DATE", &date).env("GIT_COMMITTER_DATE", &date);
        let parents = parents.iter().flat_map(|parent| ["-p", *parent]);
        let git = git.args(["--no-gpg-sign", "-F", "-"]).args(parents).args([tree]);
        git.input(message.into_bytes()).output().map(|output| line(&output))
    }

    /// Brings what `commit` reaches and the user's repository does not have into that, as one pack, and has
    /// `reference` hold it. `known` are commits that are there already.
    ///
    /// Every object was made here by git, of those that the user's repository has: unlike what is collected,
    /// nobody else could have had a hand in them.
    pub(crate) fn keep(
        &self,
        commit: &str,
        known: &[&str],
        reference: &str,
    ) -> Result<(), GitError> {
        if !known.contains(&commit) {
            let git = self
                .git("pack-objects")
                // It is to outlive whatever happens next.
                .set("core.fsync".into(), "default")
                .env("GIT_OBJECT_DIRECTORY", &self.users.objects)
                .env("GIT_ALTERNATE_OBJECT_DIRECTORIES", quoted(&self.repository.join("objects")));
            pack(git, &self.users.objects.join("pack/pack"), commit, known)?;
            fail::fail_point!("bare::keep::imported", |_| std::process::abort());
        }
        hold(&self.root, reference, commit, None)
    }
}

/// As git takes one of a list of paths, whatever is in it.
fn quoted(path: &Path) -> OsString {
    let mut quoted = vec![b'"'];
    for byte in path.as_os_str().as_bytes() {
        if matches!(byte, b'"' | b'\\') {
            quoted.push(b'\\');
        }
        quoted.push(*byte);
    }
    quoted.push(b'"');
    OsString::from_vec(quoted)
}

/// Writes what `commit` reaches and the `known` do not into a pack whose name begins with `name`. `git` is a
/// call of `pack-objects`.
pub(crate) fn pack(
    git: Git,
    name: &Path,
    commit: &str,
    known: &[&str],
) -> Result<PathBuf, GitError> {
    let known: String = known.iter().map(|known| format!("^{known}\n")).collect();
    let git = git.args(["--revs", "-q"]).args([name]);
    let hash = line(&git.input(format!("{commit}\n{known}").into_bytes()).output()?);
    let mut path = name.as_os_str().to_owned();
    path.push(format!("-{hash}.pack"));
    Ok(path.into())
}

/// Brings a pack into the user's repository, where git checks it once more.
pub(crate) fn import(root: &Path, pack: &Path, is_partial: bool) -> Result<(), GitError> {
    let file = File::open(pack).map_err(GitError::io("failed to open", pack))?;
    // In a partial clone, what the commit refers to may be with the remote.
    let check = if is_partial { "--fsck-objects" } else { "--strict" };
    Git::new(root, "index-pack", CHECKOUT_LIMIT)
        .env("GIT_NO_REPLACE_OBJECTS", "1")
        .args([check, "--stdin"])
        .input_file(file)
        .output()
        .map(drop)
}

/// How long git waits for another process that has a reference locked, in milliseconds: that one may be held
/// up by a busy disk.
const LOCK_PATIENCE: &str = "10000";

/// Has a reference hold a commit. With `old`, only when it holds that, or is new where that is empty.
pub(crate) fn hold(
    root: &Path,
    reference: &str,
    commit: &str,
    old: Option<&str>,
) -> Result<(), GitError> {
    Git::new(root, "update-ref", ANSWER_LIMIT)
        // A user may have asked for a log of every reference.
        .set("core.logAllRefUpdates".into(), "false")
        .set("core.filesRefLockTimeout".into(), LOCK_PATIENCE)
        .args(["--no-deref", reference, commit])
        .args(old)
        .output()
        .map(drop)
}

/// A repository that holds nothing but reads these folders of objects.
pub(crate) fn skeleton(
    repository: &Path,
    objects: &[&Path],
    object_format: &str,
    shallow: &Path,
) -> Result<(), GitError> {
    for name in ["objects/info", "objects/pack", "refs"] {
        make(&repository.join(name))?;
    }
    let config = format!(
        "[core]\nrepositoryFormatVersion = 1\nbare = true\n[extensions]\nobjectFormat = \
         {object_format}\n"
    );
    let alternates: Vec<u8> =
        objects.iter().flat_map(|folder| [folder.as_os_str().as_bytes(), b"\n"].concat()).collect();
    put(&repository.join("config"), config.as_bytes())?;
    put(&repository.join("HEAD"), b"ref: refs/heads/none\n")?;
    put(&repository.join("objects/info/alternates"), &alternates)?;
    copy(shallow, &repository.join("shallow"))
}

fn users(root: &Path) -> Result<Users, GitError> {
    let output = Git::new(root, "rev-parse", ANSWER_LIMIT)
        .args(["--path-format=absolute", "--git-path", "objects", "--git-path", "shallow"])
        .args(["--show-object-format=storage"])
        .output()?;
    let lines: Vec<&[u8]> = output.split(|&byte| byte == b'\n').collect();
    let [objects, shallow, format, b""] = lines[..] else {
        return Err(GitError::Failed {
            what: "git rev-parse".to_owned(),
            place: root.to_owned(),
            detail: format!("it answered {} lines", lines.len()),
        });
    };
    let path = |line: &[u8]| PathBuf::from(OsStr::from_bytes(line));
    Ok(Users { objects: path(objects), shallow: path(shallow), object_format: line(format) })
}

/// Refuses what is not the full id of an object.
pub(crate) fn check_id(id: &str) -> Result<(), GitError> {
    let is_id = matches!(id.len(), 40 | 64)
        && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if is_id { Ok(()) } else { Err(GitError::NotAnId(id.to_owned())) }
}

/// Without the line end.
pub(crate) fn line(output: &[u8]) -> String {
    String::from_utf8_lossy(output).trim_end().to_owned()
}

pub(crate) fn make(folder: &Path) -> Result<(), GitError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(GitError::io("failed to create", folder))
}

fn put(file: &Path, content: &[u8]) -> Result<(), GitError> {
    fs::write(file, content).map_err(GitError::io("failed to write", file))
}

/// Copies a regular file where there is one. Anything else could be read for ever.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<(), GitError> {
    match fs::metadata(from) {
        Ok(found) if found.is_file() => {
            fs::copy(from, to).map(drop).map_err(GitError::io("failed to copy", from))
        }
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(GitError::io("failed to read", from)(error)),
    }
}
