//! Which columns say what window a row is in, which of them a key can do without, and what a key lacks. Pure.

use std::time::Duration;

use crate::sql::parse::statement::WindowKind;

/// Columns that say which window a row is in; one of them may not be carried on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowColumns {
    /// Where it begins.
    pub start: Option<usize>,
    /// Where it ends.
    pub end: Option<usize>,
    /// What windows they are.
    pub kind: WindowKind,
}

/// Which bounds tell a window from the others of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToldBy {
    /// Either: windows of one size that do not begin together do not end together.
    Either,
    /// Where it ends: cumulating windows begin together and end one after the other.
    End,
    /// Both: sessions have no size.
    Both,
}

impl WindowColumns {
    /// Which of the bounds tell a window.
    pub fn told_by(&self) -> ToldBy {
        match self.kind {
            WindowKind::Tumbling { .. } | WindowKind::Hopping { .. } => ToldBy::Either,
            WindowKind::Cumulating { .. } => ToldBy::End,
            WindowKind::Session { .. } => ToldBy::Both,
        }
    }

    /// How long a window is, where it is one of the others as soon as they begin together.
    pub fn size_if_told_by_start(&self, others: &Self) -> Option<Duration> {
        match self.kind {
            WindowKind::Tumbling { size, .. } | WindowKind::Hopping { size, .. } if self.kind == others.kind => {
                Some(size)
            }
            _ => None,
        }
    }

    /// The same bounds at other places, where one of them has any.
    pub fn moved(self, place: impl Fn(usize) -> Option<usize>) -> Option<Self> {
        let (start, end) = (self.start.and_then(&place), self.end.and_then(&place));
        (start.is_some() || end.is_some()).then_some(Self { start, end, ..self })
    }

    /// Of a key that has both bounds, whether it can do without this one.
    fn is_spare(&self, column: usize, (start, end): (usize, usize), place: impl Fn(usize) -> Option<usize>) -> bool {
        match self.told_by() {
            ToldBy::Either if column == end => place(start).is_some(),
            ToldBy::Either | ToldBy::End => column == start && place(end).is_some(),
            ToldBy::Both => false,
        }
    }
}

/// A key whose columns have moved to other places, or the columns without which it is none.
///
/// # Errors
/// What it lacks. Of a window's bounds that is one, where one is enough.
pub fn moved_key(
    key: &[usize],
    window: Option<WindowColumns>,
    place: impl Fn(usize) -> Option<usize>,
) -> Result<Vec<usize>, Vec<usize>> {
    let both = window.and_then(|window| Some((window, (window.start?, window.end?))));
    let both = both.filter(|(_, (start, end))| key.contains(start) && key.contains(end));
    let (mut moved, mut lacks) = (Vec::new(), Vec::new());
    for column in key {
        match place(*column) {
            Some(place) => moved.push(place),
            None if both.is_some_and(|(window, bounds)| window.is_spare(*column, bounds, &place)) => {}
            None => lacks.push(*column),
        }
    }
    if lacks.is_empty() {
        return Ok(moved);
    }
    if let Some((window, (start, end))) = both.filter(|(_, (_, end))| lacks.contains(end)) {
        match window.told_by() {
            ToldBy::Either => lacks.retain(|column| *column != end),
            ToldBy::End => lacks.retain(|column| *column != start),
            ToldBy::Both => {}
        }
    }
    Err(lacks)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key `k, window_start, window_end` of windows, of which only these columns stay.
    fn kept(kind: WindowKind, stay: &[usize]) -> Result<Vec<usize>, Vec<usize>> {
        let window = WindowColumns { start: Some(1), end: Some(2), kind };
        moved_key(&[0, 1, 2], Some(window), |column| stay.iter().position(|kept| *kept == column))
    }

    #[test]
    fn a_key_can_do_without_a_bound_that_the_other_one_tells() {
        let minute = Duration::from_secs(60);
        let tumbling = WindowKind::Tumbling { size: minute, offset: Duration::ZERO };
        let cumulating = WindowKind::Cumulating { size: 2 * minute, step: minute };
        let session = WindowKind::Session { gap: minute };
        for (kind, stay, expected) in [
            (tumbling, &[1, 0][..], Ok(vec![1, 0])),
            (tumbling, &[0, 2], Ok(vec![0, 1])),
            (tumbling, &[0, 1, 2], Ok(vec![0, 1, 2])),
            (tumbling, &[1], Err(vec![0])),
            (tumbling, &[0], Err(vec![1])),
            (WindowKind::Hopping { size: 2 * minute, advance: minute }, &[0, 1], Ok(vec![0, 1])),
            (cumulating, &[0, 2], Ok(vec![0, 1])),
            (cumulating, &[0, 1], Err(vec![2])),
            (cumulating, &[0], Err(vec![2])),
            (session, &[0, 1], Err(vec![2])),
            (session, &[0], Err(vec![1, 2])),
        ] {
            assert_eq!(kept(kind, stay), expected, "{kind:?} {stay:?}");
        }
    }

    #[test]
    fn a_bound_is_not_spared_where_the_key_has_only_one() {
        let kind = WindowKind::Hopping { size: Duration::from_secs(2), advance: Duration::from_secs(1) };
        let window = WindowColumns { start: Some(1), end: Some(2), kind };
        let place = |column: usize| (column != 1).then_some(column);
        assert_eq!(moved_key(&[0, 1], Some(window), place), Err(vec![1]));
    }
}
