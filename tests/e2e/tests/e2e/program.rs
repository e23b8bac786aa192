//! The program itself: that it starts and says what it is.

use orchestra_testkit::Sandbox;

#[test]
fn it_says_its_version_and_touches_nothing() {
    let sandbox = Sandbox::new();

    let outcome = sandbox.orchestra(["--version"]).run().success();

    assert_eq!(outcome.stdout.trim(), concat!("orchestra ", env!("CARGO_PKG_VERSION")));
    assert_eq!(outcome.stderr, "");
    assert_eq!(sandbox.state_files(), [""; 0]);
}
