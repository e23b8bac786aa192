//! All native actions over trees as messy as real ones: what they find, what they leave out, and that
//! the report quotes what is there.

#![cfg(unix)]

#[cfg(test)]
mod comparing;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod outlining;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod reporting;
#[cfg(test)]
mod scanning;
#[cfg(test)]
mod support;
