//! Two commits that both come from a third become one tree: what a user has, and what he is to get.

use super::{Limits, Takes, answer, look, resolve};
use crate::{GitError, bare::Bare};
use orchestra_core::{merge::Conflict, operation::Favor};

/// The id of the merged tree, in the bare repository; the inner error: they do not fit together.
pub(crate) fn merge_sides(
    bare: &Bare,
    ours: &str,
    theirs: &str,
    favor: Favor,
    limits: Limits,
) -> Result<Result<String, Vec<Conflict>>, GitError> {
    super::check_version()?;
    let sides = [ours, theirs];
    let answer::Answer { tree, places } = answer::ask(bare, &sides.map(str::to_owned), sides)?;
    let takes = match favor {
        _ if places.is_empty() => return Ok(Ok(tree)),
        Favor::Neither => return look::conflicts(bare, limits, &places).map(Err),
        Favor::Ours => Takes::Ours,
        Favor::Theirs => Takes::Theirs,
    };
    let resolved = places.into_iter().map(|place| (place, takes)).collect();
    resolve::resolve(bare, tree, sides, resolved, limits.file).map(Ok)
}
