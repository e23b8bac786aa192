//! Scenarios of repositories: real ones, made with git itself.

#[cfg(test)]
mod history;
