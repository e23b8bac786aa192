//! The agent's own commits, where they descend from what it was given and are sound.
//!
//! Its objects are data. Only files that look like loose objects and packs are shown to git; nothing
//! that git believes without a check (lists of alternates, graphs of commits, indices over packs,
//! bitmaps). Indices of single packs may lie about names, so what is reached is packed and indexed anew
//! in quarantine: that names each object by its content and refuses those that no git makes.

use super::{
    Request,
    agent_head::{self, Head},
    blobs, difference,
    difference::Side,
    held::suspects,
    quarantine::Quarantine,
};
use crate::{GitError, bare, git::Git, update_index::Entry};
use std::{
    collections::HashSet,
    fs::{self, DirEntry, File},
    io,
    os::unix::fs::symlink,
    path::Path,
};

/// With the trees and commits that each file of a history brings along.
const OBJECTS_FOR_EACH_FILE: usize = 8;

/// What became of the agent's commits.
#[derive(Debug, Default)]
pub(super) struct Takeover {
    /// The last of them, on which the result is based.
    pub(super) parent: Option<String>,
    pub(super) notes: Vec<String>,
}

/// Brings the agent's commits into quarantine, and its last one's files into the index.
pub(super) fn take_over(
    quarantine: &Quarantine<'_>,
    request: &Request<'_>,
) -> Result<Takeover, GitError> {
    let refused = |why: String| Takeover {
        parent: None,
        notes: vec![format!("{why}: the files that it left became one commit")],
    };
    let (id, branch) = match agent_head::read(request.src, request.base.len()) {
        Head::Commit { id, .. } if id == request.base => return Ok(Takeover::default()),
        Head::Commit { id, branch } => (id, branch),
        Head::Unclear(why) => return Ok(refused(why)),
    };
    let taken = fetch(quarantine, request, &id).and_then(|taken| match taken {
        Ok(()) => enter(quarantine, request, &id).map(Ok),
        refusal => Ok(refusal),
    });
    match taken {
        Ok(Ok(())) => Ok(Takeover { parent: Some(id), notes: Vec::new() }),
        Ok(Err(Refusal::OtherHistory)) => {
            let place = branch.map_or_else(String::new, |name| format!(" (branch {name})"));
            Ok(refused(format!(
                "the agent's HEAD{place} does not descend from the commit that it was given"
            )))
        }
        Ok(Err(Refusal::Unwanted(why))) => Ok(refused(format!("the agent's commits {why}"))),
        // What git did not take: objects that are missing, damaged, or made to harm.
        Err(GitError::Failed { detail, .. }) => {
            Ok(refused(format!("the agent's commits are not sound ({detail})")))
        }
        Err(error) => Err(error),
    }
}

/// Why commits are not taken over, although git can read them.
enum Refusal {
    OtherHistory,
    Unwanted(String),
}

fn fetch(
    quarantine: &Quarantine<'_>,
    request: &Request<'_>,
    id: &str,
) -> Result<Result<(), Refusal>, GitError> {
    let repository = quarantine.room("agent");
    let objects = quarantine.room("agent-objects");
    let limit = request.limits.count.saturating_mul(OBJECTS_FOR_EACH_FILE);
    if !show_objects(&request.src.join(".git/objects"), &objects, limit)? {
        return Ok(Err(Refusal::Unwanted("have too many objects".to_owned())));
    }
    quarantine.skeleton(&repository, &[quarantine.users_objects(), &objects])?;
    let agents = |verb: &str| quarantine.git_in(&repository, verb);
    if !descends(agents("merge-base"), request.base, id)? {
        return Ok(Err(Refusal::OtherHistory));
    }
    let Some(reached) = reached(agents("rev-list"), request.base, id, limit)? else {
        return Ok(Err(Refusal::Unwanted("have too many objects".to_owned())));
    };
    if let Err(refusal) = fits(agents("cat-file"), request, &reached)? {
        return Ok(Err(refusal));
    }
    let pack =
        bare::pack(agents("pack-objects"), &quarantine.room("commits"), id, &[request.base])?;
    let file = File::open(&pack).map_err(GitError::io("failed to open", &pack))?;
    quarantine.git("index-pack").args(["--strict", "--stdin"]).input_file(file).output()?;

    // From here on, by what the objects are and not by what they were said to be.
    if !descends(quarantine.git("merge-base"), request.base, id)? {
        return Ok(Err(Refusal::OtherHistory));
    }
    let Some(reached) = self::reached(quarantine.git("rev-list"), request.base, id, limit)? else {
        return Ok(Err(Refusal::Unwanted("have too many objects".to_owned())));
    };
    if let Err(refusal) = fits(quarantine.git("cat-file"), request, &reached)? {
        return Ok(Err(refusal));
    }
    let named: Vec<(&str, &str)> =
        reached.iter().map(|object| (object.name(), object.id.as_str())).collect();
    if let Some((number, rule)) = suspects(quarantine, request, &named)?.first() {
        let why = format!("hold {}, which looks like a secret ({rule})", named[*number].0);
        return Ok(Err(Refusal::Unwanted(why)));
    }
    Ok(Ok(()))
}

/// Puts the files of the agent's last commit into the index, where those that the base has in the same
/// way keep what the index knows of them. Submodules stay as the base has them.
fn enter(quarantine: &Quarantine<'_>, request: &Request<'_>, id: &str) -> Result<(), GitError> {
    let moved: Vec<Entry> = difference::read(quarantine.git("diff-tree"), request.base, id, false)?
        .into_iter()
        .filter(|difference| difference.new.as_ref().is_some_and(Side::is_submodule))
        .map(|difference| {
            let object = difference.old.map(|old| (old.mode, old.id));
            Entry { path: difference.path, object }
        })
        .collect();
    // Only the index: what the working tree has is looked at later.
    quarantine.move_index(id)?;
    quarantine.enter(moved)
}

fn descends(merge_base: Git, base: &str, id: &str) -> Result<bool, GitError> {
    let answer = merge_base.args(["--is-ancestor", base, id]).answer()?;
    match answer.status.code() {
        Some(0) => Ok(true),
        Some(1) => Ok(false),
        _ => Err(answer.refusal("git merge-base".to_owned(), Path::new("the agent's tree").into())),
    }
}

/// An object that the agent's commits add.
struct Object {
    id: String,
    /// Up to its first line break; empty for commits and the trees at the top.
    path: String,
}

impl Object {
    /// As it is called in a refusal. Of those without a path, trees are no text.
    fn name(&self) -> &str {
        if self.path.is_empty() { "a message" } else { &self.path }
    }
}

/// `None` when there are more than `limit`.
fn reached(
    rev_list: Git,
    base: &str,
    id: &str,
    limit: usize,
) -> Result<Option<Vec<Object>>, GitError> {
    let mut found = Vec::new();
    let mut count = 0_usize;
    rev_list.args(["--objects", id, &format!("^{base}")]).stream(|pipe| {
        let mut line = Vec::new();
        while pipe.read_until(b'\n', &mut line)? > 0 {
            count += 1;
            if count <= limit {
                let text = String::from_utf8_lossy(line.strip_suffix(b"\n").unwrap_or(&line));
                let (id, path) = text.split_once(' ').unwrap_or((&text, ""));
                found.push(Object { id: id.to_owned(), path: path.to_owned() });
            }
            line.clear();
        }
        Ok(())
    })?;
    Ok((count <= limit).then_some(found))
}

/// Whether the files in the commits would be collected, too, if they lay in the tree. What git writes beside
/// them, messages for one, takes up room as well. A person's word is about what lies in the tree: in the
/// history, something else may have its name.
fn fits(
    cat_file: Git,
    request: &Request<'_>,
    reached: &[Object],
) -> Result<Result<(), Refusal>, GitError> {
    let ids: Vec<&str> = reached.iter().map(|object| object.id.as_str()).collect();
    let mut total = 0_u64;
    for (object, bytes) in reached.iter().zip(blobs::sizes(cat_file, &ids)?) {
        let Some(bytes) = bytes else { continue };
        total = total.saturating_add(bytes);
        if bytes > request.limits.file {
            let why = format!("hold {}, which is large ({bytes} bytes)", object.name());
            return Ok(Err(Refusal::Unwanted(why)));
        }
    }
    if total > request.limits.total {
        return Ok(Err(Refusal::Unwanted(format!("hold {total} bytes, which is too much"))));
    }
    Ok(Ok(()))
}

/// Links what looks like loose objects and packs into the new folder `to`. Answers whether these are no
/// more than `limit`.
fn show_objects(from: &Path, to: &Path, limit: usize) -> Result<bool, GitError> {
    let failed = || GitError::io("failed to write", to);
    fs::create_dir(to).map_err(failed())?;
    let mut count = 0;
    for folder in entries(from)? {
        let name = folder.file_name().to_string_lossy().into_owned();
        let is_pack = name == "pack";
        if !is_pack && !is_hex(&name, 2) || !folder.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        fs::create_dir(to.join(&name)).map_err(failed())?;
        let files: Vec<DirEntry> = entries(&folder.path())?
            .into_iter()
            .filter(|file| file.file_type().is_ok_and(|kind| kind.is_file()))
            .collect();
        let names: HashSet<String> =
            files.iter().map(|file| file.file_name().to_string_lossy().into_owned()).collect();
        for file in files {
            let file_name = file.file_name().to_string_lossy().into_owned();
            let is_shown = if is_pack {
                is_half_of_a_pack(&file_name, &names)
            } else {
                is_hex(&file_name, file_name.len()) && file_name.len() >= 38
            };
            if is_shown {
                count += 1;
                if count > limit {
                    return Ok(false);
                }
                symlink(file.path(), to.join(&name).join(file_name)).map_err(failed())?;
            }
        }
    }
    Ok(true)
}

/// Whether this is a pack whose index is there, too, or the other way round.
fn is_half_of_a_pack(name: &str, names: &HashSet<String>) -> bool {
    let stem = |end: &str| name.strip_prefix("pack-")?.strip_suffix(end).map(str::to_owned);
    let has = |stem: Option<String>, end: &str| {
        stem.is_some_and(|stem| names.contains(&format!("pack-{stem}{end}")))
    };
    has(stem(".pack"), ".idx") || has(stem(".idx"), ".pack")
}

fn is_hex(name: &str, length: usize) -> bool {
    name.len() == length && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// What is in a folder of the agent's; nothing when that is no folder.
fn entries(folder: &Path) -> Result<Vec<DirEntry>, GitError> {
    let is_folder = fs::symlink_metadata(folder).is_ok_and(|found| found.is_dir());
    if !is_folder {
        return Ok(Vec::new());
    }
    match fs::read_dir(folder) {
        Ok(entries) => Ok(entries.flatten().collect()),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(Vec::new()),
        Err(error) => Err(GitError::io("failed to read", folder)(error)),
    }
}
