//! The environment of an agent: a list of what may pass, never all that the user has.

use crate::attempt::{Spec, own_log};
use orchestra_core::agent::AgentProfile;
use std::{collections::BTreeMap, path::Path};

/// Without these, programs do not find their files, do not speak the user's language, or do not reach
/// the network.
const PASSED: [&str; 47] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "TERM",
    "COLORTERM",
    "NO_COLOR",
    "TZ",
    "TMPDIR",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "GIT_SSL_CAINFO",
    "RUSTFLAGS",
    "NODE_OPTIONS",
    "NVM_DIR",
    "PNPM_HOME",
    "PYENV_ROOT",
    "PYENV_VERSION",
    "VIRTUAL_ENV",
    "JAVA_HOME",
    "GOPROXY",
    "GOPRIVATE",
    "GONOPROXY",
    "GONOSUMDB",
    "GOSUMDB",
    "GOINSECURE",
    "GOFLAGS",
    "GOROOT",
    "GOPATH",
    "GOTOOLCHAIN",
    "GOOS",
    "GOARCH",
    "CGO_ENABLED",
];
const PASSED_PREFIXES: [&str; 8] =
    ["LC_", "XDG_", "CARGO_", "RUSTUP_", "npm_config_", "NPM_CONFIG_", "PIP_", "UV_"];

/// Of those, what would lead a tool to write outside of the tree.
const NOT_PASSED: [&str; 4] =
    ["CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR", "CARGO_BUILD_BUILD_DIR", "PIP_TARGET"];

/// Whether every agent gets this variable. Those that look secret have to be named by its profile.
pub fn is_always_passed(name: &str) -> bool {
    let is_known =
        PASSED.contains(&name) || PASSED_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    is_known && !looks_secret(name) && !NOT_PASSED.contains(&name)
}

/// Whether the value of this variable must not get into a log.
pub fn looks_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    ["KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL"]
        .iter()
        .any(|word| name.contains(word))
}

/// The names of the variables whose values must not get into a log: those that look so, and addresses with
/// a password in them, as proxies and registries have.
pub fn secrets(environment: &BTreeMap<String, String>) -> Vec<String> {
    let has_password = |value: &str| {
        let address = value.split_once("://").map(|(_, rest)| rest.split('/').next());
        address.flatten().is_some_and(|address| address.contains('@'))
    };
    environment
        .iter()
        .filter(|(name, value)| looks_secret(name) || has_password(value))
        .map(|(name, _)| name.clone())
        .collect()
}

/// What the agent gets of the run's environment, and what tells it about its task.
pub(super) fn of_agent(
    profile: &AgentProfile,
    run: &BTreeMap<String, String>,
    spec: &Spec,
    plan: &Path,
) -> BTreeMap<String, String> {
    let mut environment: BTreeMap<String, String> = run
        .iter()
        .filter(|(name, _)| is_always_passed(name) || profile.env.contains(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    environment.extend(profile.variables.clone());
    let path = |path: &Path| path.to_string_lossy().into_owned();
    environment.extend([
        ("TMPDIR".to_owned(), path(&spec.slot.join("tmp"))),
        ("ORCHESTRA_DIR".to_owned(), path(&spec.out())),
        ("ORCHESTRA_PLAN".to_owned(), path(plan)),
        ("ORCHESTRA_LOG".to_owned(), path(&own_log(&spec.slot))),
        ("ORCHESTRA_TASK_ID".to_owned(), spec.attempt.task().to_string()),
        (Spec::MARKER.to_owned(), spec.marker()),
    ]);
    environment
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_get_what_they_need_and_no_secret_that_nobody_named() {
        for (name, passed) in [
            ("https_proxy", true),
            ("SSL_CERT_FILE", true),
            ("CARGO_NET_OFFLINE", true),
            ("npm_config_registry", true),
            ("PIP_INDEX_URL", true),
            ("GOPROXY", true),
            ("CARGO_REGISTRY_TOKEN", false),
            ("npm_config__authToken", false),
            ("CARGO_TARGET_DIR", false),
            ("GOOGLE_CLOUD_PROJECT", false),
            ("LD_PRELOAD", false),
        ] {
            assert_eq!(is_always_passed(name), passed, "{name}");
        }
    }

    #[test]
    fn an_address_with_a_password_is_a_secret() {
        let environment = BTreeMap::from(
            [
                ("https_proxy", "http://ada:pass@proxy.invalid:3128"),
                ("PIP_INDEX_URL", "https://index.invalid/simple/@scope"),
                ("CODER_API_KEY", "sk-live-0123456789"),
                ("PATH", "/bin"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        assert_eq!(secrets(&environment), ["CODER_API_KEY", "https_proxy"]);
    }
}
