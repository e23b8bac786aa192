//! The folders below `.orchestra/` that the projection writes into, opened as they are needed.

use super::folder::{Folder, Obstacle};
use std::{cell::OnceCell, path::Path};

/// `.orchestra/` of one workspace, for one pass.
#[derive(Debug)]
pub(super) struct Layout {
    folder: Folder,
    plans: OnceCell<Folder>,
    tasks: OnceCell<Folder>,
    logs: OnceCell<Folder>,
    reviews: OnceCell<Folder>,
    workspace: OnceCell<Folder>,
}

impl Layout {
    /// Opens `.orchestra/`, made if it is missing. Git does not see what is in it until `init` says
    /// otherwise.
    pub(super) fn open(root: &Path) -> Result<Self, Obstacle> {
        let folder = Folder::open_root(root)?.folder(".orchestra")?;
        folder.create(".gitignore", b"*\n")?;
        Ok(Self {
            folder,
            plans: OnceCell::new(),
            tasks: OnceCell::new(),
            logs: OnceCell::new(),
            reviews: OnceCell::new(),
            workspace: OnceCell::new(),
        })
    }

    pub(super) fn plans(&self) -> Result<&Folder, Obstacle> {
        self.get(&self.plans, "plans")
    }

    pub(super) fn tasks(&self) -> Result<&Folder, Obstacle> {
        self.get(&self.tasks, "tasks")
    }

    pub(super) fn logs(&self) -> Result<&Folder, Obstacle> {
        self.get(&self.logs, "logs")
    }

    pub(super) fn reviews(&self) -> Result<&Folder, Obstacle> {
        self.get(&self.reviews, "reviews")
    }

    pub(super) fn workspace(&self) -> Result<&Folder, Obstacle> {
        self.get(&self.workspace, "workspace")
    }

    fn get<'a>(&self, cell: &'a OnceCell<Folder>, name: &str) -> Result<&'a Folder, Obstacle> {
        match cell.get() {
            Some(folder) => Ok(folder),
            None => {
                let folder = self.folder.folder(name)?;
                Ok(cell.get_or_init(|| folder))
            }
        }
    }
}
