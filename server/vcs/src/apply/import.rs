//! A stream for `git fast-import`: the way to make many objects by one call of git, none of them through a
//! filter.

use crate::GitError;
use std::{
    fs::File,
    io::{self, BufWriter, Read, Seek as _, Write as _},
    path::{Path, PathBuf},
};

/// Who the commits are from.
const IDENTITY: &str = "Orchestra <orchestra@localhost>";

/// What is to be made, written to a file.
pub(super) struct Stream {
    file: BufWriter<File>,
    path: PathBuf,
    marks: usize,
}

/// An object: one of the same stream, by its number, or one that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Object {
    Mark(usize),
    Id(String),
}

/// A file in a tree: its mode, as git writes it, and its content. `None`: there is none.
pub(super) type Entry = Option<(String, Object)>;

/// A commit: a tree, and what is different in it.
pub(super) struct Commit<'a> {
    pub(super) message: &'a str,
    /// Since 1970.
    pub(super) seconds: i64,
    pub(super) parents: Vec<Object>,
    /// `None`: an empty one.
    pub(super) tree: Option<&'a str>,
    pub(super) changes: Vec<(Vec<u8>, Entry)>,
}

impl Stream {
    pub(super) fn create(path: PathBuf) -> Result<Self, GitError> {
        let mut options = File::options();
        let options = options.read(true).write(true).create(true).truncate(true);
        let file = options.open(&path).map_err(GitError::io("failed to create", &path))?;
        Ok(Self { file: BufWriter::new(file), path, marks: 0 })
    }

    /// Answers its mark.
    pub(super) fn blob(&mut self, content: &[u8]) -> Result<Object, GitError> {
        self.blob_of(&mut &content[..], content.len() as u64)
    }

    /// The content of a file, which has so many bytes.
    pub(super) fn file(&mut self, path: &Path) -> Result<Object, GitError> {
        let failed = || GitError::io("failed to read", path);
        let mut file = File::open(path).map_err(failed())?;
        let bytes = file.metadata().map_err(failed())?.len();
        self.blob_of(&mut file, bytes)
    }

    fn blob_of(&mut self, content: &mut impl Read, bytes: u64) -> Result<Object, GitError> {
        self.marks += 1;
        let mark = self.marks;
        let written = (|| {
            write!(self.file, "blob\nmark :{mark}\ndata {bytes}\n")?;
            if io::copy(&mut content.take(bytes), &mut self.file)? < bytes {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.file.write_all(b"\n")
        })();
        written.map_err(GitError::io("failed to write", &self.path))?;
        Ok(Object::Mark(mark))
    }

    /// Answers its mark.
    pub(super) fn commit(&mut self, commit: Commit<'_>) -> Result<Object, GitError> {
        self.marks += 1;
        let mark = self.marks;
        self.write_commit(mark, commit).map_err(GitError::io("failed to write", &self.path))?;
        Ok(Object::Mark(mark))
    }

    fn write_commit(&mut self, mark: usize, commit: Commit<'_>) -> io::Result<()> {
        let Commit { message, seconds, parents, tree, mut changes } = commit;
        let file = &mut self.file;
        // Of references, only these are made: in a repository of ours that goes.
        write!(file, "commit refs/orchestra/{mark}\nmark :{mark}\n")?;
        writeln!(file, "committer {IDENTITY} {seconds} +0000")?;
        write!(file, "data {}\n{message}\n", message.len())?;
        for (number, parent) in parents.iter().enumerate() {
            let word = if number == 0 { "from" } else { "merge" };
            writeln!(file, "{word} {parent}")?;
        }
        file.write_all(b"deleteall\n")?;
        if let Some(tree) = tree {
            writeln!(file, "M 040000 {tree} \"\"")?;
        }
        // A file gives way before something is put into a folder of its name.
        changes.sort_by_key(|(_, entry)| entry.is_some());
        for (path, entry) in changes {
            match entry {
                None => file.write_all(b"D ")?,
                Some((mode, object)) => write!(file, "M {mode} {object} ")?,
            }
            file.write_all(&quoted(&path))?;
            file.write_all(b"\n")?;
        }
        file.write_all(b"\n")
    }

    /// The whole, to be read from its start, and how many marks there are.
    pub(super) fn end(mut self) -> Result<(File, usize), GitError> {
        let ended = (|| {
            self.file.write_all(b"done\n")?;
            let mut file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
            file.rewind()?;
            Ok(file)
        })();
        Ok((ended.map_err(GitError::io("failed to write", self.path))?, self.marks))
    }
}

impl std::fmt::Display for Object {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Mark(mark) => write!(f, ":{mark}"),
            Self::Id(id) => f.write_str(id),
        }
    }
}

impl Object {
    /// Its id, when these are those of the stream's marks.
    pub(super) fn id(&self, marks: &[String]) -> String {
        match self {
            Self::Mark(mark) => marks.get(mark.wrapping_sub(1)).cloned().unwrap_or_default(),
            Self::Id(id) => id.clone(),
        }
    }
}

/// As git takes a path that may hold anything.
pub(super) fn quoted(path: &[u8]) -> Vec<u8> {
    let mut quoted = vec![b'"'];
    for &byte in path {
        match byte {
            b'"' | b'\\' => quoted.extend([b'\\', byte]),
            b' '..=b'~' => quoted.push(byte),
            _ => quoted.extend(format!("\\{byte:03o}").bytes()),
        }
    }
    quoted.push(b'"');
    quoted
}
