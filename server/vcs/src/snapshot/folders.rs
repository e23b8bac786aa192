//! The folders of a working tree that hold what git knows, and what is there on the disk.

use std::{collections::HashMap, fs, path::Path};

/// What is at the path of a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A folder, and so is everything above it.
    Real,
    /// Nothing, or no folder.
    Missing,
    /// A symbolic link, or something beyond one. What is seen through it is not there.
    Linked,
}

/// Looks at every folder once.
#[derive(Debug, Default)]
pub(super) struct Folders {
    /// Relative to the top; empty for the top itself.
    known: HashMap<Vec<u8>, Kind>,
}

impl Folders {
    /// What is at the path of the folder in which `path` lies.
    pub(super) fn around(&mut self, top: &Path, path: &[u8]) -> Kind {
        self.kind(top, parent(path))
    }

    fn kind(&mut self, top: &Path, folder: &[u8]) -> Kind {
        if let Some(&kind) = self.known.get(folder) {
            return kind;
        }
        let kind = if folder.is_empty() {
            Kind::Real
        } else {
            match self.kind(top, parent(folder)) {
                Kind::Real => look(&super::listing::absolute(top, folder)),
                above => above,
            }
        };
        self.known.insert(folder.to_owned(), kind);
        kind
    }

    /// The folders that are there.
    pub(super) fn real(&self) -> impl Iterator<Item = &[u8]> {
        let real = self.known.iter().filter(|&(_, &kind)| kind == Kind::Real);
        real.map(|(folder, _)| folder.as_slice())
    }

    pub(super) fn is_real(&self, folder: &[u8]) -> bool {
        self.known.get(folder) == Some(&Kind::Real)
    }
}

fn look(folder: &Path) -> Kind {
    match fs::symlink_metadata(folder) {
        Ok(found) if found.is_dir() => Kind::Real,
        Ok(found) if found.is_symlink() => Kind::Linked,
        _ => Kind::Missing,
    }
}

fn parent(path: &[u8]) -> &[u8] {
    let slash = path.iter().rposition(|&byte| byte == b'/');
    &path[..slash.unwrap_or(0)]
}
