//! What is left of conflict markers in the work of whoever was to put a merge right.

use crate::{
    GitError,
    bare::{self, Bare},
    collect::{
        blobs,
        difference::{self, Difference, Side},
    },
};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::Path,
};

/// How many characters git repeats.
const WIDTH: usize = 7;

/// A place that still has a conflict marker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// From the top of the repository; bytes that are no UTF-8 are shown with replacement characters.
    pub path: String,
    /// From one.
    pub line: u32,
}

/// The first marker of the merge `with_markers` that `resolved` still has, wherever it has gone; files of more
/// than `limit` bytes are not looked at. What looks like a marker and was in one of the works is none.
pub fn markers_left(
    root: &Path,
    scratch: &Path,
    with_markers: &str,
    resolved: &str,
    limit: u64,
) -> Result<Option<Leftover>, GitError> {
    let look = || {
        [with_markers, resolved].into_iter().try_for_each(bare::check_id)?;
        let bare = Bare::create(root, scratch)?;
        let merged = Merged::read(&bare, with_markers, resolved)?;
        let lines = marker_lines(&bare, &merged.ids(), limit)?;
        Ok(merged.leftover(&lines))
    };
    look().map_err(|error: GitError| error.about(root))
}

/// The files of a merge with markers, and of what somebody has made of it.
struct Merged {
    /// Those that are neither as one side had them nor as the other.
    conflicted: BTreeMap<Vec<u8>, Sides>,
    /// The files that were changed since.
    changed: BTreeMap<Vec<u8>, Option<Side>>,
}

/// The ids of a file.
struct Sides {
    ours: Option<String>,
    theirs: Option<String>,
    merged: String,
}

/// The numbers and texts of lines that look like markers, by the id of the file.
type Lines = HashMap<String, Vec<(u32, Vec<u8>)>>;

impl Merged {
    fn read(bare: &Bare, with_markers: &str, resolved: &str) -> Result<Self, GitError> {
        let read = |old: &str, new: &str| difference::read(bare.git("diff-tree"), old, new, false);
        let of = |side: Option<Side>| side.map(|side| side.id);
        let ours = read(&format!("{with_markers}^1"), with_markers)?;
        let mut theirs: HashMap<Vec<u8>, Difference> =
            read(&format!("{with_markers}^2"), with_markers)?
                .into_iter()
                .map(|difference| (difference.path.clone(), difference))
                .collect();
        let mut conflicted = BTreeMap::new();
        for ours in ours {
            let Some(theirs) = theirs.remove(&ours.path) else { continue };
            let Some(merged) = ours.new.filter(Side::is_file) else { continue };
            let sides = Sides { ours: of(ours.old), theirs: of(theirs.old), merged: merged.id };
            conflicted.insert(ours.path, sides);
        }
        let changed = read(with_markers, resolved)?;
        let changed = changed.into_iter().map(|difference| (difference.path, difference.new));
        Ok(Self { conflicted, changed: changed.collect() })
    }

    /// Of all files that are to be looked at.
    fn ids(&self) -> Vec<&str> {
        let of_sides = self.conflicted.values().flat_map(|sides| {
            [Some(&sides.merged), sides.ours.as_ref(), sides.theirs.as_ref()].into_iter().flatten()
        });
        let changed = self.changed.values().flatten().filter(|side| side.is_file());
        let mut ids: Vec<&str> =
            of_sides.chain(changed.map(|side| &side.id)).map(String::as_str).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    fn leftover(&self, lines: &Lines) -> Option<Leftover> {
        let of = |id: &String| lines.get(id).map(Vec::as_slice).unwrap_or_default();
        let texts = |id: &Option<String>| {
            let lines = id.as_ref().map(of).unwrap_or_default();
            lines.iter().map(|(_, text)| text.as_slice()).collect::<HashSet<&[u8]>>()
        };
        let mut named: HashSet<&[u8]> = HashSet::new();
        let mut found = Vec::new();
        for (path, sides) in &self.conflicted {
            let (ours, theirs) = (texts(&sides.ours), texts(&sides.theirs));
            let merged = of(&sides.merged).iter().map(|(_, text)| text.as_slice());
            let markers: HashSet<&[u8]> =
                merged.filter(|text| !ours.contains(text) && !theirs.contains(text)).collect();
            let now = match self.changed.get(path) {
                Some(Some(now)) => of(&now.id),
                Some(None) => &[],
                None => of(&sides.merged),
            };
            found.extend(first(path, now, &markers));
            // A line with the name of a side is a marker wherever it stands.
            named.extend(markers.into_iter().filter(|text| text.len() > WIDTH));
        }
        for (path, side) in &self.changed {
            let now = side.as_ref().map(|side| of(&side.id)).unwrap_or_default();
            found.extend(first(path, now, &named));
        }
        found.into_iter().min_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)))
    }
}

fn first(path: &[u8], lines: &[(u32, Vec<u8>)], markers: &HashSet<&[u8]>) -> Option<Leftover> {
    let (line, _) = lines.iter().find(|(_, text)| markers.contains(text.as_slice()))?;
    Some(Leftover { path: String::from_utf8_lossy(path).into_owned(), line: *line })
}

fn marker_lines(bare: &Bare, ids: &[&str], limit: u64) -> Result<Lines, GitError> {
    let mut found = Lines::new();
    blobs::contents(bare.git("cat-file"), ids, limit, |number, content| {
        let lines = (1..).zip(content.split(|&byte| byte == b'\n'));
        let lines = lines.map(|(number, line)| (number, line.strip_suffix(b"\r").unwrap_or(line)));
        let markers = lines.filter(|(_, line)| is_marker(line));
        let markers: Vec<(u32, Vec<u8>)> =
            markers.map(|(number, line)| (number, line.to_owned())).collect();
        if !markers.is_empty() {
            found.insert(ids[number].to_owned(), markers);
        }
    })?;
    Ok(found)
}

fn is_marker(line: &[u8]) -> bool {
    let Some((head, rest)) = line.split_at_checked(WIDTH) else { return false };
    let starts = b"<|=>".iter().any(|&byte| head.iter().all(|&other| other == byte));
    starts && rest.first().is_none_or(|&byte| byte == b' ')
}
