//! A change as one commit on top of what is checked out, on a new branch or on none.

use super::{
    import::Stream,
    merging::{self, Side},
    place::{Place, Room},
};
use crate::{GitError, bare::line, git::at_once, snapshot};
use orchestra_core::{
    merge::Conflict,
    operation::{Favor, Target},
};
use std::path::Path;

/// What is to be committed, and where.
#[derive(Debug, Clone, Copy)]
pub struct CommitRequest<'a> {
    /// The workspace's root, canonical.
    pub root: &'a Path,
    /// A private folder of ours.
    pub scratch: &'a Path,
    /// The commit from which the change was made.
    pub base: &'a str,
    /// The commit that has the change.
    pub theirs: &'a str,
    pub favor: Favor,
    /// How much of what conflicts is shown.
    pub limits: snapshot::Limits,
    /// [`Target::Branch`] or [`Target::Commit`].
    pub target: &'a Target,
    /// The full name of the reference that will hold the commit, below `refs/orchestra/`. When it holds one
    /// that a crash hid from whoever asked, that is taken.
    pub reference: &'a str,
    /// The whole message.
    pub message: &'a str,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Committed {
    Made {
        commit: String,
    },
    /// What is checked out has it all.
    Nothing,
    /// What is checked out does not fit. Sorted by path.
    Conflict(Vec<Conflict>),
    Refused {
        message: String,
        hint: String,
    },
}

fn refused(message: impl Into<String>, hint: &str) -> Committed {
    Committed::Refused { message: message.into(), hint: hint.to_owned() }
}

/// Commits a change in the name of the user, as his settings have it. His files, his index and the branch that
/// is checked out stay as they are.
pub fn commit_on(request: &CommitRequest<'_>) -> Result<Committed, GitError> {
    if !request.reference.starts_with(snapshot::NAMESPACE) {
        return Err(GitError::Reference(request.reference.to_owned()));
    }
    let branch = match request.target {
        Target::Branch { name } => Some(name.as_str()),
        Target::Commit => None,
        Target::Files => {
            return Ok(refused("files are not for a commit", "apply to the files"));
        }
    };
    let place = Place::find(request.root)?;
    let (head, kept) = at_once(|| resolve(&place, "HEAD"), || resolve(&place, request.reference));
    let (Some(head), kept) = (head?, kept?) else {
        return Err(GitError::NoCommit(request.root.to_owned()));
    };
    if let Some(name) = branch
        && let Some(refused) = see_branch(&place, name, kept.as_deref())?
    {
        return Ok(refused);
    }
    let room = Room::create(&place, request.root, request.scratch)?;
    let stream = Stream::create(room.path("sides"))?;
    let sides = [request.base, &head, request.theirs].map(Side::of);
    let sides = merging::merge(&room, stream, sides, request.favor, request.limits)?;
    let tree = match sides.merged {
        Ok(tree) => tree,
        Err(conflicts) => return Ok(Committed::Conflict(conflicts)),
    };
    if resolve_tree(&place, &head)? == tree {
        return Ok(Committed::Nothing);
    }
    // One that a crash hid from whoever asked.
    let is_same = |commit: &str| -> Result<bool, GitError> {
        let known = (resolve_tree(&place, commit)?, resolve(&place, &format!("{commit}^"))?);
        Ok(known == (tree.clone(), Some(head.clone())))
    };
    let commit = match kept {
        Some(kept) if is_same(&kept)? => kept,
        _ => {
            let commit = match commit(&place, &room, request.message, &tree, &head)? {
                Ok(commit) => commit,
                Err(refused) => return Ok(refused),
            };
            let known = [head.as_str(), request.base, request.theirs];
            room.bare.keep(&commit, &known, request.reference)?;
            commit
        }
    };
    fail::fail_point!("vcs::apply::committed", |_| std::process::abort());
    if let Some(name) = branch {
        let full = format!("refs/heads/{name}");
        // Nothing as the old value: the branch must be new.
        let git = place.git("update-ref").args(["--no-deref", &full, &commit, ""]);
        if let Err(error) = git.output()
            && resolve(&place, &full)?.as_deref() != Some(&commit)
        {
            let message = format!("git does not make the branch {name}: {error}");
            return Ok(refused(message, "choose another name"));
        }
    }
    Ok(Committed::Made { commit })
}

/// Why no branch of this name is made. One that holds what was made before a crash is ours.
fn see_branch(
    place: &Place,
    name: &str,
    kept: Option<&str>,
) -> Result<Option<Committed>, GitError> {
    let answer = place.git("check-ref-format").args(["--branch", name]).answer()?;
    // It takes `@{-1}` for the branch that was checked out before.
    if !answer.status.success() || line(&answer.stdout) != name {
        let message = format!("{name:?} is no name for a branch");
        return Ok(Some(refused(message, "use letters, digits, `-` and `/`")));
    }
    let there = resolve(place, &format!("refs/heads/{name}"))?;
    Ok(there.filter(|there| Some(there.as_str()) != kept).map(|_| {
        let message = format!("there is a branch {name} already");
        refused(message, "choose another name, or delete that branch")
    }))
}

/// The id of a commit that is in the room only; the inner error: git does not know who the user is.
fn commit(
    place: &Place,
    room: &Room<'_>,
    message: &str,
    tree: &str,
    head: &str,
) -> Result<Result<String, Committed>, GitError> {
    let mut git = room.git("commit-tree");
    for who in ["AUTHOR", "COMMITTER"] {
        let known = place.git("var").args([format!("GIT_{who}_IDENT")]).answer()?;
        let Some((name, address, date)) = identity(&line(&known.stdout)) else {
            let detail = known.refusal("git var".to_owned(), place.top.clone());
            return Ok(Err(refused(
                format!("git cannot commit in your name: {detail}"),
                "run `git config user.name` and `git config user.email` with what they are to say",
            )));
        };
        let names = match who {
            "AUTHOR" => ["GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_AUTHOR_DATE"],
            _ => ["GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL", "GIT_COMMITTER_DATE"],
        };
        for (name, value) in names.into_iter().zip([name, address, format!("@{date}")]) {
            git = git.env(name, value);
        }
    }
    let git = git.args(["--no-gpg-sign", "-F", "-", "-p", head, tree]);
    git.input(message.as_bytes().to_owned()).output().map(|output| Ok(line(&output)))
}

/// `<name> <<address>> <date>`
fn identity(line: &str) -> Option<(String, String, String)> {
    let (who, date) = line.rsplit_once("> ")?;
    let (name, address) = who.split_once(" <")?;
    Some((name.to_owned(), address.to_owned(), date.to_owned()))
}

/// Takes a branch back that [`commit_on`] has made, while it is as it was made. Answers why not.
pub fn drop_branch(root: &Path, name: &str, commit: &str) -> Result<Option<Committed>, GitError> {
    let place = Place::find(root)?;
    let full = format!("refs/heads/{name}");
    match resolve(&place, &full)? {
        None => return Ok(None),
        Some(there) if there != commit => {
            let message = format!("the branch {name} has other commits by now");
            return Ok(Some(refused(message, "delete it yourself: `git branch -D`")));
        }
        Some(_) => {}
    }
    let listed = place.git("worktree").args(["list", "--porcelain", "-z"]).output()?;
    let is_checked_out = listed
        .split(|&byte| byte == 0)
        .any(|line| line.strip_prefix(b"branch ") == Some(full.as_bytes()));
    if is_checked_out {
        let message = format!("the branch {name} is checked out");
        return Ok(Some(refused(message, "switch to another branch, and try again")));
    }
    let git = place.git("update-ref").args(["--no-deref", "-d", &full, commit]);
    match git.output() {
        Ok(_) => Ok(None),
        Err(_) if resolve(&place, &full)?.is_none() => Ok(None),
        Err(error) => Err(error),
    }
}

/// The commit of a revision; `None` where there is none.
fn resolve(place: &Place, revision: &str) -> Result<Option<String>, GitError> {
    let commit = format!("{revision}^{{commit}}");
    let answer = place.git("rev-parse").args(["--quiet", "--verify", &commit]).answer()?;
    Ok(answer.status.success().then(|| line(&answer.stdout)))
}

fn resolve_tree(place: &Place, commit: &str) -> Result<String, GitError> {
    let output =
        place.git("rev-parse").args(["--verify", &format!("{commit}^{{tree}}")]).output()?;
    Ok(line(&output))
}
