//! The `.git` folder of a clone, written by hand after gitrepository-layout(5): `git init` and its
//! fellows would cost a process each, and copy templates and hooks.

use super::source::{Format, Source};
use crate::GitError;
use std::{collections::BTreeMap, fs, io, os::unix::ffi::OsStrExt as _, path::Path};

/// Settings that hold in every clone, whatever the user's own say: no hook and no watcher of the
/// user runs there, nothing is signed with the user's key, and no maintenance in the background
/// outlives the attempt.
const OWN_SETTINGS: [(&str, &str); 9] = [
    ("core.bare", "false"),
    ("core.logallrefupdates", "true"),
    ("core.hookspath", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("commit.gpgsign", "false"),
    ("tag.gpgsign", "false"),
    ("tag.forcesignannotated", "false"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
];

pub(super) fn write(source: &Source, git: &Path) -> Result<(), GitError> {
    for folder in ["objects/info", "objects/pack", "refs/heads", "refs/tags", "info"] {
        let folder = git.join(folder);
        fs::create_dir_all(&folder).map_err(GitError::io("failed to create", &folder))?;
    }
    let layout = &source.layout;
    put(&git.join("config"), &config(source))?;
    put(&git.join("HEAD"), &head(source))?;
    put(&git.join("packed-refs"), &packed_refs(&source.refs))?;
    put(&git.join("objects/info/alternates"), &alternates(&layout.objects))?;
    copy(&layout.shallow, &git.join("shallow"))?;
    copy(&layout.exclude, &git.join("info/exclude"))?;
    copy(&layout.attributes, &git.join("info/attributes"))?;
    copy(&layout.sparse_checkout, &git.join("info/sparse-checkout"))
}

fn head(source: &Source) -> Vec<u8> {
    match &source.layout.branch {
        Some(branch) => [b"ref: ", branch.as_slice(), b"\n"].concat(),
        None => format!("{}\n", source.layout.head).into_bytes(),
    }
}

/// All refs in one file: whatever a ref is named, it is never a path here.
fn packed_refs(refs: &BTreeMap<Vec<u8>, Vec<u8>>) -> Vec<u8> {
    let mut text = b"# pack-refs with: sorted \n".to_vec();
    for (name, id) in refs {
        text.extend([id.as_slice(), b" ", name, b"\n"].concat());
    }
    text
}

fn config(source: &Source) -> Vec<u8> {
    let format: &[(&str, &str)] = match source.layout.format {
        Format::Sha1 => &[("core.repositoryformatversion", "0")],
        Format::Sha256 => {
            &[("core.repositoryformatversion", "1"), ("extensions.objectformat", "sha256")]
        }
    };
    let own = OWN_SETTINGS.iter().chain(format);
    let own = own.map(|(key, value)| (key.as_bytes(), value.as_bytes()));
    let users = source.settings.iter().map(|(key, value)| (key.as_slice(), value.as_slice()));
    let mut text = Vec::new();
    // Ours come last, so they count.
    for (key, value) in users.chain(own) {
        let mut parts = key.splitn(2, |&byte| byte == b'.');
        let (section, name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        text.extend([b"[", section, b"]\n\t", name, b" = \"", &escaped(value), b"\"\n"].concat());
    }
    text
}

fn escaped(value: &[u8]) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(value.len());
    for &byte in value {
        match byte {
            b'\n' => escaped.extend(b"\\n"),
            b'"' | b'\\' => escaped.extend([b'\\', byte]),
            _ => escaped.push(byte),
        }
    }
    escaped
}

/// Alternates of the user's repository are followed from there by git itself, relative ones too.
fn alternates(objects: &Path) -> Vec<u8> {
    [objects.as_os_str().as_bytes(), b"\n"].concat()
}

fn put(file: &Path, content: &[u8]) -> Result<(), GitError> {
    fs::write(file, content).map_err(GitError::io("failed to write", file))
}

/// Copies a regular file where there is one. Anything else could be read for ever.
fn copy(from: &Path, to: &Path) -> Result<(), GitError> {
    match fs::metadata(from) {
        Ok(found) if found.is_file() => {
            fs::copy(from, to).map(drop).map_err(GitError::io("failed to copy", from))
        }
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(GitError::io("failed to read", from)(error)),
    }
}
