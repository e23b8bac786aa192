//! The rows, and the seconds that each round of them took.

use crate::Result;
use std::{collections::BTreeMap, path::Path, time::Instant};

#[derive(Default)]
pub(crate) struct Rows(pub(crate) BTreeMap<&'static str, Vec<f64>>);

impl Rows {
    /// Does it, and notes how long it took.
    pub(crate) fn time<T>(
        &mut self,
        row: &'static str,
        work: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        let began = Instant::now();
        let done = work()?;
        self.0.entry(row).or_default().push(began.elapsed().as_secs_f64());
        Ok(done)
    }

    /// What git itself takes to say what has changed in a checkout.
    pub(crate) fn status(&mut self, row: &'static str, checkout: &Path) -> Result<()> {
        self.time(row, || crate::repository::git(checkout, &["status", "--porcelain"]).map(drop))
    }
}
