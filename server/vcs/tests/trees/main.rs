//! Scenarios of the pool of trees: real repositories, made with git itself, and holders that leave
//! anything behind.

#[cfg(test)]
mod budget;
#[cfg(test)]
mod copies;
#[cfg(test)]
#[cfg(feature = "failpoints")]
mod crashes;
#[cfg(test)]
mod holders;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod inert;
#[cfg(test)]
mod killed;
#[cfg(test)]
mod reuse;
#[cfg(test)]
mod showing;
#[cfg(test)]
mod support;
