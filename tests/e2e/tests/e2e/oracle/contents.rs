//! What is in a folder, in a commit, and in an archive of a tree: one shape, so that they can be compared.

use orchestra_testkit::Sandbox;
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    os::unix::{ffi::OsStrExt as _, fs::MetadataExt as _},
    path::Path,
};

/// Path to mode and content, both as text with the odd bytes escaped.
pub(super) type Contents = BTreeMap<String, String>;

fn entry(mode: &str, path: &[u8], content: &[u8]) -> (String, String) {
    (path.escape_ascii().to_string(), format!("{mode} {}", content.escape_ascii()))
}

/// What git would take of a folder: no repositories in it, nothing that the user ignores, which is `*.log` and `out/`.
/// Lines of `.crlf` end as they are committed.
pub(super) fn of_folder(folder: &Path) -> Contents {
    let mut found = Contents::new();
    walk(folder, b"", &mut found);
    found
}

fn walk(folder: &Path, below: &[u8], found: &mut Contents) {
    for file in fs::read_dir(folder).unwrap() {
        let file = file.unwrap();
        let (name, place) = (file.file_name(), file.path());
        let path = [below, name.as_bytes()].concat();
        let metadata = fs::symlink_metadata(&place).unwrap();
        let is_folder = metadata.is_dir();
        let is_ignored = path.ends_with(b".log") || (is_folder && name == "out");
        if is_ignored || [".git", ".orchestra", "hooks-of-mine"].iter().any(|own| name == *own) {
            continue;
        }
        if is_folder {
            if !place.join(".git").exists() {
                walk(&place, &[&path[..], b"/"].concat(), found);
            }
            continue;
        }
        let (mode, content) = if metadata.is_symlink() {
            ("120000", fs::read_link(&place).unwrap().as_os_str().as_bytes().to_owned())
        } else {
            let mode = if metadata.mode() & 0o100 == 0 { "100644" } else { "100755" };
            let content = fs::read(&place).unwrap();
            (mode, if path.ends_with(b".crlf") { without_returns(&content) } else { content })
        };
        found.extend([entry(mode, &path, &content)]);
    }
}

fn without_returns(content: &[u8]) -> Vec<u8> {
    let is_line_end = |at: usize| content[at] == b'\r' && content.get(at + 1) == Some(&b'\n');
    (0..content.len()).filter(|&at| !is_line_end(at)).map(|at| content[at]).collect()
}

/// What is in a commit, without submodules.
pub(super) fn of_commit(sandbox: &Sandbox, repository: &Path, commit: &str) -> Contents {
    let git = |words: &[&str]| sandbox.command("git").arg("-C").arg(repository).args(words);
    let listed = git(&["ls-tree", "-r", "-z", commit]).run().success().bytes;
    let mut names = String::new();
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    for record in listed.split(|&byte| byte == 0).filter(|record| !record.is_empty()) {
        let tab = record.iter().position(|&byte| byte == b'\t').unwrap();
        let head = String::from_utf8(record[..tab].to_owned()).unwrap();
        let words: Vec<&str> = head.split(' ').collect();
        if words[1] == "blob" {
            writeln!(names, "{}", words[2]).unwrap();
            files.push((words[0].to_owned(), record[tab + 1..].to_owned()));
        }
    }
    let mut blobs = &git(&["cat-file", "--batch"]).stdin(names).run().success().bytes[..];
    let mut found = Contents::new();
    for (mode, path) in files {
        // `<object> blob <size>`, the content, and the end of its line.
        let line = blobs.iter().position(|&byte| byte == b'\n').unwrap();
        let head = String::from_utf8_lossy(&blobs[..line]).into_owned();
        // What a partial clone has not fetched is the same as long as it has the same name.
        let Some(size) = head.strip_suffix(" missing").map_or_else(
            || head.rsplit(' ').next().and_then(|size| size.parse::<usize>().ok()),
            |_| None,
        ) else {
            found.extend([entry(&mode, &path, head.as_bytes())]);
            blobs = &blobs[line + 1..];
            continue;
        };
        let content = &blobs[line + 1..][..size];
        found.extend([entry(&mode, &path, content)]);
        blobs = &blobs[line + 1 + size + 1..];
    }
    found
}

/// What a folder held when it was put into this archive.
pub(super) fn of_archive(sandbox: &Sandbox, archive: &Path) -> Contents {
    let folder = archive.with_extension("files");
    fs::create_dir(&folder).unwrap();
    let unpack = sandbox.command("tar").arg("-xpf").arg(archive).arg("-C").arg(&folder);
    unpack.run().success();
    of_folder(&folder)
}
