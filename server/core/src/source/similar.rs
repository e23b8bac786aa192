//! What somebody probably meant when a name is unknown.

/// The known name closest to `name`, when it is close enough to be a slip.
pub(crate) fn did_you_mean<'a>(
    name: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    nearest(name, known).into_iter().next()
}

/// Up to three known names that are close to `name`, the closest first.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    // Comparing costs the product of the lengths, and no name that long is a slip of another.
    if name.len() > 100 {
        return Vec::new();
    }
    let name = name.to_lowercase();
    let mut near: Vec<(usize, &str)> = known
        .into_iter()
        .filter(|known| known.len() <= 100)
        .filter_map(|known| {
            let lower = known.to_lowercase();
            let distance = strsim::osa_distance(&name, &lower);
            let slip = distance <= name.chars().count().max(3) / 3;
            let part = name.len() >= 4 && (lower.contains(&name) || name.contains(&lower));
            (slip || part).then_some((if slip { distance } else { 100 + distance }, known))
        })
        .collect();
    near.sort_unstable();
    near.dedup();
    near.into_iter().map(|(_, known)| known).take(3).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_come_before_parts_and_strangers_not_at_all() {
        let known = ["timeout", "secrets.scan", "todo.scan", "needs", "name"];
        assert_eq!(did_you_mean("timout", known), Some("timeout"));
        assert_eq!(nearest("scan", known), ["todo.scan", "secrets.scan"]);
        assert_eq!(did_you_mean("nmae", known), Some("name"));
        assert_eq!(did_you_mean("colour", known), None);
    }
}
