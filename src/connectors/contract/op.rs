//! What happens to a row in a result that changes, as a value and as the byte of a column.

/// What happens to a row in a result that changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i8)]
pub enum Op {
    /// A row appears.
    Insert = 0,
    /// A row disappears.
    Delete = 1,
    /// The old half of a replacement; its new half follows directly.
    UpdateBefore = 2,
    /// The new half of a replacement.
    UpdateAfter = 3,
}

impl Op {
    /// The op of a byte of an ops column; an unknown byte is an insert.
    pub fn of(byte: i8) -> Self {
        match byte {
            1 => Self::Delete,
            2 => Self::UpdateBefore,
            3 => Self::UpdateAfter,
            _ => Self::Insert,
        }
    }

    /// Whether the row counts (+1) or is taken back (-1).
    pub fn is_addition(self) -> bool {
        matches!(self, Self::Insert | Self::UpdateAfter)
    }
}
