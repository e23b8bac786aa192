//! Layers of settings in real files, and what is wrong in them.

use crate::support::Folders;
use orchestra_core::{config::Config, time::Millis};
use orchestra_runtimes::catalog::{load_config, load_user_config};
use std::{collections::BTreeMap, os::unix::fs::symlink};

#[test]
fn the_layers_are_read_from_where_they_are() {
    let folders = Folders::new();
    folders.user_file("config.toml", "[limits]\nmax_parallel = 3\n[attempt]\ngrace = \"1s\"\n");
    folders.file(".orchestra/config.toml", "limits.max_parallel = 2\n");
    let environment = BTreeMap::from([("ORCHESTRA_DAEMON_IDLE_EXIT".to_owned(), "3s".to_owned())]);
    let (config, found) = load_config(&folders.root, &folders.config, &environment);
    assert_eq!(found, []);
    assert_eq!(config.limits.max_parallel, 2);
    assert_eq!(config.origin("limits.max_parallel").to_string(), ".orchestra/config.toml:1");
    assert_eq!(config.attempt.grace, Millis::seconds(1));
    assert_eq!(config.daemon.idle_exit, Millis::seconds(3));

    let (config, found) = load_user_config(&folders.config, &environment);
    assert_eq!((config.limits.max_parallel, found), (3, Vec::new()));
}

#[test]
fn no_files_are_the_defaults_and_bad_ones_are_named() {
    let folders = Folders::new();
    let nothing = BTreeMap::new();
    let (config, found) = load_config(&folders.root, &folders.config, &nothing);
    assert_eq!((config, found), (Config::default(), Vec::new()));

    folders.user_file("config.toml", b"x = \xff\n");
    let secret = folders.outside.join("config.toml");
    std::fs::write(&secret, "run.approve = true\n").unwrap();
    std::fs::create_dir(folders.root.join(".orchestra")).unwrap();
    symlink(&secret, folders.root.join(".orchestra/config.toml")).unwrap();
    let (config, found) = load_config(&folders.root, &folders.config, &nothing);
    assert_eq!(config, Config::default());
    let messages: Vec<&str> = found.iter().map(|found| found.message.as_str()).collect();
    assert_eq!(
        messages,
        ["the file is not UTF-8", "it leads out of the workspace, so it is left out"]
    );
}
