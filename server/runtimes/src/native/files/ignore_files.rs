//! Whether a folder's `.gitignore` can be read at all, before the walker reads it.
//!
//! The walker opens ignore files as they are: a FIFO in the place of one would make it wait for ever.

use std::path::Path;

/// A file of rules larger than this costs more to compile than the folder is worth.
const MAX_RULES_BYTES: u64 = 256 * 1024;

/// Whether the walker may enter `folder`: its `.gitignore` is absent, or a regular file of a sane
/// size, or a link to such a file inside `root`.
pub(super) fn are_readable(folder: &Path, root: &Path) -> bool {
    let path = folder.join(".gitignore");
    let Ok(metadata) = path.symlink_metadata() else { return true };
    if !metadata.is_symlink() {
        return metadata.is_file() && metadata.len() <= MAX_RULES_BYTES;
    }
    let Ok(target) = path.canonicalize() else { return true };
    let is_sane = |m: std::fs::Metadata| m.is_file() && m.len() <= MAX_RULES_BYTES;
    target.starts_with(root) && target.metadata().is_ok_and(is_sane)
}
