//! What is kept between two commands, and that every change counts at the next one.

use crate::support::{Folders, agent};
use orchestra_runtimes::catalog::{Cache, Known};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

struct Watched {
    folders: Folders,
    cache: Cache,
}

impl Watched {
    fn new() -> Self {
        let watched = Self { folders: Folders::new(), cache: Cache::default() };
        watched.folders.file(".orchestra/agents/own.md", agent("description: one"));
        watched.folders.file(".orchestra/workflows/w.yaml", "name: w\n");
        watched.folders.file(".orchestra/config.toml", "[run]\napprove = false\n");
        watched.settle();
        watched
    }

    /// Makes every file look as if nobody had touched it for a while: what was written just now is not
    /// kept. Only the time of the last change of the inode cannot be set, so it waits until that is old
    /// enough.
    fn settle(&self) {
        let newest = newest_change(&self.folders.root).max(newest_change(&self.folders.bin));
        while SystemTime::now() < newest + Duration::from_millis(60) {
            std::thread::yield_now();
        }
    }

    fn get(&self) -> Arc<Known> {
        self.get_with(&[])
    }

    fn get_with(&self, variables: &[(&str, &str)]) -> Arc<Known> {
        let path = self.folders.bin.display().to_string();
        let home = self.folders.home.display().to_string();
        let mut environment: BTreeMap<String, String> =
            [("PATH", path), ("HOME", home)].map(|(name, value)| (name.to_owned(), value)).into();
        environment.extend(
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        self.cache.get(&self.folders.root, &self.folders.config, &environment)
    }

    fn description(&self) -> String {
        let known = self.get();
        known.loaded.catalog.agent("own").unwrap().profile.description.clone()
    }
}

fn newest_change(folder: &Path) -> SystemTime {
    let own = File::open(folder).unwrap().metadata().unwrap().modified().unwrap();
    let entries = fs::read_dir(folder).unwrap().flatten();
    let times = entries.map(|entry| match entry.path().is_dir() {
        true => newest_change(&entry.path()),
        false => entry.metadata().unwrap().modified().unwrap(),
    });
    times.fold(own, SystemTime::max)
}

#[test]
fn nothing_is_read_again_while_nothing_changes() {
    let watched = Watched::new();
    assert!(Arc::ptr_eq(&watched.get(), &watched.get()));
    // Another shell does not drive it out.
    let other = watched.get_with(&[("ORCHESTRA_RUN_APPROVE", "true")]);
    assert!(other.config.run.approve);
    assert!(!watched.get().config.run.approve);
    assert!(Arc::ptr_eq(&other, &watched.get_with(&[("ORCHESTRA_RUN_APPROVE", "true")])));
    // What has nothing to do with it is no reason to read.
    assert!(Arc::ptr_eq(&watched.get(), &watched.get_with(&[("LANG", "C")])));
}

#[test]
fn every_kind_of_change_counts_at_the_next_command() {
    let watched = Watched::new();
    let before = watched.get();
    // Of the same length, in place, and put back in time as `touch -r` does.
    let path = watched.folders.root.join(".orchestra/agents/own.md");
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    fs::write(&path, agent("description: two")).unwrap();
    File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
    assert_eq!(watched.description(), "two");
    // Replaced as editors do.
    let new = watched.folders.file("new.md", agent("description: six"));
    fs::rename(new, &path).unwrap();
    assert_eq!(watched.description(), "six");

    watched.folders.file(".orchestra/config.toml", "[run]\napprove = true\n");
    assert!(watched.get().config.run.approve);
    watched.folders.file(".orchestra/workflows/x.yaml", "name: x\n");
    assert!(watched.get().loaded.workflow("x").is_some());
    watched.folders.user_file("agents/mine.md", agent(""));
    assert!(watched.get().loaded.catalog.agent("mine").is_some());
    watched.folders.file(".mcp.json", r#"{"mcpServers": {"a": {"command": "b"}}}"#);
    assert_eq!(watched.get().loaded.mcp_servers.len(), 1);
    fs::remove_file(&path).unwrap();
    assert!(watched.get().loaded.catalog.agent("own").is_none());
    // Whoever holds what was read before goes on with it.
    assert_eq!(before.loaded.catalog.agent("own").unwrap().profile.description, "one");
}

#[test]
fn a_program_that_comes_or_goes_is_noticed_though_no_file_was_changed() {
    let watched = Watched::new();
    let is_available =
        |name: &str| watched.get().loaded.catalog.agent(name).unwrap().is_available();
    assert!(is_available("own") && !is_available("coder"));
    watched.folders.program(&watched.folders.bin.join("mini"));
    assert!(is_available("coder"));
    fs::remove_file(watched.folders.bin.join("agent")).unwrap();
    assert!(!is_available("own"));
}

#[test]
fn what_was_written_just_now_is_read_again_because_it_may_change_unseen() {
    let watched = Watched::new();
    watched.folders.file(".orchestra/agents/own.md", agent("description: new"));
    assert!(!Arc::ptr_eq(&watched.get(), &watched.get()));
    watched.settle();
    assert!(Arc::ptr_eq(&watched.get(), &watched.get()));
}
