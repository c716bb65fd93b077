//! Marks: what is lifted off a query leaves one in the plain SQL, where the planner that it is for finds it and takes it away.
//! Their names stand here alone; nobody writes them.

/// A function that is no function: it says something of the join or of the OVER that it stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// `WITHIN` of a join, a conjunct of its condition beside two columns of its equality (or of its condition).
    Within,
    /// `FOR SYSTEM_TIME AS OF column`, in the condition of the join beside the two columns of its equality, so that the
    /// column is there when the join is planned.
    AsOf,
    /// `ROWS WINDOW BUFFER`, first in the PARTITION BY of its OVER. Its arguments are rows, 1 when it emits only when full,
    /// and milliseconds of silence after which it is empty or -1.
    Buffer,
}

impl Mark {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Within, Self::AsOf, Self::Buffer];

    /// The name of the function.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Within => "__within",
            Self::AsOf => "__as_of",
            Self::Buffer => "__buffer",
        }
    }

    /// The function with its arguments.
    pub const fn syntax(self) -> &'static str {
        match self {
            Self::Within => "__within(left, right, before_ms, after_ms)",
            Self::AsOf => "__as_of(column, left, right)",
            Self::Buffer => "__buffer(rows, when_full, silence_ms)",
        }
    }

    /// Whether a function of this name is the mark.
    pub fn is(self, function: &str) -> bool {
        function.eq_ignore_ascii_case(self.name())
    }

    /// Whether a function of this name is any mark.
    pub fn is_any(function: &str) -> bool {
        Self::ALL.into_iter().any(|mark| mark.is(function))
    }
}

/// What the alias of a windowed relation begins with.
const WINDOW: &str = "__window_";

/// The alias that marks the parenthesised relation that window `index` of [`StreamQuery::windows`] applies to.
///
/// [`StreamQuery::windows`]: super::statement::StreamQuery::windows
pub fn window_alias(index: usize) -> String {
    format!("{WINDOW}{index}")
}

/// The number of the window that an alias marks.
pub fn window_of(alias: &str) -> Option<usize> {
    alias.strip_prefix(WINDOW)?.parse().ok()
}
