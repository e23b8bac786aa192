//! Slots that a holder broke: they go, nothing outside of them does, and the next holder has a whole
//! one.

use crate::support::{Sandbox, Wish, assert_pristine, paths, read, set_mode, write};
use orchestra_vcs::trees::Tree;
use rustix::fs::{Mode, OFlags, mkdirat, openat};
use std::{
    fs::{self, File},
    os::{fd::OwnedFd, unix::fs::symlink},
    path::{Path, PathBuf},
};

/// What must survive whatever an agent does.
struct Outside(PathBuf);

impl Outside {
    fn new(sandbox: &Sandbox) -> Self {
        let folder = sandbox.path("outside");
        write(&folder, "precious/file", "kept\n");
        write(&folder, ".git/HEAD", "kept\n");
        Self(folder)
    }

    fn assert_untouched(&self, sandbox: &Sandbox) {
        assert_eq!(read(&self.0, "precious/file"), "kept\n");
        assert_eq!(read(&self.0, ".git/HEAD"), "kept\n");
        assert_eq!(paths(&self.0), [".git", "precious"]);
        assert_eq!(read(&sandbox.user(), "README"), "hello\n");
        crate::support::git(&sandbox.user(), &["fsck", "--strict"]);
    }
}

/// Has an agent break its slot, and sees that the next holder has a whole one.
fn broken(agent: impl FnOnce(&Tree, &Path, &Path)) {
    let sandbox = Sandbox::with_commit();
    let outside = Outside::new(&sandbox);
    let tree = sandbox.tree("r1.1-1");
    agent(&tree, &outside.0, &sandbox.user());

    sandbox.pool.release("r1.1-1").unwrap();
    outside.assert_untouched(&sandbox);
    assert_pristine(&sandbox.tree("r1.2-1"));
    outside.assert_untouched(&sandbox);
    sandbox.pool.discard("r1.2-1").unwrap();
    outside.assert_untouched(&sandbox);
    assert_eq!(sandbox.names(), [""; 0], "nothing is left over");
}

#[test]
fn a_slot_that_is_gone() {
    broken(|tree, _, _| fs::remove_dir_all(&tree.slot).unwrap());
}

#[test]
fn a_slot_that_is_a_link() {
    broken(|tree, outside, _| {
        fs::remove_dir_all(&tree.slot).unwrap();
        symlink(outside, &tree.slot).unwrap();
    });
}

#[test]
fn a_slot_that_is_a_file() {
    broken(|tree, _, _| {
        fs::remove_dir_all(&tree.slot).unwrap();
        fs::write(&tree.slot, "").unwrap();
    });
}

#[test]
fn files_that_are_a_link_to_a_folder_elsewhere() {
    broken(|tree, outside, _| {
        fs::remove_dir_all(&tree.src).unwrap();
        symlink(outside, &tree.src).unwrap();
    });
}

#[test]
fn files_that_are_gone() {
    broken(|tree, _, _| fs::remove_dir_all(&tree.src).unwrap());
}

#[test]
fn folders_of_its_own_that_are_links() {
    broken(|tree, outside, _| {
        for folder in [&tree.tmp, &tree.out] {
            fs::remove_dir_all(folder).unwrap();
            symlink(outside, folder).unwrap();
        }
    });
}

#[test]
fn a_git_folder_that_is_a_link_to_the_users() {
    broken(|tree, _, user| {
        fs::remove_dir_all(tree.src.join(".git")).unwrap();
        symlink(user.join(".git"), tree.src.join(".git")).unwrap();
    });
}

#[test]
fn a_git_folder_that_is_a_file_naming_the_users() {
    broken(|tree, _, user| {
        fs::remove_dir_all(tree.src.join(".git")).unwrap();
        let text = format!("gitdir: {}\n", user.join(".git").display());
        fs::write(tree.src.join(".git"), text).unwrap();
    });
}

#[test]
fn a_git_folder_that_is_gone() {
    broken(|tree, _, _| fs::remove_dir_all(tree.src.join(".git")).unwrap());
}

#[test]
fn objects_from_somewhere_else() {
    broken(|tree, outside, _| {
        let alternates = tree.src.join(".git/objects/info/alternates");
        fs::write(alternates, format!("{}\n", outside.display())).unwrap();
    });
}

#[test]
fn a_folder_in_the_git_folder_that_is_a_link() {
    broken(|tree, outside, _| {
        let objects = tree.src.join(".git/objects");
        fs::remove_dir_all(&objects).unwrap();
        symlink(outside, objects).unwrap();
    });
}

/// Makes folders in one another, each by the descriptor of the one above.
fn dig(mut folder: OwnedFd, levels: u32) {
    for _ in 0..levels {
        mkdirat(&folder, "dddd", Mode::RWXU).unwrap();
        folder =
            openat(&folder, "dddd", OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty()).unwrap();
    }
    openat(&folder, "file", OFlags::CREATE | OFlags::WRONLY, Mode::RWXU).unwrap();
}

#[test]
fn folders_deeper_than_a_path_is_long() {
    broken(|tree, _, _| {
        for place in ["src/deep", "src/src", "src/.git/deep", "tmp"] {
            let folder = tree.slot.join(place);
            fs::create_dir_all(&folder).unwrap();
            // Deeper, too, than a process may have files open.
            dig(File::open(folder).unwrap().into(), 1_100);
        }
    });
}

#[test]
fn folders_that_nobody_may_enter() {
    broken(|tree, _, _| {
        write(&tree.src, "a/b/c", "");
        write(&tree.tmp, "a/b/c", "");
        for folder in ["src/a/b", "src/a", "src/src", "tmp/a/b", "tmp/a", "tmp", "src"] {
            set_mode(&tree.slot.join(folder), 0o000);
        }
        set_mode(&tree.slot, 0o500);
    });
}

#[test]
fn what_is_kept_may_be_anything_and_leads_nowhere() {
    let sandbox = Sandbox::with_commit();
    let outside = Outside::new(&sandbox);
    let wish = |holder: &str| Wish::new(holder).keeping(&["target", "src"]);
    let tree = sandbox.acquire(&wish("r1.1-1")).unwrap();
    symlink(&outside.0, tree.src.join("target")).unwrap();
    fs::remove_dir_all(tree.src.join("src")).unwrap();
    symlink(&outside.0, tree.src.join("src")).unwrap();
    sandbox.pool.release("r1.1-1").unwrap();
    assert_pristine(&sandbox.acquire(&wish("r1.2-1")).unwrap());
    outside.assert_untouched(&sandbox);
}

#[test]
fn the_room_of_a_holder_is_emptied_without_following_a_link() {
    let sandbox = Sandbox::with_commit();
    let outside = Outside::new(&sandbox);
    let tree = sandbox.tree("r1.1-1");
    write(&tree.src, "made", "by a command\n");
    for (link, leads_to) in [("out/input", "precious"), ("out/tasks/a", ".git"), ("tmp/state", "")]
    {
        symlink(outside.0.join(leads_to), tree.slot.join(link)).unwrap();
    }
    sandbox.pool.empty_room(&tree).unwrap();
    outside.assert_untouched(&sandbox);
    assert_eq!((paths(&tree.tmp), paths(&tree.out)), (vec![], vec!["tasks".to_owned()]));
    assert_eq!(paths(&tree.out.join("tasks")), [""; 0]);

    fs::remove_dir(&tree.tmp).unwrap();
    symlink(&outside.0, &tree.tmp).unwrap();
    sandbox.pool.empty_room(&tree).unwrap();
    outside.assert_untouched(&sandbox);
    assert!(tree.tmp.symlink_metadata().unwrap().is_dir());
    assert_eq!(read(&tree.src, "made"), "by a command\n");
}
