//! In whose name commits of ours are made.

use crate::git::Git;

/// In whose name commits are made.
#[derive(Debug, Clone)]
pub(crate) struct Signature {
    name: String,
    address: String,
}

impl Signature {
    /// Orchestra itself.
    pub(crate) fn own() -> Self {
        Self { name: "Orchestra".to_owned(), address: "orchestra@localhost".to_owned() }
    }

    pub(crate) fn of_agent(agent: &str) -> Self {
        let is_plain = |&c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let mailbox: String = agent.chars().filter(is_plain).collect();
        let name = format!("{agent} (orchestra)");
        Self { name, address: format!("{mailbox}@orchestra.localhost") }
    }

    pub(crate) fn sign(&self, commit_tree: Git) -> Git {
        commit_tree
            .env("GIT_AUTHOR_NAME", &self.name)
            .env("GIT_AUTHOR_EMAIL", &self.address)
            .env("GIT_COMMITTER_NAME", &self.name)
            .env("GIT_COMMITTER_EMAIL", &self.address)
    }
}
