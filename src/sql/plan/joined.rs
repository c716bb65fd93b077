//! What a plan says of joins: which rows meet, and how long they wait for each other. Values only.

use std::time::Duration;

use datafusion_common::JoinType;

use super::stream::Expression;

/// A join.
#[derive(Debug, Clone)]
pub struct JoinNode {
    /// Any kind: inner, the outer three, semi, anti and mark of either side. A mark adds a boolean column (not null)
    /// behind the columns of its side.
    pub join_type: JoinType,
    /// Equal keys: over the left, over the right.
    pub on: Vec<(Expression, Expression)>,
    /// What else must hold, over the columns of left and right side by side.
    pub filter: Option<Expression>,
    /// How long rows wait for their partners.
    pub bound: JoinBound,
    /// What `IN` is not FALSE of, a semi, anti or mark join of one key: a NULL on either side meets every row of the
    /// other, for it may be equal.
    pub null_aware: bool,
    /// Sides whose rows have only the time at which they were read, while those of the other have their own: a pair has
    /// the other's alone.
    pub undated: [bool; 2],
    /// `IS NOT DISTINCT FROM` keys (INTERSECT, EXCEPT): NULL meets NULL. Otherwise a NULL key meets nothing.
    pub nulls_equal: bool,
}

/// Both sides of a join are over at some time: rows wait for it. A quarter of the range, so that sums of it stay in range.
pub const UNTIL_THE_END_MS: i64 = i64::MAX / 4;

/// How long rows of a join wait for partners.
#[derive(Debug, Clone)]
pub enum JoinBound {
    /// Stream with stream: `right.time` lies in `[left.time - before, left.time + after]`, milliseconds.
    Interval {
        /// How much older the right row may be.
        before_ms: i64,
        /// How much younger.
        after_ms: i64,
        /// Time over the left where it is not the event time.
        left_time: Option<Expression>,
        /// Time over the right where it is not the event time.
        right_time: Option<Expression>,
    },
    /// Windows on both sides with equal bounds: state goes when the window closes. The positions of `window_end` on
    /// the left and on the right.
    Window {
        /// Column of the left.
        left_end: usize,
        /// Column of the right.
        right_end: usize,
    },
    /// Left is a stream, right a table: a left row meets the table's newest row of its key, as of its arrival.
    StreamTable,
    /// Left is a stream, right a versioned table: a left row meets the version as of its event time, or as of an earlier
    /// one that it carries.
    Temporal {
        /// The earlier time, where it is that.
        as_of: Option<AsOf>,
    },
    /// Left is a stream, right a table that somebody else keeps: a left row meets the rows that the table had when it was
    /// read last. The right is read whole, beside the stream, and no state of the job.
    Lookup(FullCache),
    /// Both change: the result is a changelog; rows stay for as long as `state_ttl` says, or the job runs.
    Updating,
}

/// A time that rows carry beside their own.
#[derive(Debug, Clone)]
pub struct AsOf {
    /// It, over the columns of the left; a row that has NULL there meets no version.
    pub time: Expression,
    /// How much earlier than the row it may be, milliseconds: versions are kept for so much longer.
    pub behind_ms: i64,
}

/// A table that is held whole in memory to be looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FullCache {
    /// How long after a reading it is read again; `None` for once, at the start.
    pub reload: Option<Duration>,
}
