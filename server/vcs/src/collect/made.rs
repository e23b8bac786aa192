//! The commit of a result, and what is in it. Both are made at once: most of the time goes by with starting
//! git.

use super::{
    Request,
    difference::{self, Difference},
    held,
    quarantine::Quarantine,
    record::{self, Record},
    takeover::Takeover,
};
use crate::{GitError, bare, git::at_once};
use std::path::PathBuf;

/// A result that is still in quarantine.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) commit: String,
    pub(super) tree: String,
    /// All that it adds to the base.
    pub(super) pack: PathBuf,
    pub(super) record: Record,
    /// From the base.
    pub(super) differences: Vec<Difference>,
    /// How many commits of the agent it is based on.
    pub(super) commits: u32,
}

/// Makes a commit of what the index holds, without what looks as if it held a secret: that is added to the
/// record. The inner error: the record, where nothing differs from the base.
pub(super) fn make(
    quarantine: &Quarantine<'_>,
    request: &Request<'_>,
    takeover: &Takeover,
    mut record: Record,
) -> Result<Result<Made, Record>, GitError> {
    let parent = takeover.parent.as_deref().unwrap_or(request.base);
    let is_like_base = |tree: &str| takeover.parent.is_none() && tree == quarantine.base_tree();
    let mut tree = quarantine.write_tree()?;
    if is_like_base(&tree) {
        return Ok(Err(record));
    }
    let (seen, packed) = at_once(
        || {
            let differences = difference::read(quarantine.git("diff-tree"), parent, &tree, true)?;
            let suspects = held::suspects_among(quarantine, request, &differences)?;
            Ok::<_, GitError>((differences, suspects))
        },
        // As if nothing were suspect, which is the rule. Nothing of it leaves the quarantine here.
        || pack(quarantine, request, parent, &tree, &record),
    );
    let (mut differences, (suspects, resets)) = seen?;
    let (mut commit, mut pack) = packed?;
    let is_parted = !suspects.is_empty();
    if is_parted {
        quarantine.enter(resets)?;
        tree = quarantine.write_tree()?;
        record.hold(suspects);
        if is_like_base(&tree) {
            return Ok(Err(record));
        }
        (commit, pack) = self::pack(quarantine, request, parent, &tree, &record)?;
    }
    if is_parted || takeover.parent.is_some() {
        differences = difference::read(quarantine.git("diff-tree"), request.base, &tree, true)?;
    }
    let commits = match takeover.parent {
        Some(_) => quarantine.commits_since(request.base, parent)?,
        None => 0,
    };
    Ok(Ok(Made { commit, tree, pack, record, differences, commits }))
}

/// Commits the tree, and packs what that adds to the base.
fn pack(
    quarantine: &Quarantine<'_>,
    request: &Request<'_>,
    parent: &str,
    tree: &str,
    record: &Record,
) -> Result<(String, PathBuf), GitError> {
    let message = record::message(request, record);
    let commit = quarantine.commit(request.author.agent, tree, parent, message)?;
    let git = quarantine.git("pack-objects");
    let pack = bare::pack(git, &quarantine.room("result"), &commit, &[request.base])?;
    Ok((commit, pack))
}
