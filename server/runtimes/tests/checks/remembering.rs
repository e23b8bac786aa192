//! The memory of results: right keys, bounds, damage.

use orchestra_core::{config::VerifyConfig, evidence::CheckOutcome, time::Millis};
use orchestra_runtimes::checks::{Bounds, CheckCache, Key, Ran};
use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::PathBuf,
    time::{Duration, SystemTime},
};
use tempfile::TempDir;

fn cache(bounds: Bounds) -> (TempDir, CheckCache) {
    let folder = tempfile::tempdir().unwrap();
    let cache = CheckCache::new(&folder.path().join("checks"), bounds);
    (folder, cache)
}

fn key<'a>(tree: &'a str, command: &'a [String]) -> Key<'a> {
    Key { tree, directory: "", command, setup: "s" }
}

fn ran(outcome: CheckOutcome) -> Ran {
    Ran::not_started(outcome)
}

fn entries(folder: &TempDir) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder.path().join("checks")).into_iter().flatten();
    let mut entries: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries
}

#[test]
fn what_ended_by_itself_is_remembered_for_exactly_these_files() {
    let (folder, cache) = cache(Bounds::from(&VerifyConfig::default()));
    let command = ["make".to_owned(), "test".to_owned()];
    let key = key("t1", &command);
    assert_eq!(cache.get(&key), None);
    let red = ran(CheckOutcome::Red { code: 2 });
    assert!(cache.put(&key, &red).unwrap());
    let mut expected = red;
    expected.run.cached = true;
    assert_eq!(cache.get(&key), Some(expected));
    let other = ["make test".to_owned()];
    for key in [
        Key { tree: "t2", ..key },
        Key { directory: "web", ..key },
        Key { command: &other, ..key },
        Key { setup: "other", ..key },
    ] {
        assert_eq!(cache.get(&key), None, "{key:?}");
    }
    let [entry] = entries(&folder).try_into().unwrap();
    let mode = |path: &PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&entry), mode(&folder.path().join("checks"))), (0o600, 0o700));
}

#[test]
fn what_may_be_different_the_next_time_is_not_remembered() {
    let (folder, cache) = cache(Bounds::from(&VerifyConfig::default()));
    for outcome in [
        CheckOutcome::TimedOut { limit: Millis(1) },
        CheckOutcome::Signalled { signal: 9 },
        CheckOutcome::Missing { what: "program make".to_owned() },
        CheckOutcome::NotStarted { message: "no".to_owned() },
    ] {
        assert!(!cache.put(&key("t", &[]), &ran(outcome)).unwrap());
    }
    assert_eq!(entries(&folder), Vec::<PathBuf>::new());
}

#[test]
fn a_damaged_entry_is_none() {
    let (folder, cache) = cache(Bounds::from(&VerifyConfig::default()));
    cache.put(&key("t", &[]), &ran(CheckOutcome::Green)).unwrap();
    let [entry] = entries(&folder).try_into().unwrap();
    let whole = fs::read_to_string(&entry).unwrap();
    for text in
        ["", "{", &whole[..whole.len() / 2], &whole.replace("\"version\":1", "\"version\":9")]
    {
        fs::write(&entry, text).unwrap();
        assert_eq!(cache.get(&key("t", &[])), None, "{text}");
    }
    fs::remove_file(&entry).unwrap();
    let elsewhere = folder.path().join("elsewhere");
    fs::write(&elsewhere, &whole).unwrap();
    symlink(&elsewhere, &entry).unwrap();
    assert_eq!(cache.get(&key("t", &[])), None);
    assert!(cache.put(&key("t", &[]), &ran(CheckOutcome::Green)).unwrap());
    assert!(cache.get(&key("t", &[])).is_some());
    assert_eq!(fs::read_to_string(&elsewhere).unwrap(), whole);
}

#[test]
fn it_holds_no_more_than_it_may_and_nothing_that_is_old() {
    let bounds = Bounds { entries: 2, ..Bounds::from(&VerifyConfig::default()) };
    let (folder, cache) = cache(bounds);
    let now = SystemTime::now();
    for (age, tree) in [(30, "a"), (20, "b"), (10, "c")] {
        cache.put(&key(tree, &[]), &ran(CheckOutcome::Green)).unwrap();
        for entry in entries(&folder) {
            let file = fs::File::options().write(true).open(&entry).unwrap();
            let is_new =
                file.metadata().unwrap().modified().unwrap() > now - Duration::from_secs(5);
            if is_new {
                file.set_modified(now - Duration::from_secs(age)).unwrap();
            }
        }
    }
    let known =
        |cache: &CheckCache| ["a", "b", "c"].map(|tree| cache.get(&key(tree, &[])).is_some());
    assert_eq!(known(&cache), [false, true, true]);
    let folder = folder.path().join("checks");
    let strict = CheckCache::new(&folder, Bounds { age: Millis::seconds(15), ..bounds });
    assert_eq!(known(&strict), [false, false, true]);
    let small = CheckCache::new(&folder, Bounds { bytes: 10, ..bounds });
    assert!(!small.put(&key("d", &[]), &ran(CheckOutcome::Green)).unwrap());
    assert_eq!(known(&small), [false, false, false]);
}
