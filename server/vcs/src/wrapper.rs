//! A program through which git is run, such as one that confines itself first.

use std::{
    ffi::OsString,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::Command,
};

/// A program that ends by executing the command line which it is given after its own arguments:
/// `program arguments… git …`. It inherits git's environment and pipes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrapper {
    /// By its full path.
    pub program: PathBuf,
    pub arguments: Vec<OsString>,
    /// What the program sees as its own name, rather than its path.
    pub argument_zero: Option<OsString>,
}

impl Wrapper {
    pub(crate) fn command(&self, git: &Path) -> Command {
        let mut command = Command::new(&self.program);
        if let Some(name) = &self.argument_zero {
            command.arg0(name);
        }
        command.args(&self.arguments).arg(git);
        command
    }
}
