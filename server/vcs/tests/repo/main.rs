//! What native actions see of a repository.

#[cfg(test)]
mod comparing;
#[cfg(test)]
mod history;
#[cfg(test)]
mod support;
