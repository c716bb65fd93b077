//! How wide the columns of a grid are, and which of them are seen: by what was seen of their values, and where the cursor is.

use super::{GAP, Grid, GridCell, GridColumn, GridLook, LETTERS_MAX, grouped, is_ordered, shown, split};
use crate::ui::widgets::text;

/// Widest column while there are others, cells: a longer value is read in full by opening its row.
const COLUMN_CELLS_MAX: u16 = 36;
/// Widest type that a column is made wider for, cells.
const KIND_CELLS_MAX: u16 = 20;
/// Narrowest column.
const COLUMN_CELLS_MIN: u16 = 3;

/// What the values of a column need; it grows and never shrinks, so that columns do not jump while rows come.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Fit {
    pub words: u16,
    pub whole: u16,
    pub fraction: u16,
}

impl Fit {
    fn cells(self) -> u16 {
        self.words.max(self.whole + self.fraction)
    }
}

impl Grid {
    pub(super) fn fit<'v>(&mut self, columns: &[GridColumn], rows: usize, cell: impl Fn(usize, usize) -> GridCell<'v>) {
        self.fits.resize(columns.len(), Fit::default());
        for (column, fit) in self.fits.iter_mut().enumerate() {
            for row in 0..rows {
                let Some(value) = cell(row, column).text else {
                    fit.words = fit.words.max(4);
                    continue;
                };
                match columns[column].is_numeric {
                    true => {
                        let (whole, fraction) = split(value);
                        fit.whole = fit.whole.max(text::width(&grouped(whole)).min(LETTERS_MAX) as u16);
                        fit.fraction = fit.fraction.max(fraction.len().min(LETTERS_MAX) as u16);
                    }
                    false => fit.words = fit.words.max(text::width(&shown(value)).min(LETTERS_MAX) as u16),
                }
            }
        }
    }

    /// Where columns are drawn: index, offset, width. The cursor's is among them.
    pub(super) fn places(&mut self, look: GridLook<'_>, room: u16) -> Vec<(usize, u16, u16)> {
        let title = |column: usize| {
            text::width(&look.columns[column].title) as u16 + 2 * u16::from(is_ordered(look.order, column))
        };
        let least = |column: usize| {
            let fit = self.fits[column];
            fit.cells().max(title(column)).max(COLUMN_CELLS_MIN).min(COLUMN_CELLS_MAX.max(fit.whole + fit.fraction))
        };
        // The whole value, and a type that is not as long as those of structures are.
        let wish = |column: usize| {
            let kind = text::width(&look.columns[column].kind) as u16;
            self.fits[column].cells().max(title(column)).max(kind.min(KIND_CELLS_MAX))
        };
        let needed = |from: usize, to: usize| (from..=to).map(|column| least(column) + GAP).sum::<u16>() - GAP;
        let mut first = self.first.min(self.column);
        while first < self.column && room < needed(first, self.column) {
            first += 1;
        }
        // What fits again, where the view became wider, comes back.
        while first > 0 && needed(first - 1, look.columns.len() - 1) <= room {
            first -= 1;
        }
        let (mut places, mut offset) = (Vec::new(), 0);
        for column in first..look.columns.len() {
            let width = least(column);
            if room < offset + width {
                // A part of a column of words is better than a hole.
                let part = room.saturating_sub(offset);
                if places.is_empty() || (!look.columns[column].is_numeric && COLUMN_CELLS_MIN * 3 <= part) {
                    places.push((column, offset, part));
                }
                break;
            }
            places.push((column, offset, width));
            offset += width + GAP;
        }
        let wishes: Vec<u16> = places.iter().map(|(column, ..)| wish(*column)).collect();
        let end = places.last().map_or(0, |(_, offset, width)| offset + width);
        let (mut left, mut moved) = (room.saturating_sub(end), 0);
        for (place, wish) in places.iter_mut().zip(wishes) {
            place.1 += moved;
            let more = wish.saturating_sub(place.2).min(left);
            (place.2, left, moved) = (place.2 + more, left - more, moved + more);
        }
        self.first = first;
        places
    }
}
