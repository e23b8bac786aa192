//! What differs between two commits, in the parts that are accepted or rejected by themselves.

use super::{Limits, identity::Identities};
use crate::{
    GitError,
    bare::Bare,
    collect::{
        blobs,
        difference::{self, Difference, Side},
    },
    repo::diff::lines,
};
use orchestra_core::{ids::HunkId, ports, review::Entry};

/// How many lines around a change are shown.
const CONTEXT: u32 = 3;

/// Longer targets of links are not shown, in bytes; no system has them.
const LINK_BYTES: u64 = 4_096;

/// A file that differs.
#[derive(Debug)]
pub(super) struct File {
    pub(super) difference: Difference,
    /// Never empty.
    pub(super) parts: Vec<(HunkId, Part)>,
    /// Of both sides, where they were read; of texts and links.
    pub(super) contents: [Option<Vec<u8>>; 2],
    /// In bytes.
    sizes: [Option<u64>; 2],
}

/// What of a file differs.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Lines. A whole file that is added or deleted is one of these, with its mode.
    Text(ports::Hunk),
    Mode,
    Whole,
}

impl File {
    /// As numbers; 0 where there is no file.
    pub(super) fn modes(&self) -> [u32; 2] {
        self.sides().map(|side| side.map_or(0, mode))
    }

    pub(super) fn sides(&self) -> [Option<&Side>; 2] {
        [self.difference.old.as_ref(), self.difference.new.as_ref()]
    }

    /// What both trees say of it.
    pub(super) fn entries(&self) -> [Option<Entry>; 2] {
        let [old, new] = self.sides();
        let entry = |number: usize, side: &Side| Entry {
            mode: mode(side),
            object: side.id.clone(),
            bytes: self.sizes[number],
            link: self.contents[number]
                .as_ref()
                .filter(|_| side.is_link())
                .map(|target| String::from_utf8_lossy(target).into_owned()),
        };
        [old.map(|side| entry(0, side)), new.map(|side| entry(1, side))]
    }
}

fn mode(side: &Side) -> u32 {
    u32::from_str_radix(&side.mode, 8).unwrap_or_default()
}

/// Sorted by path, in bytes. All contents together have no more than `limits.total` bytes.
pub(super) fn between(
    bare: &Bare,
    base: &str,
    result: &str,
    limits: Limits,
) -> Result<Vec<File>, GitError> {
    let differences = difference::read(bare.git("diff-tree"), base, result, false)?;
    let mut files: Vec<File> = differences
        .into_iter()
        .map(|difference| File {
            difference,
            parts: Vec::new(),
            contents: [None, None],
            sizes: [None, None],
        })
        .collect();
    measure(bare, &mut files)?;
    read(bare, &mut files, limits)?;
    let mut identities = Identities::default();
    for file in &mut files {
        let parts = parts(file).map_err(|error| failed(bare, file, &error))?;
        let parts = parts.into_iter();
        file.parts = parts.map(|part| (identities.next(&file.difference, &part), part)).collect();
    }
    Ok(files)
}

/// That the lines of a file could not be compared.
pub(super) fn failed(bare: &Bare, file: &File, error: &git2::Error) -> GitError {
    GitError::Failed {
        what: "git diff".to_owned(),
        place: bare.root().to_owned(),
        detail: format!("{}: {}", file.difference.shown_path(), error.message()),
    }
}

/// Every side that is an object here, by the numbers of file and side, with its id.
fn objects(files: &[File]) -> (Vec<(usize, usize)>, Vec<&str>) {
    let sides = files.iter().enumerate().flat_map(|(number, file)| {
        let sides = file.sides().into_iter().enumerate();
        sides.filter_map(move |(side, object)| Some(((number, side), object?)))
    });
    sides
        .filter(|(_, object)| !object.is_submodule())
        .map(|(place, object)| (place, object.id.as_str()))
        .unzip()
}

fn measure(bare: &Bare, files: &mut [File]) -> Result<(), GitError> {
    let (places, ids) = objects(files);
    let sizes = blobs::sizes(bare.git("cat-file"), &ids)?;
    for ((file, side), size) in places.into_iter().zip(sizes) {
        files[file].sizes[side] = size;
    }
    Ok(())
}

fn read(bare: &Bare, files: &mut [File], limits: Limits) -> Result<(), GitError> {
    let mut room = limits.total;
    let is_wanted: Vec<bool> = files
        .iter()
        .map(|file| {
            let of_text = file.sides().into_iter().flatten().all(Side::is_file);
            let limit = if of_text { limits.file } else { LINK_BYTES };
            let fits = file.sizes.iter().flatten().all(|size| *size <= limit);
            let bytes = file.sizes.iter().flatten().sum::<u64>();
            let is_wanted = fits && bytes <= room;
            room -= if is_wanted { bytes } else { 0 };
            is_wanted
        })
        .collect();
    let (places, ids) = objects(files);
    let (places, ids): (Vec<(usize, usize)>, Vec<String>) = places
        .into_iter()
        .zip(ids)
        .filter(|((file, _), _)| is_wanted[*file])
        .map(|(place, id)| (place, id.to_owned()))
        .unzip();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let limit = limits.file.max(LINK_BYTES);
    blobs::contents(bare.git("cat-file"), &ids, limit, |number, content| {
        let (file, side) = places[number];
        files[file].contents[side] = Some(content.to_owned());
    })
}

fn parts(file: &File) -> Result<Vec<Part>, git2::Error> {
    let Some([old, new]) = texts(file) else { return Ok(vec![Part::Whole]) };
    let mut parts = Vec::new();
    if let [Some(old), Some(new)] = file.sides()
        && old.mode != new.mode
    {
        parts.push(Part::Mode);
    }
    if old != new {
        parts.extend(lines::hunks(old, new, CONTEXT)?.into_iter().map(Part::Text));
    }
    // An empty file that is added or deleted.
    Ok(if parts.is_empty() { vec![Part::Whole] } else { parts })
}

/// Both sides, where there is nothing but text on them; no text where there is no file.
fn texts(file: &File) -> Option<[&[u8]; 2]> {
    let text = |number: usize, side: Option<&Side>| match side {
        None => Some(&[][..]),
        Some(side) if side.is_file() => {
            file.contents[number].as_deref().filter(|content| blobs::is_text(content))
        }
        Some(_) => None,
    };
    let [old, new] = file.sides();
    Some([text(0, old)?, text(1, new)?])
}
