//! Agents that are shell scripts.

use crate::Sandbox;
use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf};

impl Sandbox {
    /// An agent of the workspace that runs this `sh` source, with the path of its prompt as `$1`.
    /// Returns the script's path. The workspace has to be trusted before it runs.
    pub fn agent_script(&self, name: &str, sh_source: &str) -> PathBuf {
        self.agent_script_with(name, "", sh_source)
    }

    /// The same, with further lines of front matter, such as `timeout: 2s`.
    pub fn agent_script_with(&self, name: &str, front_matter: &str, sh_source: &str) -> PathBuf {
        let relative = format!(".orchestra/bin/{name}");
        let script = self.write(&relative, format!("#!/bin/sh\n{sh_source}\n"));
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755))
            .expect("make it executable");
        let separator =
            if front_matter.is_empty() || front_matter.ends_with('\n') { "" } else { "\n" };
        self.write(
            format!(".orchestra/agents/{name}.md"),
            format!(
                "---\nname: {name}\ndescription: a script of a test\nruntime: cli\n\
                 command: [{relative}, \"{{prompt_file}}\"]\nstate: ['{}']\n\
                 {front_matter}{separator}---\n\
                 You are the test agent {name}.\n",
                self.outside().display()
            ),
        );
        script
    }
}
