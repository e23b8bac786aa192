//! A workspace on a file system that cannot be written: a bind mount, since root may write anything else.

use crate::support::*;
use orchestra_core::view::RunStatus;
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

const FOLDER: &str = "ORCHESTRA_TEST_FOLDER";

#[test]
fn a_workspace_on_a_read_only_file_system() {
    if let Some(folder) = env::var_os(FOLDER) {
        return on_a_read_only_file_system(&PathBuf::from(folder));
    }
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    fs::create_dir(&root).unwrap();
    let script = "mount --bind \"$1\" \"$1\" && mount -o remount,bind,ro \"$1\" || exit 77; shift; exec \"$@\"";
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"])
        .arg(&root)
        .arg(env::current_exe().unwrap())
        .args(["--exact", "readonly::a_workspace_on_a_read_only_file_system", "--nocapture"])
        .env(FOLDER, folder.path())
        .output();
    match output {
        Ok(output) if output.status.code() == Some(77) => {
            eprintln!("no mount namespace here: not tested");
        }
        Err(error) => eprintln!("no unshare here ({error}): not tested"),
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success() && text.contains("1 passed"), "{output:#?}");
            assert_eq!(names(&root), [""; 0]);
        }
    }
}

fn on_a_read_only_file_system(folder: &Path) {
    let (dir, root) = (folder.join("state"), folder.join("root"));
    let store = orchestra_store::Store::open(&dir, &root, options()).unwrap();
    record(&store, creation(1, 1, 1)).unwrap();
    record(&store, rows(vec![run_view(1, RunStatus::Paused)], vec![])).unwrap();
    settle(&store);
    let problem = store.projection_problem().unwrap();
    assert_eq!(problem.place, root.join(".orchestra").display().to_string());
    assert!(problem.what.starts_with("Read-only file system"), "{problem}");
    assert_eq!(store.load().unwrap().last_seq, 1);
}
