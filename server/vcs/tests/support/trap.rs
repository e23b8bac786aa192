//! A trap for a git that runs what a repository names.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

/// A program that leaves a trace when it is run.
pub(crate) struct Trap {
    pub(crate) program: PathBuf,
    trace: PathBuf,
}

impl Trap {
    pub(crate) fn set(folder: &Path) -> Self {
        let (program, trace) = (folder.join("trap.sh"), folder.join("trace"));
        let script = format!("#!/bin/sh\necho \"$0 $*\" >>'{}'\nexec cat\n", trace.display());
        make_program(&program, &script);
        Self { program, trace }
    }

    pub(crate) fn program(&self) -> &str {
        self.program.to_str().unwrap()
    }

    pub(crate) fn assert_not_run(&self) {
        assert_eq!(fs::read_to_string(&self.trace).unwrap_or_default(), "");
    }

    /// Sees that it would have been run by a git that trusts the repository.
    pub(crate) fn assert_run(&self) {
        let trace = fs::read_to_string(&self.trace).unwrap_or_default();
        assert_ne!(trace, "", "a trap that never snaps");
        fs::remove_file(&self.trace).unwrap();
    }
}

pub(crate) fn make_program(path: &Path, script: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, script).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}
