//! Brings a slot to the commit that was asked for, whatever its last holder left in it.

use super::{
    Clean, Tree, TreeRequest,
    clean::{self, Cleaned, clean},
    copy::{self, Wanted},
    patterns::Patterns,
    records::{self, Contents, Given, Lease, Prepared},
    remove::{absent_is_fine, delete},
    skeleton::{self, View},
    slots::{Slot, unique},
    source::{self, Format, Source},
    sparse::Cone,
    usage,
};
use crate::{
    GitError,
    folder::Folder,
    git::{ANSWER_LIMIT, CHECKOUT_LIMIT, Git, at_once},
    index::Tracked,
};
use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt as _,
    path::Path,
};

/// The settings on which it hangs that git sees every file which an agent changed: nobody can forge
/// the time of a file's last change of status, nor its inode. They also keep the index in the
/// one format that [`Tracked`] reads.
const TRUSTED: [(&str, &str); 6] = [
    ("core.trustctime", "true"),
    ("core.checkstat", "default"),
    ("core.splitindex", "false"),
    ("core.untrackedcache", "false"),
    ("index.version", "2"),
    ("index.sparse", "false"),
];

/// What is left of a slot's last use.
struct Left {
    contents: Contents,
    /// None when the files are not known.
    tracked: Option<Tracked>,
    cleaned: Cleaned,
}

/// All that is known about a request before a slot is touched.
pub(super) struct Plan<'a> {
    request: &'a TreeRequest<'a>,
    source: Source,
    format: Format,
    cone: Option<Cone>,
    keep: Patterns,
    wanted: Option<Wanted>,
}

impl<'a> Plan<'a> {
    /// Whatever is wrong with the request or with the repository shows here.
    pub(super) fn new(root: &Path, request: &'a TreeRequest<'a>) -> Result<Self, GitError> {
        let keep = match request.clean {
            Clean::Kept => Patterns::new(request.keep.iter().map(String::as_str))?,
            Clean::Fresh => Patterns::new([])?,
        };
        let source = source::read(root, request.commit)?;
        let cone = Cone::new(&source.layout.prefix, request.sparse)?;
        let wanted = Wanted::new(request.copy, &source.layout)?;
        Ok(Self { format: source.layout.format, request, source, cone, keep, wanted })
    }

    fn view(&self) -> View<'_> {
        View { commit: &self.source.commit, cone: self.cone.as_ref() }
    }
}

/// Fills the slot, new or used, for the lease. Its folder is known to be in nobody's hands.
pub(super) fn prepare(
    slot: &Slot,
    lease: &Lease,
    plan: &Plan<'_>,
    root: &Path,
) -> Result<Given, GitError> {
    let prefix = &plan.source.layout.prefix;
    let (checked_out, files) = at_once(
        || check_out(slot, plan),
        || plan.wanted.as_ref().map_or(Ok(Vec::new()), |wanted| wanted.find(root)),
    );
    let (contents, tracked) = checked_out?;
    fail::fail_point!("trees::acquire::checked_out", |_| std::process::abort());
    enter(&slot.src(), prefix)?;
    let copied = copy::place(root, &files?, &slot.src(), prefix, &tracked)?;
    make_room(&slot.room(&lease.holder, lease.shared))?;
    let prepared = contents.prepared.as_ref().map(|prepared| prepared.key.clone());
    let bytes = match contents.bytes {
        0 => usage::blocks(&slot.folder())
            .map_err(GitError::io("failed to measure", slot.folder()))?,
        known => known,
    };
    let request = plan.request;
    let contents = Contents {
        commit: Some(request.commit.to_owned()),
        sparse: request.sparse.to_owned(),
        copy: request.copy.to_owned(),
        copied,
        bytes,
        ..contents
    };
    write_contents(slot, &contents)?;
    fail::fail_point!("trees::acquire::filled", |_| std::process::abort());
    Ok(Given::new(prefix, prepared))
}

/// Room for a holder's own files; those that somebody had there are gone already.
pub(super) fn make_room(room: &Path) -> Result<(), GitError> {
    for folder in [room.join("tmp"), room.join("out/tasks")] {
        fs::create_dir_all(&folder).map_err(GitError::io("failed to create", &folder))?;
    }
    Ok(())
}

/// As [`make_room`], whatever somebody has put there meanwhile.
pub(super) fn make_room_anew(room: &Path) -> Result<(), GitError> {
    for folder in [room.join("tmp"), room.join("out")] {
        absent_is_fine(delete(&folder)).map_err(GitError::io("failed to remove", &folder))?;
    }
    make_room(room)
}

/// The tree that a lease stands for, once it is whole.
pub(super) fn tree(slot: &Slot, lease: &Lease) -> Option<Tree> {
    let given = lease.given.as_ref()?;
    let room = slot.room(&lease.holder, lease.shared);
    Some(Tree {
        slot: slot.folder(),
        // Not `join`: an empty prefix would leave a slash at the end of what agents are shown.
        cwd: slot.src().iter().chain(&given.prefix()).collect(),
        src: slot.src(),
        tmp: room.join("tmp"),
        out: room.join("out"),
        index: slot.index(),
        commit: lease.commit.clone(),
        prepared: given.prepared.clone(),
    })
}

/// Records that a slot is ready for builds, with all that is not tracked in it now.
pub(super) fn set_prepared(slot: &Slot, key: &str) -> io::Result<()> {
    let unknown = || io::Error::new(io::ErrorKind::NotFound, "the tree is not the pool's any more");
    let contents: Contents = records::read(&slot.contents())?.ok_or_else(unknown)?;
    let commit = contents.commit.as_deref().ok_or_else(unknown)?;
    let format = if commit.len() == 64 { Format::Sha256 } else { Format::Sha1 };
    let tracked = Tracked::read(&slot.index(), format).ok_or_else(unknown)?;
    let nothing = Patterns::new([]).map_err(io::Error::other)?;
    let made = clean::list(&slot.src(), &tracked, &nothing)?.others;
    let made = made.iter().map(|path| path.to_string_lossy().into_owned());
    // The user's own files are copied anew each time.
    let made = made.filter(|path| !contents.copied.contains(path)).collect();
    let prepared = Some(Prepared { key: key.to_owned(), made });
    records::write(&slot.contents(), &Contents { prepared, ..contents })
}

/// Throws away what the last holder left, but for tracked files and what is kept. The `.git` folder
/// goes unread: whatever an agent wrote there, no git sees it.
fn tidy(slot: &Slot, format: Format, keep: &Patterns) -> io::Result<Left> {
    let Some(contents) = records::read::<Contents>(&slot.contents())? else {
        make_private(&slot.folder())?;
        fs::create_dir(slot.src())?;
        return Ok(Left { contents: Contents::new(), tracked: None, cleaned: Cleaned::default() });
    };
    let folder = Folder::open_to_change(&slot.folder())?;
    for entry in folder.entries()? {
        let name = entry?.name;
        if name != "src" {
            delete(&slot.folder().join(name))?;
        }
    }
    // Says whether it is a folder, before anything below it is touched.
    folder.child_to_change("src".as_ref())?;
    absent_is_fine(delete(&slot.src().join(".git")))?;
    let tracked = Tracked::read(&slot.index(), format);
    let cleaned = clean(&slot.src(), tracked.as_ref().unwrap_or(&Tracked::default()), keep)?;
    Ok(Left { contents, tracked, cleaned })
}

/// Brings the files to the commit: has git write those that are not known to be right.
fn check_out(slot: &Slot, plan: &Plan<'_>) -> Result<(Contents, Tracked), GitError> {
    let tidied = tidy(slot, plan.format, &plan.keep);
    let Left { mut contents, tracked, cleaned: Cleaned { kept, is_untouched } } =
        tidied.map_err(GitError::io("failed to clean", slot.folder()))?;
    fail::fail_point!("trees::acquire::cleaned", |_| std::process::abort());
    let look = look(&plan.source, plan.view());
    let known = tracked.filter(|_| contents.look == look);
    let prepared = contents.prepared.take();
    contents.prepared =
        prepared.filter(|prepared| prepared.made.iter().all(|path| kept.contains(Path::new(path))));
    contents.look = look;
    let shown = contents.commit.take();
    write_contents(slot, &contents)?;
    if known.is_none() {
        start_over(slot, &plan.keep)?;
    }
    skeleton::write(&plan.source, plan.view(), &slot.src().join(".git"))?;
    let is_there = is_untouched && shown.as_ref() == Some(&plan.source.commit);
    let tracked = match known {
        // Git would look at every file once more, and change none.
        Some(known) if is_there => known,
        known => {
            let tracked = read_tree(slot, plan)?;
            if known.is_some_and(|known| known.attributes() != tracked.attributes()) {
                // Files that are the same in both commits may look different now, which git does
                // not see.
                start_over(slot, &plan.keep)?;
                read_tree(slot, plan)?
            } else {
                tracked
            }
        }
    };
    let index = slot.src().join(".git/index");
    fs::copy(slot.index(), &index).map_err(GitError::io("failed to write", &index))?;
    Ok((contents, tracked))
}

/// Forgets what is known of the files, and removes them.
fn start_over(slot: &Slot, keep: &Patterns) -> Result<(), GitError> {
    let removed = absent_is_fine(fs::remove_file(slot.index()));
    removed
        .and_then(|()| clean(&slot.src(), &Tracked::default(), keep))
        .map(drop)
        .map_err(GitError::io("failed to clean", slot.folder()))
}

/// Moves the files and the index to the commit. With `--reset`, files whose stat data differ from
/// the index are written anew, and nothing in their way stops it.
fn read_tree(slot: &Slot, plan: &Plan<'_>) -> Result<Tracked, GitError> {
    let commit = plan.source.commit.as_str();
    let index = slot.index();
    // A git that outlives a killed daemon ends by renaming its index: that must not hit ours.
    let working = unique(&index);
    let failed = GitError::io("failed to rename", &index);
    absent_is_fine(fs::rename(&index, &working)).map_err(failed)?;
    fail::fail_point!("trees::acquire::index_taken", |_| std::process::abort());
    fail::fail_point!("trees::disk_full", |_| Err(GitError::io("failed to write", &working)(
        io::Error::from(io::ErrorKind::StorageFull)
    )));
    let git = Git::new(&slot.src(), "read-tree", CHECKOUT_LIMIT)
        .with_own_settings_only()
        .in_repository(".git")
        .with_index(&working);
    let git = TRUSTED.iter().fold(git, |git, (key, value)| git.set(key.into(), value));
    git.args(["--reset", "-u", commit]).output().map_err(|error| explain(error, slot, commit))?;
    fail::fail_point!("trees::acquire::read", |_| std::process::abort());
    fs::rename(&working, &index).map_err(GitError::io("failed to rename", &working))?;
    Tracked::read(&index, plan.format).ok_or_else(|| {
        let error = io::Error::new(io::ErrorKind::InvalidData, "not an index of version 2 or 3");
        GitError::io("failed to read", &index)(error)
    })
}

/// Tells an object that was never fetched from other failures, and names the file.
fn explain(error: GitError, slot: &Slot, commit: &str) -> GitError {
    let GitError::Failed { detail, .. } = &error else { return error };
    let path = match detail.strip_prefix("unable to read sha1 file of ") {
        Some(rest) => Some(rest.rsplit_once(" (").map_or(rest, |(path, _)| path).to_owned()),
        // A partial clone asks for all that is missing at once, and names only the first object.
        None => detail
            .strip_prefix("could not fetch ")
            .and_then(|rest| rest.split(' ').next())
            .and_then(|id| path_of(id, slot, commit)),
    };
    match path {
        Some(path) => GitError::MissingObject { path, place: slot.src() },
        None => error,
    }
}

/// Where the commit has this object. `None` when that cannot be found out.
fn path_of(id: &str, slot: &Slot, commit: &str) -> Option<String> {
    let git = Git::new(&slot.src(), "ls-tree", ANSWER_LIMIT)
        .with_own_settings_only()
        .in_repository(".git");
    let mut path = None;
    let listed = git.args(["-r", "-z", "--full-tree", commit]).records(|record| {
        let mut parts = record.splitn(2, |&byte| byte == b'\t');
        if parts.next().is_some_and(|entry| entry.ends_with(id.as_bytes())) {
            path = parts.next().map(|path| String::from_utf8_lossy(path).into_owned());
        }
    });
    listed.ok().and(path)
}

/// All that decides, besides the commit, how checked-out files look.
fn look(source: &Source, view: View<'_>) -> String {
    let read = |file: &Path| match fs::metadata(file) {
        Ok(found) if found.is_file() => fs::read(file).unwrap_or_default(),
        _ => Vec::new(),
    };
    let sparse = match view.cone {
        Some(cone) => cone.patterns(),
        None => read(&source.layout.sparse_checkout),
    };
    let config = skeleton::config(source, view.cone);
    let all = [config, read(&source.layout.attributes), sparse].join(b"\0".as_slice());
    String::from_utf8_lossy(&all).into_owned()
}

pub(super) fn write_contents(slot: &Slot, contents: &Contents) -> Result<(), GitError> {
    let file = slot.contents();
    records::write(&file, contents).map_err(GitError::io("failed to write", file))
}

/// Others on this machine do not read what the user works on.
pub(crate) fn make_private(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Sees that the workspace's folder is in the tree. It may be new and thus in no commit, but a
/// commit in which it is a symbolic link would lead out of the tree.
pub(crate) fn enter(src: &Path, prefix: &Path) -> Result<(), GitError> {
    let mut folder = src.to_owned();
    for part in prefix {
        folder.push(part);
        match fs::symlink_metadata(&folder) {
            Ok(found) if found.is_dir() => {}
            Ok(_) => return Err(GitError::NoFolder(prefix.to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir(&folder).map_err(GitError::io("failed to create", &folder))?;
            }
            Err(error) => return Err(GitError::io("failed to read", &folder)(error)),
        }
    }
    Ok(())
}
