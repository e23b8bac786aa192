//! Repositories made by the real git.

use crate::Sandbox;
use std::path::Path;

impl Sandbox {
    /// Makes the workspace a git repository with one commit of these files.
    pub fn git_repo<P: AsRef<Path>, T: AsRef<[u8]>>(
        &self,
        files: impl IntoIterator<Item = (P, T)>,
    ) -> &Self {
        self.git(["init", "--quiet"]);
        for (path, text) in files {
            self.write(path, text);
        }
        self.git_commit("first")
    }

    /// Commits everything that is in the workspace.
    pub fn git_commit(&self, message: &str) -> &Self {
        self.git(["add", "--all"]);
        self.git(["commit", "--quiet", "--allow-empty", "--message", message]);
        self
    }

    /// Runs git in the workspace and returns what it prints.
    ///
    /// # Panics
    /// When git fails.
    pub fn git<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> String {
        self.command("git").args(arguments).run().success().stdout
    }
}
