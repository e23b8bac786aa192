//! More files than anybody would review.

use crate::support::{Sandbox, write};
use orchestra_vcs::GitError;
use std::fs;

#[test]
fn too_many_files_are_refused_with_the_folder_that_most_are_in() {
    let mut sandbox = Sandbox::new();
    sandbox.limits.count = 100;
    for number in 0..40 {
        write(&sandbox.src(), format!("docs/{number}"), "small\n");
    }
    for number in 0..1_000 {
        write(&sandbox.src(), format!("src/generated/{}/{number}", number % 10), "small\n");
    }
    let error = sandbox.collect().unwrap_err();
    let GitError::TooManyFiles { count, limit, folder } = &error else { panic!("{error}") };
    assert_eq!((*count, *limit, folder.as_str()), (1_040, 100, "src/generated"));
    assert!(error.hint().contains(".gitignore"));
}

#[test]
fn deleting_more_files_than_may_be_new_is_no_reason_to_refuse() {
    let mut sandbox = Sandbox::with(|user| {
        for number in 0..200 {
            write(user, format!("old/{number}"), "small\n");
        }
    });
    sandbox.limits.count = 100;
    fs::remove_dir_all(sandbox.src().join("old")).unwrap();
    write(&sandbox.src(), "kept", "small\n");
    assert_eq!(sandbox.change().files, 201);
}
