//! What a tree shows, and of which repositories one can be made.

use crate::support::{Sandbox, Wish, assert_pristine, commit, git, odd_name, read, try_git, write};
use orchestra_vcs::{
    GitError,
    trees::{Pool, Tree},
};
use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

/// A tree of `commit` for the workspace at `root`.
fn tree_of(sandbox: &Sandbox, root: &Path, commit: &str) -> Result<Tree, GitError> {
    let pool = Pool::open(sandbox.path("pool"), root.to_owned());
    pool.acquire(&Wish::new("r1.1-1").request(commit))
}

#[test]
fn a_tree_shows_the_commit_and_not_what_is_being_edited() {
    let sandbox = Sandbox::with_commit();
    write(&sandbox.user(), "README", "edited\n");
    write(&sandbox.user(), "new.txt", "new\n");

    let tree = sandbox.tree("r1.1-1");

    let slot = sandbox.slot("w1");
    let expected = Tree {
        slot: slot.clone(),
        src: slot.join("src"),
        cwd: slot.join("src"),
        tmp: slot.join("tmp"),
        out: slot.join("out"),
        index: sandbox.slot("w1.index"),
        commit: sandbox.head(),
        prepared: None,
    };
    assert_eq!(tree, expected);
    assert_eq!(tree.src.as_os_str(), tree.cwd.as_os_str(), "no slash at the end");
    assert_eq!(read(&tree.src, "README"), "hello\n");
    assert_eq!(fs::metadata(&slot).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(sandbox.names(), ["w1", "w1.contents", "w1.index", "w1.lease"]);
    assert_pristine(&tree);
}

#[test]
fn a_tree_may_show_a_commit_that_no_branch_has() {
    let sandbox = Sandbox::with_commit();
    let user = sandbox.user();
    write(&user, "README", "unsaved\n");
    git(&user, &["add", "-A"]);
    let written = git(&user, &["write-tree"]);
    let snapshot = git(&user, &["commit-tree", "-p", "HEAD", "-m", "snapshot", &written]);
    let tree = tree_of(&sandbox, &user, &snapshot).unwrap();
    assert_eq!(read(&tree.src, "README"), "unsaved\n");
    assert_eq!(git(&tree.src, &["symbolic-ref", "HEAD"]), "refs/heads/main");
    assert_eq!(git(&tree.src, &["log", "--format=%s"]), "snapshot\nfirst");
    assert_pristine(&tree);
}

#[test]
fn what_is_committed_in_a_tree_stays_in_it() {
    let sandbox = Sandbox::with_commit();
    let user = sandbox.user();
    let all = || (git(&user, &["for-each-ref"]), git(&user, &["status"]));
    let before = all();
    let tree = sandbox.tree("r1.1-1");

    write(&tree.src, "README", "by an agent\n");
    commit(&tree.src, "work");

    let made = git(&tree.src, &["rev-parse", "HEAD"]);
    assert_ne!(made, tree.commit);
    assert_eq!(git(&tree.src, &["remote"]), "");
    assert_eq!(all(), before);
    assert!(!try_git(&user, &["cat-file", "-e", &made]).status.success(), "objects leaked");
    assert_eq!(read(&user, "README"), "hello\n");
}

#[test]
fn a_tree_is_on_the_users_branch_and_knows_the_others() {
    let sandbox = Sandbox::with_commit();
    let user = sandbox.user();
    git(&user, &["tag", "-m", "first release", "v1.0"]);
    git(&user, &["update-ref", "refs/remotes/origin/main", "HEAD"]);
    git(&user, &["update-ref", "refs/orchestra/w/r1/base", "HEAD"]);
    git(&user, &["checkout", "-q", "-b", "feature/ünï"]);
    commit(&user, "second");
    write(&user, "README", "stashed\n");
    git(&user, &["stash", "-q"]);

    let tree = sandbox.tree("r1.1-1");

    assert_eq!(git(&tree.src, &["symbolic-ref", "HEAD"]), "refs/heads/feature/ünï");
    assert_eq!(git(&tree.src, &["describe"]), git(&user, &["describe"]));
    assert_eq!(git(&tree.src, &["rev-list", "--count", "origin/main..HEAD"]), "1");
    let refs = git(&tree.src, &["for-each-ref", "--format=%(refname)"]);
    assert_eq!(
        refs.lines().collect::<Vec<_>>(),
        ["refs/heads/feature/ünï", "refs/heads/main", "refs/remotes/origin/main", "refs/tags/v1.0"]
    );
    assert_pristine(&tree);
}

#[test]
fn a_detached_head_stays_detached() {
    let sandbox = Sandbox::with_commit();
    git(&sandbox.user(), &["checkout", "-q", "--detach"]);
    let tree = sandbox.tree("r1.1-1");
    assert_eq!(git(&tree.src, &["rev-parse", "--abbrev-ref", "HEAD"]), "HEAD");
    assert_pristine(&tree);
}

#[test]
fn before_the_first_commit_a_snapshot_can_be_shown() {
    let sandbox = Sandbox::empty();
    let user = sandbox.user();
    git(&user, &["init", "-q"]);
    write(&user, "draft", "one\n");
    git(&user, &["add", "-A"]);
    let written = git(&user, &["write-tree"]);
    let snapshot = git(&user, &["commit-tree", "-m", "snapshot", &written]);
    let tree = tree_of(&sandbox, &user, &snapshot).unwrap();
    assert_eq!(read(&tree.src, "draft"), "one\n");
    assert_pristine(&tree);
}

#[test]
fn a_workspace_below_the_top_is_the_same_folder_of_the_tree() {
    let sandbox = Sandbox::with_commit();
    let tree = tree_of(&sandbox, &sandbox.user().join("src"), &sandbox.head()).unwrap();
    assert_eq!(tree.cwd, tree.src.join("src"));
    assert_eq!(read(&tree.cwd, "lib.rs"), "pub fn one() {}\n");
}

#[test]
fn a_workspace_that_is_in_no_commit_yet_is_an_empty_folder_of_the_tree() {
    let sandbox = Sandbox::with_commit();
    let fresh = sandbox.user().join("apps/fresh");
    fs::create_dir_all(&fresh).unwrap();
    let tree = tree_of(&sandbox, &fresh, &sandbox.head()).unwrap();
    assert_eq!(fs::read_dir(&tree.cwd).unwrap().count(), 0);
}

#[test]
fn a_workspace_that_the_commit_has_as_a_link_is_refused() {
    let sandbox = Sandbox::with_commit();
    let user = sandbox.user();
    std::os::unix::fs::symlink("/", user.join("app")).unwrap();
    commit(&user, "a link out of the repository");
    fs::remove_file(user.join("app")).unwrap();
    fs::create_dir(user.join("app")).unwrap();

    let refused = tree_of(&sandbox, &user.join("app"), &sandbox.head()).unwrap_err();

    assert!(matches!(&refused, GitError::NoFolder(folder) if folder == Path::new("app")));
    assert_eq!(sandbox.names(), [""; 0], "nothing is left half done");
}

#[test]
fn a_linked_worktree_is_shown_as_it_stands() {
    let sandbox = Sandbox::with_commit();
    let linked = sandbox.path("linked");
    git(&sandbox.user(), &["worktree", "add", "-q", "-b", "side", linked.to_str().unwrap()]);
    write(&linked, "side.txt", "side\n");
    commit(&linked, "on the side");
    let head = git(&linked, &["rev-parse", "HEAD"]);

    let tree = tree_of(&sandbox, &linked, &head).unwrap();

    assert_eq!(read(&tree.src, "side.txt"), "side\n");
    assert_eq!(git(&tree.src, &["symbolic-ref", "HEAD"]), "refs/heads/side");
    assert_pristine(&tree);
}

#[test]
fn a_submodule_is_a_workspace_like_any_other() {
    let sandbox = Sandbox::with_commit();
    let library = Sandbox::with_commit();
    let url = library.user();
    git(&sandbox.user(), &["submodule", "add", "-q", url.to_str().unwrap(), "lib"]);
    commit(&sandbox.user(), "with a library");
    let module = sandbox.user().join("lib");

    let tree = tree_of(&sandbox, &module, &library.head()).unwrap();
    assert_eq!(read(&tree.src, "README"), "hello\n");
    assert_pristine(&tree);

    let whole = sandbox.acquire(&Wish::new("r1.2-1")).unwrap();
    assert_eq!(fs::read_dir(whole.src.join("lib")).unwrap().count(), 0, "not fetched");
    assert_eq!(git(&whole.src, &["status", "--porcelain"]), "");
}

#[test]
fn a_shallow_repository_gives_a_shallow_tree() {
    let sandbox = Sandbox::with_commit();
    commit(&sandbox.user(), "second");
    let url = format!("file://{}", sandbox.user().display());
    git(&sandbox.path(""), &["clone", "-q", "--depth=1", &url, "shallow"]);

    let tree = tree_of(&sandbox, &sandbox.path("shallow"), &sandbox.head()).unwrap();

    assert_eq!(git(&tree.src, &["log", "--format=%s"]), "second");
    assert_pristine(&tree);
}

#[test]
fn of_a_partial_clone_a_tree_shows_what_was_fetched_and_names_what_was_not() {
    let sandbox = Sandbox::with_commit();
    let user = sandbox.user();
    git(&user, &["config", "uploadpack.allowFilter", "true"]);
    git(&user, &["config", "uploadpack.allowAnySHA1InWant", "true"]);
    write(&user, "README", "second\n");
    let second = sandbox.commit("second");
    let first = git(&user, &["rev-parse", "HEAD^"]);
    let url = format!("file://{}", user.display());
    git(&sandbox.path(""), &["clone", "-q", "--filter=blob:none", &url, "partial"]);

    let tree = tree_of(&sandbox, &sandbox.path("partial"), &second).unwrap();
    assert_eq!(read(&tree.src, "README"), "second\n");
    // What was never fetched is no damage.
    assert_pristine(&tree);
    drop(tree);

    let pool = Pool::open(sandbox.path("other"), sandbox.path("partial"));
    let refused = pool.acquire(&Wish::new("r1.2-1").request(&first)).unwrap_err();
    assert!(
        matches!(&refused, GitError::MissingObject { path, .. } if path == "README"),
        "{refused:?}"
    );
    assert!(refused.hint().contains("git fetch"), "{}", refused.hint());
}

#[test]
fn a_sha256_repository_gives_a_sha256_tree() {
    let sandbox = Sandbox::empty();
    git(&sandbox.user(), &["init", "-q", "--object-format=sha256"]);
    write(&sandbox.user(), "a", "a\n");
    sandbox.commit("first");

    let tree = sandbox.tree("r1.1-1");
    assert_eq!(tree.commit.len(), 64);
    assert_pristine(&tree);

    write(&tree.src, "a", "b\n");
    write(&tree.src, "left behind", "");
    sandbox.pool.release("r1.1-1").unwrap();
    assert_pristine(&sandbox.tree("r1.2-1"));
}

#[test]
fn a_repository_that_keeps_its_refs_in_tables_gives_a_tree() {
    let sandbox = Sandbox::empty();
    let made = try_git(&sandbox.user(), &["init", "-q", "--ref-format=reftable"]);
    if !made.status.success() {
        eprintln!("this git has no reftable: nothing to check");
        return;
    }
    write(&sandbox.user(), "a", "a\n");
    sandbox.commit("first");
    let tree = sandbox.tree("r1.1-1");
    assert_eq!(git(&tree.src, &["symbolic-ref", "HEAD"]), "refs/heads/main");
    assert_pristine(&tree);
}

#[test]
fn objects_that_the_repository_itself_borrows_are_found() {
    let sandbox = Sandbox::with_commit();
    git(&sandbox.path(""), &["clone", "-q", "--shared", "user", "borrower"]);
    git(&sandbox.path(""), &["clone", "-q", "--shared", "borrower", "second"]);
    // As somebody writes it who wants to move both folders together.
    for (borrower, lender) in [("borrower", "user"), ("second", "borrower")] {
        let alternates = format!("{borrower}/.git/objects/info/alternates");
        let relative = format!("# moved\n../../../{lender}/.git/objects\n");
        write(&sandbox.path(""), alternates, relative);
    }
    let tree = tree_of(&sandbox, &sandbox.path("second"), &sandbox.head()).unwrap();
    assert_eq!(read(&tree.src, "README"), "hello\n");
    assert_pristine(&tree);
}

#[test]
fn line_endings_and_private_ignore_rules_are_those_of_the_user() {
    let sandbox = Sandbox::with_commit();
    let user = sandbox.user();
    git(&user, &["config", "core.autocrlf", "true"]);
    git(&user, &["config", "user.name", "Grace \"Amazing\" \\ Hopper; #1"]);
    git(&user, &["config", "user.email", "grace@example.org"]);
    write(&user, ".git/info/exclude", "private/\n");

    let tree = sandbox.tree("r1.1-1");

    assert_eq!(read(&tree.src, "README"), "hello\r\n");
    write(&tree.src, "private/notes", "");
    assert_eq!(git(&tree.src, &["status", "--porcelain"]), "");
    let name = git(&tree.src, &["config", "user.name"]);
    assert_eq!(name, "Grace \"Amazing\" \\ Hopper; #1");
}

#[test]
fn line_endings_that_change_do_so_in_files_that_are_there_already() {
    let sandbox = Sandbox::with_commit();
    let user = sandbox.user();
    drop(sandbox.tree("r1.1-1"));
    sandbox.pool.release("r1.1-1").unwrap();

    git(&user, &["config", "core.autocrlf", "true"]);
    let tree = sandbox.tree("r1.2-1");
    assert_eq!(read(&tree.src, "README"), "hello\r\n", "by the user's settings");
    sandbox.pool.release("r1.2-1").unwrap();

    git(&user, &["config", "core.autocrlf", "false"]);
    write(&user, ".gitattributes", "README text eol=crlf\n");
    sandbox.commit("attributes");
    let tree = sandbox.tree("r1.3-1");
    assert_eq!(read(&tree.src, "README"), "hello\r\n", "by the commit's attributes");
    assert_eq!(read(&tree.src, "src/lib.rs"), "pub fn one() {}\n");
    sandbox.pool.release("r1.3-1").unwrap();

    fs::remove_file(user.join(".gitattributes")).unwrap();
    sandbox.commit("no attributes");
    assert_eq!(read(&sandbox.tree("r1.4-1").src, "README"), "hello\n", "by nothing any more");
}

#[test]
fn a_sparse_checkout_stays_sparse() {
    let sandbox = Sandbox::with_commit();
    write(&sandbox.user(), "huge/data", "data\n");
    sandbox.commit("much");
    git(&sandbox.user(), &["sparse-checkout", "set", "--cone", "--sparse-index", "src"]);

    let tree = sandbox.tree("r1.1-1");

    assert!(tree.src.join("src/lib.rs").exists());
    assert!(!tree.src.join("huge").exists());
    assert_eq!(git(&tree.src, &["status", "--porcelain"]), "");
}

#[test]
fn only_the_folders_that_are_asked_for_are_shown() {
    let sandbox = Sandbox::with_commit();
    let user = sandbox.user();
    for path in ["a/b/one", "a/two", "a/c/three", "od*d/four", "odd/five"] {
        write(&user, path, "");
    }
    sandbox.commit("many");

    let wish = Wish::new("r1.1-1").of_folders(&["a/b", "od*d"]);
    let tree = sandbox.acquire(&wish).unwrap();
    let shown = || -> Vec<String> {
        crate::support::content(&tree.src)
            .into_keys()
            .map(|path| path.into_string().unwrap())
            .collect()
    };
    assert_eq!(shown(), ["README", "a/b/one", "a/two", "od*d/four"]);
    assert_eq!(git(&tree.src, &["status", "--porcelain"]), "");

    // What an agent puts where the commit has something that is not shown does not stay.
    write(&tree.src, "a/c/three", "forged\n");
    sandbox.pool.release("r1.1-1").unwrap();
    let again = sandbox.acquire(&Wish { holder: "r1.2-1".to_owned(), ..wish }).unwrap();
    assert_eq!(again.slot, tree.slot);
    assert_eq!(shown(), ["README", "a/b/one", "a/two", "od*d/four"]);
    sandbox.pool.release("r1.2-1").unwrap();
    assert_pristine(&sandbox.tree("r1.3-1"));

    let refused = sandbox.acquire(&Wish::new("r1.4-1").of_folders(&["../a"])).unwrap_err();
    assert!(matches!(refused, GitError::NotInWorkspace(_)), "{refused}");
}

#[test]
fn modes_links_and_odd_names_arrive() {
    let sandbox = Sandbox::with_commit();
    let user = sandbox.user();
    write(&user, "run.sh", "#!/bin/sh\n");
    crate::support::set_mode(&user.join("run.sh"), 0o755);
    std::os::unix::fs::symlink("README", user.join("link")).unwrap();
    write(&user, "line\nbreak \"and\" täb\t", "odd\n");
    write(&user, odd_name(b"not \xff text"), "odd\n");
    sandbox.commit("odd");

    let tree = sandbox.tree("r1.1-1");

    assert_eq!(fs::metadata(tree.src.join("run.sh")).unwrap().permissions().mode() & 0o100, 0o100);
    assert_eq!(fs::read_link(tree.src.join("link")).unwrap(), Path::new("README"));
    assert_eq!(read(&tree.src, "line\nbreak \"and\" täb\t"), "odd\n");
    assert_pristine(&tree);
}

#[test]
fn without_a_repository_there_is_no_tree() {
    let sandbox = Sandbox::empty();
    let none = "0".repeat(40);
    let refused = tree_of(&sandbox, &sandbox.user(), &none).unwrap_err();
    assert!(matches!(&refused, GitError::NoRepository(root) if *root == sandbox.user()));
    git(&sandbox.user(), &["init", "-q", "--bare"]);
    let refused = tree_of(&sandbox, &sandbox.user(), &none).unwrap_err();
    assert!(matches!(refused, GitError::NoWorkTree(_)), "{refused}");
    assert_eq!(sandbox.names(), [""; 0]);
}

#[test]
fn a_commit_that_is_not_there_is_refused_and_leaves_nothing() {
    let sandbox = Sandbox::with_commit();
    let missing = "1".repeat(40);
    let refused = tree_of(&sandbox, &sandbox.user(), &missing).unwrap_err();
    assert!(refused.to_string().contains(&format!("commit {missing} is missing")), "{refused}");
    for option in ["HEAD", "--help", "", &"g".repeat(40), &"A".repeat(40)] {
        let refused = tree_of(&sandbox, &sandbox.user(), option).unwrap_err();
        assert!(matches!(&refused, GitError::NotAnId(id) if id == option), "{refused}");
    }
    assert_eq!(sandbox.names(), [""; 0]);
}
