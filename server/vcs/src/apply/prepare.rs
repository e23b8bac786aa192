//! Working out what is to become of the user's files, and keeping what he has.

use super::{
    PrepareRequest, Prepared, Transition,
    capture::Capture,
    disk::Disk,
    import::{Commit, Object, Stream},
    merging::{self, Side},
    obstacles,
    place::{Place, Room, Store},
    record::Kept,
    undo,
    wanted::{self, Form, Step, Wanted},
};
use crate::{
    GitError,
    bare::line,
    collect::{
        blobs,
        difference::{self, Difference},
    },
    git::at_once,
    snapshot::{self, Buffer},
};
use orchestra_core::{
    merge::{self, Conflict, ConflictKind},
    operation::{FilePlan, Owner},
    snapshot::Snapshot,
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    os::unix::ffi::OsStrExt as _,
};

/// How often everything is looked at anew because something has changed meanwhile.
const ROUNDS: usize = 4;

/// What does not change from one round to the next.
struct Work<'a> {
    request: &'a PrepareRequest<'a>,
    place: &'a Place,
    room: &'a Room<'a>,
    clients: &'a Clients<'a>,
    /// What the references hold already.
    known: Option<Snapshot>,
    /// The change, as it was made.
    changed: Vec<Difference>,
    /// What the operation that is to be taken back has kept.
    undone: Option<Kept>,
}

/// What the client that asks has open, by paths from the top.
pub(super) struct Clients<'a> {
    pub(super) unsaved: BTreeMap<Vec<u8>, &'a Buffer>,
    open: BTreeSet<Vec<u8>>,
}

impl Clients<'_> {
    pub(super) fn own(&self, path: &[u8]) -> bool {
        self.unsaved.contains_key(path) || self.open.contains(path)
    }
}

/// What is to be done, or why not.
pub(super) enum Plan {
    Steps(Vec<Step>),
    Conflict(Vec<Conflict>),
}

/// What a round came to.
enum Round {
    Done(Prepared),
    /// These files count, too.
    More(BTreeSet<Vec<u8>>),
    /// These have changed meanwhile.
    Changed(Vec<Vec<u8>>),
}

/// Works out a change of the user's files. Blocks for about as long as a snapshot.
///
/// Writes objects and the operation's references, and nothing else of the user's. Done again it answers the
/// same, as long as he changes nothing; it is not to be done again once the change is carried out.
pub fn prepare(request: &PrepareRequest<'_>) -> Result<Prepared, GitError> {
    if !request.references.starts_with(snapshot::NAMESPACE) {
        return Err(GitError::Reference(request.references.to_owned()));
    }
    let (place, known) = at_once(
        || Place::find(request.root),
        || snapshot::existing(request.root, &format!("{}/before", request.references)),
    );
    let (place, known) = (place?, known?);
    let room = Room::create(&place, request.root, request.scratch)?;
    let undone = request.undo.map(|references| Kept::read(&place, references)).transpose()?;
    let changed = difference::read(room.git("diff-tree"), request.base, request.theirs, false)?;
    let mut paths: BTreeSet<Vec<u8>> = match &undone {
        Some(kept) => kept.record.paths().into_iter().map(<[u8]>::to_owned).collect(),
        None => changed.iter().map(|changed| changed.path.clone()).collect(),
    };
    let clients = clients(request, &place);
    let work =
        Work { request, place: &place, room: &room, clients: &clients, known, changed, undone };
    let mut unsteady = Vec::new();
    for _ in 0..ROUNDS {
        if paths.is_empty() {
            return Ok(Prepared::Nothing);
        }
        match work.round(&paths)? {
            Round::Done(prepared) => return Ok(prepared),
            Round::More(more) => paths.extend(more),
            Round::Changed(changed) => unsteady = changed,
        }
    }
    Ok(Prepared::Refused {
        message: format!("files change while they are looked at: {}", obstacles::named(&unsteady)),
        hint: "wait until whatever writes them has ended, and try again".to_owned(),
    })
}

fn clients<'a>(request: &PrepareRequest<'a>, place: &Place) -> Clients<'a> {
    let from_top = |path: &std::path::Path| {
        let real = snapshot::resolve(&request.root.join(path));
        real.strip_prefix(&place.top).ok().map(|path| path.as_os_str().as_bytes().to_owned())
    };
    let unsaved = request.buffers.iter();
    let unsaved = unsaved.filter_map(|buffer| Some((from_top(&buffer.path)?, buffer))).collect();
    let open = request.open.iter().filter_map(|path| from_top(path.as_ref())).collect();
    Clients { unsaved, open }
}

impl Work<'_> {
    fn round(&self, paths: &BTreeSet<Vec<u8>>) -> Result<Round, GitError> {
        let disk = Disk::open(&self.place.top, paths.iter().map(Vec::as_slice))?;
        let capture = Capture::take(&disk, self.room, self.clients, paths)?;
        fail::fail_point!("vcs::apply::captured", |_| std::process::abort());
        let before = self.before()?;
        fail::fail_point!("vcs::apply::taken", |_| std::process::abort());
        let unmerged: Vec<Conflict> = before
            .conflicted
            .iter()
            .filter(|path| paths.contains(path.as_bytes()))
            .map(|path| unmerged(path))
            .collect();
        if !unmerged.is_empty() {
            return self.nothing_written(Prepared::Conflict(unmerged));
        }
        let plan = match &self.undone {
            Some(kept) => undo::plan(&undo::Undo {
                request: self.request,
                place: self.place,
                room: self.room,
                before: &before,
                capture: &capture,
                changed: &self.changed,
                kept,
            })?,
            None => self.merge(&before)?,
        };
        let steps = match plan {
            Plan::Steps(steps) => steps,
            Plan::Conflict(conflicts) => {
                return self.nothing_written(Prepared::Conflict(conflicts));
            }
        };
        if steps.is_empty() {
            return self.nothing_written(Prepared::Nothing);
        }
        let more: BTreeSet<Vec<u8>> = steps
            .iter()
            .map(|step| &step.path)
            .filter(|path| !paths.contains(*path))
            .cloned()
            .collect();
        if !more.is_empty() {
            return Ok(Round::More(more));
        }
        let submodules = obstacles::before_contents(&steps);
        if let Some(refused) = submodules {
            return self.nothing_written(refused);
        }
        let wanted = wanted::work_out(&wanted::Ask {
            request: self.request,
            place: self.place,
            room: self.room,
            disk: &disk,
            capture: &capture,
            clients: self.clients,
            undone: self.undone.as_ref(),
            steps,
        })?;
        if let Some(refused) = obstacles::find(&disk, self.clients, &wanted)? {
            return self.nothing_written(refused);
        }
        let changed = capture.changed(&disk)?;
        if !changed.is_empty() {
            return Ok(Round::Changed(changed));
        }
        self.keep(&before, &wanted).map(Round::Done)
    }

    /// What the user has now: the snapshot of an earlier call when nothing has changed since.
    fn before(&self) -> Result<Snapshot, GitError> {
        let taken = self.reference("taken");
        self.set_references(&[(taken.clone(), None)])?;
        let request = self.request;
        let now = snapshot::take(&snapshot::Request {
            root: request.root,
            scratch: request.scratch,
            reference: &taken,
            buffers: request.buffers,
            // Files that are not merged stop nobody who does not touch them.
            with_conflicts: true,
            run_filters: request.run_filters,
            limits: request.limits,
            subject: request.subject,
            wrapper: None,
        })?;
        let is_same =
            |known: &&Snapshot| Snapshot { commit: now.commit.clone(), ..(*known).clone() } == now;
        Ok(self.known.as_ref().filter(is_same).cloned().unwrap_or(now))
    }

    fn merge(&self, before: &Snapshot) -> Result<Plan, GitError> {
        let request = self.request;
        let stream = Stream::create(self.room.path("sides"))?;
        let sides = [request.base, &before.commit, request.theirs].map(Side::of);
        let sides = merging::merge(self.room, stream, sides, request.favor, request.limits)?;
        let tree = match sides.merged {
            Ok(tree) => tree,
            Err(conflicts) => return Ok(Plan::Conflict(conflicts)),
        };
        let changed = difference::read(self.room.git("diff-tree"), &before.tree, &tree, false)?;
        let step =
            |Difference { path, old, new, .. }| Step { path, form: Form::AsGitWrites { old }, new };
        Ok(Plan::Steps(changed.into_iter().map(step).collect()))
    }

    fn reference(&self, name: &str) -> String {
        format!("{}/{name}", self.request.references)
    }

    /// Forgets the snapshot: nothing is to be changed, so nothing has to be kept.
    fn nothing_written(&self, prepared: Prepared) -> Result<Round, GitError> {
        let names = ["taken", "before", "after", "raw"];
        self.set_references(&names.map(|name| (self.reference(name), None)))?;
        Ok(Round::Done(prepared))
    }

    fn keep(&self, before: &Snapshot, wanted: &Wanted) -> Result<Prepared, GitError> {
        let when = self.room.git("log").args(["-1", "--format=%ct", &before.commit]).output()?;
        let seconds = line(&when).parse().unwrap_or(0);
        let subject = self.request.subject.lines().next().unwrap_or_default();
        let mut stream = Stream::create(self.room.path("stream"))?;
        let made = self.make_merged(&mut stream, wanted)?;
        let changes = wanted.kept(&mut stream, &made)?;
        let message = format!("{subject}: as it lay on the disk\n");
        let raw = stream.commit(Commit {
            message: &message,
            seconds,
            parents: Vec::new(),
            tree: None,
            changes,
        })?;
        let message = format!("{subject}\n");
        let parents = [before.commit.as_str(), self.request.theirs];
        let after = stream.commit(Commit {
            message: &message,
            seconds,
            parents: parents.map(|id| Object::Id(id.to_owned())).into(),
            tree: Some(&before.tree),
            changes: wanted.committed(&made),
        })?;
        let ids = self.room.import(stream, Store::Users)?;
        fail::fail_point!("vcs::apply::imported", |_| std::process::abort());
        let (raw, after) = (raw.id(&ids), after.id(&ids));
        self.set_references(&[
            (self.reference("before"), Some(before.commit.clone())),
            (self.reference("after"), Some(after.clone())),
            (self.reference("raw"), Some(raw)),
            (self.reference("taken"), None),
        ])?;
        fail::fail_point!("vcs::apply::prepared", |_| std::process::abort());
        let file = |path: &Vec<u8>| FilePlan {
            path: String::from_utf8_lossy(path).into_owned(),
            owner: if self.clients.own(path) { Owner::Client } else { Owner::Disk },
        };
        let files = wanted.paths().map(file).collect();
        Ok(Prepared::Ready(Transition { before: before.commit.clone(), after, files }))
    }

    /// Makes anew, by id, the contents that were merged: they are in the room only.
    fn make_merged<'w>(
        &self,
        stream: &mut Stream,
        wanted: &'w Wanted,
    ) -> Result<HashMap<&'w str, Object>, GitError> {
        let known = self.changed.iter().flat_map(|changed| [&changed.old, &changed.new]);
        let known: HashSet<&str> = known.flatten().map(|side| side.id.as_str()).collect();
        let merged = wanted.merged().filter(|id| !known.contains(id));
        let merged: Vec<&str> = merged.collect::<BTreeSet<_>>().into_iter().collect();
        let mut made = HashMap::new();
        let mut failed = None;
        blobs::contents(
            self.room.git("cat-file"),
            &merged,
            u64::MAX,
            |number, content| match stream.blob(content) {
                Ok(object) => drop(made.insert(merged[number], object)),
                Err(error) => failed = Some(error),
            },
        )?;
        match failed {
            Some(error) => Err(error),
            None => Ok(made),
        }
    }

    /// All of them or none. `None` removes one.
    fn set_references(&self, references: &[(String, Option<String>)]) -> Result<(), GitError> {
        let line = |(name, id): &(String, Option<String>)| match id {
            Some(id) => format!("update {name}\0{id}\0\0"),
            None => format!("delete {name}\0\0"),
        };
        let input: String = references.iter().map(line).collect();
        let git = self.place.git("update-ref").args(["--no-deref", "-z", "--stdin"]);
        git.input(input.into_bytes()).output().map(drop)
    }
}

fn unmerged(path: &str) -> Conflict {
    let (ours, theirs) = (merge::Side::default(), merge::Side::default());
    Conflict { path: path.to_owned(), kind: ConflictKind::Unmerged, ours, theirs }
}
