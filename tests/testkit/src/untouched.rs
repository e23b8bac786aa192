//! What of a user's folder may not change by itself: each byte, right, time and reference.

use crate::Sandbox;
use std::{
    collections::BTreeMap,
    fs::{self, Metadata},
    os::unix::{
        ffi::OsStrExt as _,
        fs::{FileTypeExt as _, MetadataExt as _},
    },
    path::{Path, PathBuf},
};

/// Files larger than this are compared by their length and times.
const LARGEST: u64 = 4 << 20;

/// A folder as it was, to be compared with what has become of it. Left out is what belongs to Orchestra: the
/// folder `.orchestra`, and references below `refs/orchestra`. Objects of a repository may come, and none may go.
#[derive(Debug)]
pub struct Untouched {
    folder: PathBuf,
    files: BTreeMap<PathBuf, String>,
}

impl Sandbox {
    /// Looks at a folder and all that is in it.
    #[track_caller]
    pub fn untouched(&self, folder: impl Into<PathBuf>) -> Untouched {
        let folder = folder.into();
        let mut files = BTreeMap::new();
        walk(&folder, false, &mut files);
        for repository in repositories(&files) {
            // Where references are kept in tables, their files say nothing; elsewhere this says it twice.
            for question in [&["for-each-ref"][..], &["reflog", "--all"], &["stash", "list"]] {
                let git = self.command("git").arg("-C").arg(&repository).args(question);
                let answer = git.env("GIT_OPTIONAL_LOCKS", "0").run().stdout;
                let ours = |line: &&str| !line.contains("refs/orchestra/");
                let theirs: Vec<&str> = answer.lines().filter(ours).collect();
                files.insert(repository.join(question.join(" ")), theirs.join("\n"));
            }
        }
        Untouched { folder, files }
    }

    /// Asserts that the folder is as it was.
    #[track_caller]
    pub fn assert_untouched(&self, before: &Untouched) {
        let after = self.untouched(&before.folder);
        for (path, then) in &before.files {
            match after.files.get(path) {
                Some(now) => assert_eq!(now, then, "{} has changed", path.display()),
                None => panic!("{} is gone", path.display()),
            }
        }
        let is_new = |path: &&PathBuf| !before.files.contains_key(*path) && !is_object(path);
        let new: Vec<&PathBuf> = after.files.keys().filter(is_new).collect();
        assert!(new.is_empty(), "{new:?} are new");
    }
}

/// The folders with a repository of their own.
fn repositories(files: &BTreeMap<PathBuf, String>) -> Vec<PathBuf> {
    let of_git = files.keys().filter(|path| path.ends_with(".git"));
    of_git.filter_map(|path| path.parent()).map(Path::to_owned).collect()
}

fn walk(folder: &Path, in_git: bool, found: &mut BTreeMap<PathBuf, String>) {
    for entry in fs::read_dir(folder).expect("read a folder") {
        let path = entry.expect("read a folder").path();
        let in_git = in_git || path.ends_with(".git");
        let is_ours = if in_git {
            path.ends_with("refs/orchestra") || path.ends_with("reftable")
        } else {
            path.ends_with(".orchestra")
        };
        if is_ours {
            continue;
        }
        let metadata = fs::symlink_metadata(&path).expect("look at a file");
        let is_folder = metadata.is_dir();
        found.insert(path.clone(), shown(&path, &metadata, in_git));
        if is_folder {
            walk(&path, in_git, found);
        }
    }
}

fn shown(path: &Path, metadata: &Metadata, in_git: bool) -> String {
    let kind = metadata.file_type();
    let content = if kind.is_symlink() {
        fs::read_link(path).expect("read a link").as_os_str().as_bytes().to_owned()
    } else if kind.is_file() && metadata.len() <= LARGEST {
        fs::read(path).expect("read a file")
    } else {
        Vec::new()
    };
    // Our references come into folders of git, and git itself renews the times of objects.
    let is_timeless = (in_git && kind.is_dir()) || is_object(path);
    let size = if kind.is_dir() || kind.is_fifo() { 0 } else { metadata.len() };
    let times = if is_timeless {
        String::new()
    } else {
        let written = format!("{}.{:09}", metadata.mtime(), metadata.mtime_nsec());
        format!("{written} {}.{:09}", metadata.ctime(), metadata.ctime_nsec())
    };
    let (mode, inode, content) = (metadata.mode(), metadata.ino(), content.escape_ascii());
    format!("{mode:o} {inode} {size} {times} {content}")
}

fn is_object(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "objects")
        && path.components().any(|part| part.as_os_str() == ".git")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    /// What is said of a change to a repository with one file.
    fn said_of(change: impl FnOnce(&Sandbox)) -> Option<String> {
        let sandbox = Sandbox::new();
        sandbox.git_repo([("a", "b")]);
        let before = sandbox.untouched(sandbox.workspace());
        change(&sandbox);
        let looked = catch_unwind(AssertUnwindSafe(|| sandbox.assert_untouched(&before)));
        looked.err().map(|said| *said.downcast::<String>().unwrap())
    }

    #[test]
    fn what_is_ours_may_come_and_nothing_else() {
        let ours = said_of(|sandbox| {
            sandbox.write(".orchestra/tasks/r1.1.done", "done");
            sandbox.git(["update-ref", "refs/orchestra/abcdefgh/r1/base", "HEAD"]);
            sandbox.command("git").args(["hash-object", "-w", "--stdin"]).stdin("new").run();
        });
        assert_eq!(ours, None);
        type Change = fn(&Sandbox);
        let changes: [(&str, Change); 6] = [
            ("ws/new\"] are new", |sandbox| drop(sandbox.write("new", ""))),
            ("ws/a has changed", |sandbox| drop(sandbox.write("a", "c"))),
            ("ws/a has changed", |sandbox| {
                let touched = sandbox.command("touch").arg("a").run();
                touched.success();
            }),
            ("ws/a is gone", |sandbox| fs::remove_file(sandbox.workspace().join("a")).unwrap()),
            ("ws/for-each-ref has changed", |sandbox| drop(sandbox.git(["tag", "t"]))),
            (".git/config has changed", |sandbox| drop(sandbox.git(["config", "a.b", "c"]))),
        ];
        for (expected, change) in changes {
            let said = said_of(change).unwrap_or_default();
            assert!(said.contains(expected), "{said}");
        }
    }
}
