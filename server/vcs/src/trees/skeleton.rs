//! The `.git` folder of a clone, written by hand after gitrepository-layout(5): `git init` and its
//! fellows would cost a process each, and copy templates and hooks.

use super::{
    source::{Format, Source},
    sparse::Cone,
};
use crate::GitError;
use std::{fs, io, os::unix::ffi::OsStrExt as _, path::Path};

/// What a clone is to show of its source.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a> {
    /// The commit, lowercase hex.
    pub(crate) commit: &'a str,
    /// Which folders of it; none: those that the user sees.
    pub(crate) cone: Option<&'a Cone>,
}

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

pub(crate) fn write(source: &Source, view: View<'_>, git: &Path) -> Result<(), GitError> {
    for folder in ["objects/info", "objects/pack", "refs/heads", "refs/tags", "info"] {
        let folder = git.join(folder);
        fs::create_dir_all(&folder).map_err(GitError::io("failed to create", &folder))?;
    }
    let layout = &source.layout;
    put(&git.join("config"), &config(source, view.cone))?;
    put(&git.join("HEAD"), &head(source, view.commit))?;
    put(&git.join("packed-refs"), &packed_refs(source, view.commit))?;
    put(&git.join("objects/info/alternates"), &alternates(&layout.objects))?;
    copy(&layout.shallow, &git.join("shallow"))?;
    copy(&layout.exclude, &git.join("info/exclude"))?;
    copy(&layout.attributes, &git.join("info/attributes"))?;
    let sparse_checkout = git.join("info/sparse-checkout");
    match view.cone {
        Some(cone) => put(&sparse_checkout, &cone.patterns()),
        None => copy(&layout.sparse_checkout, &sparse_checkout),
    }
}

/// On the user's branch, which stands at the commit here.
fn head(source: &Source, commit: &str) -> Vec<u8> {
    match &source.branch {
        Some(branch) => [b"ref: ", branch.as_slice(), b"\n"].concat(),
        None => format!("{commit}\n").into_bytes(),
    }
}

/// All refs in one file: whatever a ref is named, it is never a path here.
fn packed_refs(source: &Source, commit: &str) -> Vec<u8> {
    let mut text = b"# pack-refs with: sorted \n".to_vec();
    for (name, id) in &source.refs {
        let id = if Some(name) == source.branch.as_ref() { commit.as_bytes() } else { id };
        text.extend([id, b" ", name, b"\n"].concat());
    }
    text
}

/// What a clone's configuration says. Whoever wants to know whether a checkout would look different
/// today compares this.
pub(crate) fn config(source: &Source, cone: Option<&Cone>) -> Vec<u8> {
    let extended = source.layout.format == Format::Sha256
        || source.settings.keys().any(|key| key.starts_with(b"extensions."));
    let version = if extended { "1" } else { "0" };
    let mut own = OWN_SETTINGS.to_vec();
    own.push(("core.repositoryformatversion", version));
    if source.layout.format == Format::Sha256 {
        own.push(("extensions.objectformat", "sha256"));
    }
    if cone.is_some() {
        own.extend([("core.sparsecheckout", "true"), ("core.sparsecheckoutcone", "true")]);
    }
    let own = own.iter().map(|(key, value)| (key.as_bytes(), value.as_bytes()));
    let users = source.settings.iter().map(|(key, value)| (key.as_slice(), value.as_slice()));
    let mut text = Vec::new();
    // Ours come last, so they count.
    for (key, value) in users.chain(own) {
        text.extend(setting(key, value));
    }
    text
}

/// `section.name` or `section.sub.section.name`, as git prints keys.
fn setting(key: &[u8], value: &[u8]) -> Vec<u8> {
    let dot = |&byte: &u8| byte == b'.';
    let first = key.iter().position(dot).unwrap_or(key.len());
    let last = key.iter().rposition(dot).unwrap_or(key.len());
    let section = &key[..first];
    let name = key.get(last + 1..).unwrap_or_default();
    let head = match key.get(first + 1..last) {
        Some(subsection) => [section, b" \"", &escaped(subsection), b"\""].concat(),
        None => section.to_owned(),
    };
    [b"[", head.as_slice(), b"]\n\t", name, b" = \"", &escaped(value), b"\"\n"].concat()
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
