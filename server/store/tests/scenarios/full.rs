//! A full disk: nothing is recorded in part, nothing over a gap, and the journal goes on when there is
//! space again.

use crate::support::*;
use orchestra_core::event::EventBody;
use orchestra_store::{Batch, OpenError, Store, StoreError};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The child's folder: a small tmpfs in a mount namespace of its own.
const DISK: &str = "ORCHESTRA_TEST_DISK";

fn large(seq: u64, bytes: usize) -> Batch {
    let reason = "x".repeat(bytes);
    events(vec![(seq, event(1, EventBody::RunPaused { reason }))])
}

#[test]
fn a_small_disk_that_fills_up() {
    if let Some(disk) = env::var_os(DISK) {
        return on_a_disk_that_fills_up(&PathBuf::from(disk));
    }
    let folder = tempfile::tempdir().unwrap();
    let script = "mount -t tmpfs -o size=2m tmpfs \"$ORCHESTRA_TEST_DISK\" || exit 77; exec \"$@\"";
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"])
        .arg(env::current_exe().unwrap())
        .args(["--exact", "full::a_small_disk_that_fills_up", "--nocapture"])
        .env(DISK, folder.path())
        .output();
    match output {
        Ok(output) if output.status.code() == Some(77) => {
            eprintln!("no mount namespace here: only the failpoint shows a full disk");
        }
        Err(error) => eprintln!("no unshare here ({error}): only the failpoint shows a full disk"),
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success() && text.contains("1 passed"), "{output:#?}");
        }
    }
}

fn on_a_disk_that_fills_up(disk: &Path) {
    let (dir, root) = (disk.join("state"), disk.join("root"));
    fs::create_dir(&root).unwrap();
    let movie = disk.join("movie");
    fs::write(&movie, vec![0; 400 << 10]).unwrap();
    let store = Store::open(&dir, &root, options()).unwrap();
    record(&store, creation(1, 1, 1)).unwrap();

    let full = StoreError::Full { dir: dir.clone() };
    assert_eq!(record(&store, large(2, 4 << 20)), Err(full.clone()));
    assert_eq!(full.to_string(), format!("not recorded: no space left on {}", dir.display()));
    assert_eq!(record(&store, large(2, 10)), Err(StoreError::Halted));
    assert_eq!(store.load().unwrap().last_seq, 1);
    store.recover().unwrap();
    record(&store, large(2, 10)).unwrap();

    // Until not even the smallest change fits.
    let mut seq = 3;
    let failure = loop {
        match record(&store, large(seq, 2000)) {
            Ok(()) => seq += 1,
            Err(error) => break error,
        }
        assert!(seq < 10_000, "the disk never fills up");
    };
    assert_eq!(failure, full);
    for _ in 0..3 {
        assert_eq!(record(&store, large(seq, 10)), Err(StoreError::Halted));
        // There may be room for its one small change, and still none for a batch.
        if store.recover().is_ok() {
            assert_eq!(record(&store, large(seq, 4000)), Err(full.clone()));
        }
        assert_eq!(store.load().unwrap().last_seq, seq - 1);
    }

    fs::remove_file(movie).unwrap();
    store.recover().unwrap();
    record(&store, large(seq, 10)).unwrap();
    settle(&store);
    assert_eq!(store.projection_problem(), None);
    drop(store);
    assert_eq!(orchestra_store::check(&dir), []);

    // A journal cannot be made there either.
    fill(disk);
    let other = disk.join("other");
    let error = Store::open(&other, &root, options()).unwrap_err();
    assert!(matches!(error, OpenError::Full { .. }), "{error:?}");
}

/// Takes all the space that is left.
fn fill(disk: &Path) {
    use std::io::Write as _;
    let mut file = fs::File::create(disk.join("filler")).unwrap();
    while file.write_all(&[0; 4096]).is_ok() {}
}

#[cfg(feature = "failpoints")]
#[test]
fn a_commit_that_meets_a_full_disk() {
    in_a_process_of_its_own("full::a_commit_that_meets_a_full_disk", with_a_failpoint);
}

#[cfg(feature = "failpoints")]
fn with_a_failpoint() {
    let workspace = Workspace::new();
    let store = workspace.open();
    record(&store, creation(1, 1, 1)).unwrap();
    fail::cfg("store::commit::enospc", "return").unwrap();
    let full = StoreError::Full { dir: workspace.dir() };
    assert_eq!(record(&store, events(vec![(2, ended(1, 1))])), Err(full.clone()));
    assert_eq!(store.recover(), Err(full));
    assert_eq!(record(&store, events(vec![(2, ended(1, 1))])), Err(StoreError::Halted));
    fail::remove("store::commit::enospc");
    store.recover().unwrap();
    assert_eq!(store.load().unwrap().last_seq, 1);
    record(&store, events(vec![(2, ended(1, 1))])).unwrap();
}
