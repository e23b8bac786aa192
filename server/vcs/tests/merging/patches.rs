//! A review as a patch: git takes it.

use crate::support::{Sandbox, git, try_git, write};
use orchestra_core::review::Review;
use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
};

/// What git makes of the base with the patch.
fn applied(sandbox: &Sandbox, review: &Review) -> String {
    let user = sandbox.user();
    let patch = review.unified(|_, _| "a note\nwith two lines".to_owned());
    write(&sandbox.path(""), "patch", &patch);
    let applied = try_git(&user, &["apply", "--index", "../patch"]);
    let complaint = String::from_utf8_lossy(&applied.stderr).into_owned();
    assert!(applied.status.success(), "{complaint}\n{patch}");
    let tree = git(&user, &["write-tree"]);
    git(&user, &["reset", "-q", "--hard"]);
    tree
}

#[test]
fn git_applies_what_is_text_a_link_a_mode_or_empty() {
    let numbered: String = (1..=30).map(|number| format!("{number}\n")).collect();
    let mut sandbox = Sandbox::with(|user| {
        write(user, "a b", &numbered);
        write(user, "\"odd\\ name\"\n.txt", &numbered);
        write(user, "crlf", "1\r\n2\r\n");
        for name in ["gone", "gone-program", "program"] {
            write(user, name, "text\n");
        }
        let program = fs::Permissions::from_mode(0o755);
        fs::set_permissions(user.join("gone-program"), program).unwrap();
        write(user, "empty-gone", "");
        write(user, "becomes-link", "");
        symlink("old", user.join("link")).unwrap();
        symlink("old", user.join("link-gone")).unwrap();
    });
    let act = |src: &Path| {
        let edited = numbered.replace("\n5\n", "\nfive\n").replace("\n30\n", "\nlast");
        write(src, "a b", &edited);
        write(src, "\"odd\\ name\"\n.txt", &edited);
        write(src, "crlf", "1\r\n2\r\n3\r\n");
        write(src, "ä/новый файл", "-- a\n++ b\n@@ -1 +1 @@\n# no comment\n");
        write(src, "empty", "");
        write(src, "new-program", "#!/bin/sh\n");
        for name in ["program", "new-program"] {
            fs::set_permissions(src.join(name), fs::Permissions::from_mode(0o755)).unwrap();
        }
        for name in ["gone", "gone-program", "empty-gone", "becomes-link", "link", "link-gone"] {
            fs::remove_file(src.join(name)).unwrap();
        }
        symlink("target", src.join("becomes-link")).unwrap();
        symlink("new", src.join("link")).unwrap();
    };
    let result = sandbox.work(act);
    let review = sandbox.review();
    assert_eq!(applied(&sandbox, &review), sandbox.reference(&format!("{result}^{{tree}}")));
}

#[test]
fn before_each_file_stands_who_wrote_it_and_at_each_hunk_its_id() {
    let mut sandbox = Sandbox::with(|user| {
        write(user, "a", "1\n2\n");
        write(user, "binary", b"1\0");
    });
    sandbox.work(|src| {
        write(src, "a", "1\ntwo\n");
        write(src, "binary", b"22\0");
    });
    sandbox.work(|src| write(src, "conftest.py", b"print('\xff')"));
    let review = sandbox.review();
    let ids: Vec<String> = review.hunks().map(|(_, hunk)| hunk.id.to_string()).collect();
    let objects: Vec<String> = ["HEAD:binary", &format!("{}:binary", review.result)]
        .iter()
        .map(|name| sandbox.reference(name))
        .collect();
    let unified = review.unified(|file, _| match file.path.as_str() {
        "a" => "accepted".to_owned(),
        _ => String::new(),
    });
    let expected = format!(
        "# a: modified, by r12.1@1 code (agent-1)\n\
         diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -1,2 +1,2 @@ {} accepted\n 1\n-2\n+two\n\
         # binary: modified, by r12.1@1 code (agent-1)\n\
         # whole: {}\n\
         # it was 100644 {} (2 bytes), and is 100644 {} (3 bytes)\n\
         # conftest.py: added, by r12.2@1 code (agent-2)\n\
         # look at it: package script\n\
         # bytes that are no UTF-8 are shown as U+FFFD: git cannot apply them from here\n\
         diff --git a/conftest.py b/conftest.py\nnew file mode 100644\n--- /dev/null\n\
         +++ b/conftest.py\n@@ -0,0 +1,1 @@ {}\n+print('\u{fffd}')\n\
         \\ No newline at end of file\n",
        ids[0], ids[1], objects[0], objects[1], ids[2]
    );
    assert_eq!(unified, expected);
}
