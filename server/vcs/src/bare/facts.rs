//! What merging and reviewing have to know of a commit.

/// What a commit says.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    pub(crate) tree: String,
    /// When it was made, in seconds since 1970, as far as that is a time.
    pub(crate) date: i64,
}

/// Dates beyond the year 2100 are somebody's invention, and git refuses those that are far beyond it.
const LAST_DATE: i64 = 4_102_444_800;

impl Facts {
    /// No commit that was collected is larger.
    pub(super) const MAX_BYTES: u64 = 1 << 28;

    /// `None` when it is no commit.
    pub(super) fn read(content: &[u8]) -> Option<Self> {
        let lines = content.split(|&byte| byte == b'\n').take_while(|line| !line.is_empty());
        let value = |name: &[u8]| lines.clone().find_map(|line| line.strip_prefix(name));
        let tree = str::from_utf8(value(b"tree ")?).ok()?.to_owned();
        // `<name> <<address>> <seconds> <zone>`
        let seconds = || {
            let word = value(b"committer ")?.rsplit(|&byte| byte == b' ').nth(1)?;
            str::from_utf8(word).ok()?.parse::<i64>().ok()
        };
        Some(Self { tree, date: seconds().unwrap_or_default().clamp(0, LAST_DATE) })
    }
}
