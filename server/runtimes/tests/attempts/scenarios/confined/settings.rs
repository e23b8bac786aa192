//! A folder of the user that an agent shares for its login.

use crate::scenarios::bench::Bench;
use orchestra_core::outcome::SettingsChange;
use std::{fs, path::Path};

const CONFIG: &str = "approval = \"always\"\n";

/// An agent that shares `home/.agent`, below the folder of its attempt.
fn sharing(script: &str) -> Bench {
    let mut bench = Bench::new(script);
    let home = bench.path().join("home/.agent");
    fs::create_dir_all(home.join("hooks")).unwrap();
    fs::write(home.join("config.toml"), CONFIG).unwrap();
    fs::write(home.join("auth.json"), "old").unwrap();
    bench.set("AGENT_HOME", home.to_str().unwrap());
    bench.spec.shared_state = vec![home];
    bench
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

pub(super) fn put_back() {
    let mut bench = sharing(
        "cd $AGENT_HOME; echo new > auth.json; echo 'approval = \"never\"' > config.toml; \
         echo 'curl evil' > hooks/start.sh; echo '{\"turn\": 1}' > history.jsonl; \
         echo odd > hooks/$(printf 'z\\377.sh')",
    );
    let home = bench.spec.shared_state[0].clone();
    let result = bench.run();
    assert_eq!(read(&home.join("config.toml")), CONFIG);
    assert!(!home.join("hooks/start.sh").exists());
    // The login and the history are what the folder is shared for.
    assert_eq!(read(&home.join("auth.json")), "new\n");
    assert!(home.join("history.jsonl").exists());
    let kept = |name: &str| bench.attempt.path().join("settings").join(name);
    let change = |path: &str, name: &str| SettingsChange {
        path: home.join(path).display().to_string(),
        kept: Some(kept(name).display().to_string()),
        problem: None,
    };
    // A name that is no text must not keep the rest from being told.
    let expected = [
        change("config.toml", "0-config.toml"),
        change("hooks/start.sh", "1-start.sh"),
        change("hooks/z\u{fffd}.sh", "2-z\u{fffd}.sh"),
    ];
    assert_eq!(result.settings, expected);
    assert_eq!(read(&kept("0-config.toml")), "approval = \"never\"\n");
}

pub(super) fn links() {
    let mut bench = sharing(
        "cd $AGENT_HOME; rm -r hooks; ln -s ../theirs hooks; \
         rm config.toml; ln -s ../theirs/start.sh config.toml; mkfifo settings.json",
    );
    let home = bench.spec.shared_state[0].clone();
    fs::write(home.join("hooks/start.sh"), "true").unwrap();
    let theirs = bench.path().join("home/theirs");
    fs::create_dir(&theirs).unwrap();
    fs::write(theirs.join("start.sh"), "the user's own").unwrap();
    let result = bench.run();
    assert_eq!(read(&theirs.join("start.sh")), "the user's own");
    assert_eq!(read(&home.join("hooks/start.sh")), "true");
    assert_eq!(read(&home.join("config.toml")), CONFIG);
    let put_back: Vec<_> =
        result.settings.iter().map(|change| (Path::new(&change.path), &change.problem)).collect();
    let paths = [home.join("config.toml"), home.join("hooks/start.sh")];
    assert_eq!(put_back, paths.each_ref().map(|path| (&**path, &None)));
}
