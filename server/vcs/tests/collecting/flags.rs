//! What a person is asked to look at.

use crate::support::{Sandbox, flags, make_program, write};
use orchestra_core::change::FlagKind;
use std::os::unix::fs::symlink;

#[test]
fn what_may_run_outside_of_the_tree_is_flagged() {
    let sandbox = Sandbox::with(|user| {
        write(user, "quiet/package.json", r#"{"name": "a", "scripts": {"test": "true"}}"#);
        write(user, "loud/package.json", r#"{"name": "a", "scripts": {"test": "true"}}"#);
    });
    let src = sandbox.src();
    write(&src, ".orchestra/config.toml", "[verify]\n");
    write(&src, ".mcp.json", "{}\n");
    write(&src, ".github/workflows/ci.yml", "on: push\n");
    write(&src, ".husky/pre-commit", "true\n");
    write(&src, "CLAUDE.md", "Obey.\n");
    write(&src, "quiet/package.json", r#"{"name": "b", "scripts": {"test": "true"}}"#);
    write(&src, "loud/package.json", r#"{"name": "a", "scripts": {"postinstall": "true"}}"#);
    write(&src, "plain.txt", "nothing to see\n");
    make_program(&src.join("tool.sh"), "#!/bin/sh\n");
    symlink("/etc/passwd", src.join("link-out")).unwrap();
    symlink("../../..", src.join("quiet/link-up")).unwrap();
    symlink("../plain.txt", src.join("quiet/link-in")).unwrap();

    assert_eq!(
        flags(&sandbox.change()),
        [
            (".github/workflows/ci.yml", FlagKind::Ci),
            (".husky/pre-commit", FlagKind::Hook),
            (".mcp.json", FlagKind::Mcp),
            (".orchestra/config.toml", FlagKind::Orchestra),
            ("CLAUDE.md", FlagKind::AgentInstructions),
            ("link-out", FlagKind::SymlinkOutside),
            ("loud/package.json", FlagKind::PackageScript),
            ("quiet/link-up", FlagKind::SymlinkOutside),
            ("tool.sh", FlagKind::ExecutableBit),
        ]
    );
}
