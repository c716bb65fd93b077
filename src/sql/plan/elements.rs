//! What a plan says of rows that stand beside the elements of their arrays. Values only.

use super::stream::Expression;

/// Rows beside the elements of their arrays. Of several arrays the elements of one place stand side by side, NULL where one
/// is shorter.
#[derive(Debug, Clone)]
pub struct UnnestNode {
    /// Arrays and maps over the input.
    pub arrays: Vec<UnnestArray>,
    /// The columns of the output.
    pub columns: Vec<UnnestColumn>,
    /// A row without elements stays, with NULL in their place.
    pub is_outer: bool,
}

/// An array whose elements become rows.
#[derive(Debug, Clone)]
pub struct UnnestArray {
    /// The array.
    pub array: Expression,
    /// How many arrays stand one in the other down to the elements, at least 1.
    pub depth: usize,
}

/// A column behind the elements of arrays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnnestColumn {
    /// A column of the input.
    Carried(usize),
    /// A field of a column of the input, which is a struct.
    CarriedField(usize, usize),
    /// The element, of the array of this number.
    Element(usize),
    /// A field of the element: the array's number, and the field's.
    Field(usize, usize),
    /// The element's place in its array, from 1.
    Ordinality,
}
