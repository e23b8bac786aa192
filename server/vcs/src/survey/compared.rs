//! What a look at the files says of their differences from the index, without a git that reads them. It may
//! take too much for different, never too little.

use crate::GitError;
use std::collections::HashSet;

/// Paths are relative to the top, with no slash at the end.
#[derive(Debug)]
pub(crate) struct Compared {
    /// Known and there, and not for certain as the index has them.
    pub(crate) touched: Vec<Vec<u8>>,
    /// Known and not there.
    pub(crate) missing: Vec<Vec<u8>>,
    /// Known, where a symbolic link leads elsewhere.
    pub(crate) beyond_link: Vec<Vec<u8>>,
    /// Not known, in folders that are; ignored ones, too.
    files: Vec<Vec<u8>>,
    /// Folders in which nothing is known; ignored ones, too.
    folders: Vec<Unknown>,
    /// How many more unknown files are remembered.
    room: usize,
    is_crowded: bool,
}

#[derive(Debug)]
struct Unknown {
    path: Vec<u8>,
    files: Vec<Vec<u8>>,
    /// Not all of its files were remembered.
    is_partial: bool,
}

impl Compared {
    /// Remembers so many unknown files.
    pub(crate) fn new(room: usize) -> Self {
        Self {
            touched: Vec::new(),
            missing: Vec::new(),
            beyond_link: Vec::new(),
            files: Vec::new(),
            folders: Vec::new(),
            room,
            is_crowded: false,
        }
    }

    pub(crate) fn touch(&mut self, path: &[u8]) {
        self.touched.push(path.to_owned());
    }

    pub(crate) fn miss<'a>(&mut self, paths: impl IntoIterator<Item = &'a [u8]>) {
        self.missing.extend(paths.into_iter().map(<[u8]>::to_owned));
    }

    pub(crate) fn hide<'a>(&mut self, paths: impl IntoIterator<Item = &'a [u8]>) {
        self.beyond_link.extend(paths.into_iter().map(<[u8]>::to_owned));
    }

    pub(crate) fn add_file(&mut self, path: &[u8]) {
        if self.takes_one() {
            self.files.push(path.to_owned());
        } else {
            self.is_crowded = true;
        }
    }

    /// Answers its number.
    pub(crate) fn add_folder(&mut self, path: &[u8]) -> usize {
        self.is_crowded |= !self.takes_one();
        self.folders.push(Unknown { path: path.to_owned(), files: Vec::new(), is_partial: false });
        self.folders.len() - 1
    }

    pub(crate) fn add_file_in(&mut self, folder: usize, path: &[u8]) {
        let takes_one = self.takes_one();
        let Some(folder) = self.folders.get_mut(folder) else { return };
        if takes_one {
            folder.files.push(path.to_owned());
        } else {
            folder.is_partial = true;
        }
    }

    /// Nobody has looked into this folder.
    pub(crate) fn pass_over(&mut self, folder: usize) {
        if let Some(folder) = self.folders.get_mut(folder) {
            folder.is_partial = true;
        }
    }

    fn takes_one(&mut self) -> bool {
        self.room = self.room.saturating_sub(1);
        self.room > 0
    }

    /// The unknown files in known folders, ignored ones, too.
    pub(crate) fn files(&self) -> &[Vec<u8>] {
        &self.files
    }

    /// The folders in which nothing is known, ignored ones, too.
    pub(crate) fn folders(&self) -> impl Iterator<Item = &[u8]> {
        self.folders.iter().map(|folder| folder.path.as_slice())
    }

    /// Whether there were more unknown files than are remembered.
    pub(crate) fn is_crowded(&self) -> bool {
        self.is_crowded
    }

    /// The unknown files that nobody ignores; `ignored` says of paths which ones are. `None`: not all of them were
    /// seen or remembered.
    pub(crate) fn new_files(
        &self,
        ignored: impl Fn(&[Vec<u8>]) -> Result<HashSet<Vec<u8>>, GitError>,
    ) -> Result<Option<Vec<Vec<u8>>>, GitError> {
        if self.is_crowded {
            return Ok(None);
        }
        // An empty folder is nothing to git.
        let folders =
            self.folders.iter().filter(|folder| folder.is_partial || !folder.files.is_empty());
        // First by the folders as a whole: those of a build hold very many files.
        let outer: Vec<Vec<u8>> =
            self.files.iter().chain(folders.clone().map(|folder| &folder.path)).cloned().collect();
        let ignored_outer = ignored(&outer)?;
        let mut new: Vec<Vec<u8>> =
            self.files.iter().filter(|file| !ignored_outer.contains(*file)).cloned().collect();
        let mut inner = Vec::new();
        for folder in folders.filter(|folder| !ignored_outer.contains(&folder.path)) {
            if folder.is_partial {
                return Ok(None);
            }
            inner.extend_from_slice(&folder.files);
        }
        let ignored_inner = ignored(&inner)?;
        new.extend(inner.into_iter().filter(|file| !ignored_inner.contains(file)));
        Ok(Some(new))
    }
}
