//! Tables of SQL expressions and what they give.
