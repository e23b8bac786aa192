//! What of a slot's last use the next holder sees: the commit, what is kept, and nothing else.

use crate::support::{
    Sandbox, Wish, assert_pristine, assert_same_as_checkout, commit, git, odd_name, paths, read,
    set_mode, write,
};
use orchestra_vcs::{
    GitError,
    trees::{Clean, Purpose, Tree},
};
use std::{
    fs::{self, File, FileTimes},
    os::unix::fs::{MetadataExt as _, symlink},
    path::Path,
    process::Command,
};

/// Has an agent do what it wants in a tree, gives the tree back, and takes it again.
fn reused(sandbox: &Sandbox, agent: impl FnOnce(&Tree)) -> Tree {
    let first = sandbox.tree("r1.1-1");
    agent(&first);
    sandbox.pool.release("r1.1-1").unwrap();
    let second = sandbox.tree("r1.2-1");
    assert_eq!(second.slot, first.slot);
    second
}

fn make_fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn whatever_was_done_to_files_is_undone() {
    let sandbox = Sandbox::with_commit();
    let user = sandbox.user();
    for name in ["deleted", "edited", "mode", "file to folder", "file to link", "file to fifo"] {
        write(&user, name, format!("{name}\n"));
    }
    write(&user, "folder to file/inner", "");
    write(&user, "folder to link/inner", "");
    write(&user, "locked/inner", "inner\n");
    write(&user, odd_name(b"od\xffd\nname/x"), "odd\n");
    symlink("README", user.join("link")).unwrap();
    write(&user, ".gitignore", "*.o\n");
    sandbox.commit("files");
    let outside = sandbox.path("outside");
    write(&outside, "inner", "of somebody else\n");

    let tree = reused(&sandbox, |tree| {
        let src = &tree.src;
        fs::remove_file(src.join("deleted")).unwrap();
        write(src, "edited", "EDITED\n");
        set_mode(&src.join("mode"), 0o755);
        for name in ["file to folder", "file to link", "file to fifo", "link"] {
            fs::remove_file(src.join(name)).unwrap();
        }
        write(src, "file to folder/deep/inner", "");
        symlink(outside.join("inner"), src.join("file to link")).unwrap();
        symlink("edited", src.join("link")).unwrap();
        make_fifo(&src.join("file to fifo"));
        for name in ["folder to file", "folder to link"] {
            fs::remove_dir_all(src.join(name)).unwrap();
        }
        write(src, "folder to file", "");
        symlink(&outside, src.join("folder to link")).unwrap();
        fs::remove_dir_all(src.join("locked")).unwrap();
        write(src, "locked/a/b", "");
        for folder in ["locked/a", "locked"] {
            set_mode(&src.join(folder), 0o000);
        }
        write(src, odd_name(b"od\xffd\nname/y\xfe"), "new\n");
        write(src, "ignored.o", "");
        write(src, "new/with/more", "");
        make_fifo(&src.join("new/fifo"));
        git(&src.join("new/with"), &["init", "-q"]);
        commit(&src.join("new/with"), "to a nested repository");
        write(&tree.tmp, "left", "");
        write(&tree.out, "tasks/left", "");
        write(&tree.slot, "beside", "");
    });

    assert_pristine(&tree);
    assert_eq!(paths(&tree.slot), ["out", "src", "tmp"]);
    assert_eq!(read(&outside, "inner"), "of somebody else\n");
}

#[test]
fn a_forged_time_and_size_hide_nothing() {
    let sandbox = Sandbox::with_commit();
    let tree = reused(&sandbox, |tree| {
        let file = tree.src.join("README");
        let before = fs::metadata(&file).unwrap();
        fs::write(&file, "HELLO\n").unwrap();
        let times = FileTimes::new()
            .set_accessed(before.accessed().unwrap())
            .set_modified(before.modified().unwrap());
        File::options().write(true).open(&file).unwrap().set_times(times).unwrap();
        let after = fs::metadata(&file).unwrap();
        let known = |found: &fs::Metadata| (found.len(), found.mtime_nsec(), found.ino());
        assert_eq!(known(&after), known(&before));
    });
    assert_pristine(&tree);
}

#[test]
fn what_a_file_is_linked_to_changes_nothing_later() {
    let sandbox = Sandbox::with_commit();
    let wish = Wish::new("r1.1-1").keeping(&["target"]);
    let tree = sandbox.acquire(&wish).unwrap();
    fs::create_dir(tree.src.join("target")).unwrap();
    fs::hard_link(tree.src.join("README"), tree.src.join("target/README")).unwrap();
    sandbox.pool.release("r1.1-1").unwrap();

    let tree = sandbox.acquire(&Wish { holder: "r1.2-1".to_owned(), ..wish }).unwrap();
    write(&tree.src, "target/README", "through the other name\n");

    assert_eq!(read(&tree.src, "README"), "hello\n");
}

#[test]
fn a_repository_of_an_agents_making_is_never_read() {
    let sandbox = Sandbox::with_commit();
    let trace = sandbox.path("trace");
    let script = format!("#!/bin/sh\necho \"$0\" >>'{}'\ncat\n", trace.display());
    let tree = reused(&sandbox, |tree| {
        let src = &tree.src;
        crate::support::make_program(&src.join(".git/trap"), &script);
        let trap = src.join(".git/trap");
        let trap = trap.to_str().unwrap();
        for key in ["core.fsmonitor", "filter.t.clean", "filter.t.smudge", "core.sshCommand"] {
            git(src, &["config", key, trap]);
        }
        git(src, &["config", "filter.t.required", "true"]);
        git(src, &["config", "core.worktree", "/"]);
        write(src, ".git/info/attributes", "* filter=t\n");
        for hook in ["post-checkout", "post-index-change", "reference-transaction"] {
            crate::support::make_program(&src.join(".git/hooks").join(hook), &script);
        }
        git(src, &["branch", "evil"]);
        write(src, ".git/rebase-merge/onto", "");
        write(src, ".git/index", "no index\n");
        write(src, ".git/HEAD", "ref: refs/heads/evil\n");
        write(src, "README", "edited\n");
        write(src, ".gitattributes", "* filter=t\n");
        let nested = src.join("src/nested");
        fs::create_dir(&nested).unwrap();
        write(&nested, ".git/config", format!("[core]\n\tfsmonitor = {trap}\n"));
    });
    assert!(!trace.exists(), "{:?}", fs::read_to_string(trace));
    assert_pristine(&tree);
    let config = git(&tree.src, &["config", "--local", "--list"]);
    assert!(!config.contains("trap"), "{config}");
    assert_eq!(git(&tree.src, &["branch", "--format=%(refname)"]), "refs/heads/main");
    for left in ["hooks", "rebase-merge", "trap", "info/attributes"] {
        assert!(!tree.src.join(".git").join(left).exists(), "{left}");
    }
}

#[test]
fn a_slot_moves_to_whatever_is_asked_for_next() {
    let sandbox = Sandbox::with_commit();
    let user = sandbox.user();
    let next = |number: u32| {
        let holder = format!("r1.{number}-1");
        let tree = sandbox.tree(&holder);
        assert_pristine(&tree);
        sandbox.pool.release(&holder).unwrap();
        tree
    };
    let first = next(1);
    fs::rename(user.join("README"), user.join("readme")).unwrap();
    replace(&user, "src/lib.rs", "folder");
    sandbox.commit("case, and a folder for a file");
    assert_eq!(next(2).slot, first.slot);
    replace(&user, "src/lib.rs", "link");
    sandbox.commit("a link for a folder");
    assert_eq!(next(3).slot, first.slot);
    replace(&user, "src/lib.rs", "file");
    fs::rename(user.join("readme"), user.join("Readme")).unwrap();
    sandbox.commit("a file for a link");
    assert_eq!(next(4).slot, first.slot);
    git(&user, &["checkout", "-q", "--orphan", "other"]);
    git(&user, &["rm", "-rfq", "."]);
    write(&user, "alone", "");
    sandbox.commit("nothing of before");
    assert_eq!(next(5).slot, first.slot);
}

fn replace(user: &Path, path: &str, kind: &str) {
    let path = user.join(path);
    let _ = fs::remove_file(&path);
    let _ = fs::remove_dir_all(&path);
    match kind {
        "folder" => write(&path, "inner", "in a folder\n"),
        "link" => symlink("..", &path).unwrap(),
        _ => fs::write(&path, "a file again\n").unwrap(),
    }
}

#[test]
fn what_is_kept_survives_and_the_rest_does_not() {
    let sandbox = Sandbox::with_commit();
    let wish = |holder: &str| Wish::new(holder).keeping(&["node_modules/", "/target", "*.cache"]);
    let tree = sandbox.acquire(&wish("r1.1-1")).unwrap();
    let kept = ["node_modules/a/index.js", "new/node_modules/b", "target/x", "src/warm.cache"];
    let gone = ["src/target/x", "new/other", "build/x", "cold", "src/node_modules"];
    for path in kept.iter().chain(&gone) {
        write(&tree.src, path, "");
    }
    git(&tree.src.join("node_modules/a"), &["init", "-q"]);
    symlink("/", tree.src.join("link.cache")).unwrap();
    sandbox.pool.release("r1.1-1").unwrap();

    let tree = sandbox.acquire(&wish("r1.2-1")).unwrap();
    for path in kept {
        assert!(tree.src.join(path).exists(), "{path} is kept");
    }
    for path in gone {
        assert!(!tree.src.join(path).exists(), "{path} is not kept");
    }
    assert!(tree.src.join("link.cache").symlink_metadata().is_err(), "no link is kept");
    sandbox.pool.release("r1.2-1").unwrap();

    let fresh = Wish { clean: Clean::Fresh, ..wish("r1.3-1") };
    assert_pristine(&sandbox.acquire(&fresh).unwrap());
}

#[test]
fn a_commit_goes_before_what_is_kept() {
    let sandbox = Sandbox::with_commit();
    let wish = |holder: &str| Wish::new(holder).keeping(&["dist", "gen"]);
    let tree = sandbox.acquire(&wish("r1.1-1")).unwrap();
    write(&tree.src, "dist/built", "");
    write(&tree.src, "gen", "a file\n");
    sandbox.pool.release("r1.1-1").unwrap();
    write(&sandbox.user(), "dist", "a file now\n");
    write(&sandbox.user(), "gen/inner", "a folder now\n");
    sandbox.commit("what was built");
    assert_pristine(&sandbox.acquire(&wish("r1.2-1")).unwrap());
}

#[test]
fn a_slot_is_ready_for_builds_as_long_as_all_that_made_it_so_is_there() {
    let sandbox = Sandbox::with_commit();
    write(&sandbox.user(), ".env", "SECRET=1\n");
    write(&sandbox.user(), ".gitignore", ".env\nnode_modules\n");
    sandbox.commit("ignored");
    let wish = |holder: &str| Wish::new(holder).keeping(&["node_modules"]).copying(&[".env"]);
    let take = |holder: &str| sandbox.acquire(&wish(holder)).unwrap();
    let prepare = |tree: &Tree, key: &str| {
        write(&tree.src, "node_modules/a", "");
        sandbox.pool.set_prepared(tree, key).unwrap();
    };
    let give_back = |holder: &str| sandbox.pool.release(holder).unwrap();

    let tree = take("r1.1-1");
    assert_eq!(tree.prepared, None);
    prepare(&tree, "lock-1");
    write(&tree.src, "src/edited", "");
    give_back("r1.1-1");

    let tree = take("r1.2-1");
    assert_eq!(tree.prepared.as_deref(), Some("lock-1"));
    assert_eq!(sandbox.pool.find("r1.2-1").unwrap(), Some(tree.clone()));
    prepare(&tree, "lock-2");
    give_back("r1.2-1");

    let tree = take("r1.3-1");
    assert_eq!(tree.prepared.as_deref(), Some("lock-2"));
    fs::remove_dir_all(tree.src.join("node_modules")).unwrap();
    give_back("r1.3-1");

    let tree = take("r1.4-1");
    assert_eq!(tree.prepared, None, "an agent took it away");
    prepare(&tree, "lock-3");
    give_back("r1.4-1");

    let fresh = sandbox.acquire(&Wish { clean: Clean::Fresh, ..wish("r1.5-1") }).unwrap();
    assert_eq!(fresh.prepared, None);
    prepare(&fresh, "lock-4");
    give_back("r1.5-1");
    let unkept = sandbox.acquire(&Wish { keep: Vec::new(), ..wish("r1.6-1") }).unwrap();
    assert_eq!(unkept.prepared, None, "nothing of it was kept");
    give_back("r1.6-1");
    assert_eq!(take("r1.7-1").prepared, None, "and it does not come back");
}

#[test]
fn slots_of_one_purpose_never_serve_another() {
    let sandbox = Sandbox::with_commit();
    let names = [
        (Purpose::Write, false, "w1"),
        (Purpose::Verify, false, "v1"),
        (Purpose::Read, false, "r1"),
        (Purpose::Read, true, "p1"),
    ];
    for round in 0..2 {
        for (purpose, private, name) in names {
            let holder = format!("r{round}.1-1.{name}");
            let wish = Wish { private, ..Wish::new(&holder).to(purpose) };
            assert_eq!(sandbox.acquire(&wish).unwrap().slot, sandbox.slot(name));
            sandbox.pool.release(&holder).unwrap();
        }
    }
}

#[test]
fn the_slot_that_has_the_commit_already_is_preferred() {
    let sandbox = Sandbox::with_commit();
    let first = sandbox.head();
    drop(sandbox.tree("r1.1-1"));
    write(&sandbox.user(), "README", "second\n");
    sandbox.commit("second");
    drop(sandbox.tree("r1.2-1"));
    for holder in ["r1.1-1", "r1.2-1"] {
        sandbox.pool.release(holder).unwrap();
    }
    let again = sandbox.pool.acquire(&Wish::new("r1.3-1").request(&first)).unwrap();
    assert_eq!(again.slot, sandbox.slot("w1"));
    assert_same_as_checkout(&again);
}

#[test]
fn a_commit_that_cannot_be_shown_does_not_cost_the_slots_that_are_there() {
    let sandbox = Sandbox::with_commit();
    for holder in ["r1.1-1", "r1.2-1", "r1.3-1"] {
        sandbox.tree(holder);
    }
    for holder in ["r1.1-1", "r1.2-1", "r1.3-1"] {
        sandbox.pool.release(holder).unwrap();
    }
    let ask = |commit: &str| sandbox.pool.acquire(&Wish::new("r2.1-1").request(commit));
    let before = sandbox.names();
    ask(&"1".repeat(40)).unwrap_err();
    assert_eq!(sandbox.names(), before);

    write(&sandbox.user(), "README", "lost\n");
    let broken = sandbox.commit("broken");
    let blob = git(&sandbox.user(), &["rev-parse", "HEAD:README"]);
    let objects = sandbox.user().join(".git/objects");
    fs::remove_file(objects.join(&blob[..2]).join(&blob[2..])).unwrap();
    let refused = ask(&broken).unwrap_err();
    assert!(
        matches!(&refused, GitError::MissingObject { path, .. } if path == "README"),
        "{refused}"
    );
    let slots = sandbox.names().into_iter().filter(|name| !name.contains('.')).count();
    assert_eq!(slots, 2, "the one that was tried is gone");
}
