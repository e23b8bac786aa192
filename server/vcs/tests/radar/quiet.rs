//! A second look costs only what has changed since the first.

use crate::support::{Sandbox, TEXT, shown, write};
use std::fs;

#[test]
fn a_look_at_what_has_not_changed_asks_git_nothing() {
    let mut sandbox = Sandbox::new();
    let (one, two) = (sandbox.agent(), sandbox.agent());
    write(&one, "file", TEXT.replace('3', "three"));
    write(&two, "file", TEXT.replace('3', "drei"));
    for src in [&one, &two] {
        write(src, "build/out", src.to_str().unwrap());
        write(src, "new/file", src.to_str().unwrap());
    }
    let mut watcher = sandbox.watcher();
    let first = sandbox.look_with(&mut watcher);
    assert_eq!(first.foreseen.len(), 2);
    // Without it, no git would find a repository here.
    let head = sandbox.user().join(".git/HEAD");
    fs::rename(&head, sandbox.path("HEAD")).unwrap();
    assert_eq!(sandbox.look_with(&mut watcher), first);
    // Nor for what one side alone has changed.
    write(&one, "other", "changed\n");
    assert_eq!(sandbox.look_with(&mut watcher), first);
    fs::rename(sandbox.path("HEAD"), &head).unwrap();
    write(&two, "other", "otherwise\n");
    assert_eq!(sandbox.look_with(&mut watcher).foreseen.len(), 3);
}

#[test]
fn what_has_changed_is_seen_whoever_tries_to_hide_it() {
    let mut sandbox = Sandbox::new();
    let (one, two) = (sandbox.agent(), sandbox.agent());
    write(&one, "file", TEXT.replace('3', "three"));
    write(&two, "file", TEXT.replace('3', "drei!"));
    let mut watcher = sandbox.watcher();
    assert_eq!(sandbox.look_with(&mut watcher).foreseen.len(), 1);
    // Of the same size and time, in the same file.
    let file = two.join("file");
    let written = fs::metadata(&file).unwrap().modified().unwrap();
    fs::write(&file, TEXT.replace('3', "three")).unwrap();
    fs::File::options().write(true).open(&file).unwrap().set_modified(written).unwrap();
    assert_eq!(shown(&sandbox.look_with(&mut watcher)), [""; 0]);
    fs::write(&file, TEXT.replace('3', "drei!")).unwrap();
    assert_eq!(sandbox.look_with(&mut watcher).foreseen.len(), 1);
    fs::write(&file, TEXT).unwrap();
    assert_eq!(shown(&sandbox.look_with(&mut watcher)), [""; 0]);
}

#[test]
fn what_is_ignored_from_now_on_is_no_conflict_any_more() {
    let mut sandbox = Sandbox::new();
    let (one, two) = (sandbox.agent(), sandbox.agent());
    write(&one, "deep/made", "one\n");
    write(&two, "deep/made", "two\n");
    let mut watcher = sandbox.watcher();
    assert_eq!(sandbox.look_with(&mut watcher).foreseen.len(), 1);
    write(&sandbox.user(), "deep/.gitignore", "made\n");
    assert_eq!(shown(&sandbox.look_with(&mut watcher)), [""; 0]);
    fs::remove_file(sandbox.user().join("deep/.gitignore")).unwrap();
    assert_eq!(sandbox.look_with(&mut watcher).foreseen.len(), 1);
}

#[test]
fn an_agent_that_has_ended_collides_with_nobody_any_more() {
    let mut sandbox = Sandbox::new();
    let one = sandbox.agent();
    write(&one, "file", TEXT.replace('3', "three"));
    write(&sandbox.user(), "file", TEXT.replace('3', "mine"));
    let mut watcher = sandbox.watcher();
    assert_eq!(sandbox.look_with(&mut watcher).foreseen.len(), 1);
    assert_eq!(watcher.look(&[]).unwrap(), Default::default());
    assert_eq!(sandbox.look_with(&mut watcher).foreseen.len(), 1);
}
