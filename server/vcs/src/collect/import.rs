//! The way out of quarantine: one pack, checked once more by the user's own git, and one reference.

use super::{Request, origin::Origin};
use crate::{GitError, bare};
use std::path::Path;

/// Brings a pack of what `commit` adds to the base into the user's repository, and has the reference hold
/// it.
pub(super) fn import(
    request: &Request<'_>,
    origin: &Origin,
    commit: &str,
    pack: &Path,
) -> Result<(), GitError> {
    bare::import(request.root, pack, origin.is_partial)?;
    let old = origin.kept.as_ref().map(|kept| kept.commit.as_str());
    // Nothing as the old value: the reference must be new.
    bare::hold(request.root, request.reference, commit, Some(old.unwrap_or_default()))
}
