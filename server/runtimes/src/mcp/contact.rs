//! Where the shim is, and what opens it: in our environment, or in that of a process that we descend from,
//! because agents hand on only a part of theirs to MCP servers.

use crate::{attempt::Spec, process};
use std::{
    env,
    ffi::OsStr,
    fs,
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
    path::PathBuf,
};

/// How to reach the shim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Contact {
    pub(super) socket: PathBuf,
    pub(super) token: String,
}

/// `None` outside of a task.
pub(super) fn find() -> Option<Contact> {
    let own = |name: &str| env::var_os(name).map(std::ffi::OsString::into_vec);
    contact(own).or_else(|| {
        let mut pid = process::stat(std::process::id()).ok()?.parent;
        while pid != 0 {
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            if let Some(found) = contact(|name| variable(&environment, name)) {
                return Some(found);
            }
            pid = process::stat(pid).ok()?.parent;
        }
        None
    })
}

fn contact(variable: impl Fn(&str) -> Option<Vec<u8>>) -> Option<Contact> {
    let socket = variable(Spec::MCP_SOCKET)?;
    let token = String::from_utf8(variable(Spec::MCP_TOKEN)?).ok()?;
    Some(Contact { socket: OsStr::from_bytes(&socket).into(), token })
}

fn variable(environment: &[u8], name: &str) -> Option<Vec<u8>> {
    let entries = environment.split(|&byte| byte == 0);
    let value =
        |entry: &[u8]| Some(entry.strip_prefix(name.as_bytes())?.strip_prefix(b"=")?.to_vec());
    entries.into_iter().find_map(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_variables_are_needed_and_found_by_their_whole_names() {
        let whole = b"A=1\0ORCHESTRA_MCP_SOCKET=/run/s\0ORCHESTRA_MCP_TOKEN=t=1\0";
        let found = contact(|name| variable(whole, name));
        assert_eq!(found, Some(Contact { socket: "/run/s".into(), token: "t=1".to_owned() }));
        let half = b"XORCHESTRA_MCP_TOKEN=t\0ORCHESTRA_MCP_SOCKET=/run/s\0";
        assert_eq!(contact(|name| variable(half, name)), None);
    }
}
