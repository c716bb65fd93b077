//! `EMIT CHANGES`, `EMIT FINAL`, `EMIT ON WINDOW CLOSE`, `EMIT EVERY INTERVAL …`.

use super::cursor::Cursor;
use super::duration::duration;
use super::statement::{Diagnostic, Emit};

/// What stands behind EMIT.
pub(super) fn read(cursor: &mut Cursor<'_>) -> Result<Emit, Diagnostic> {
    if cursor.take(&["CHANGES"]) {
        return Ok(Emit::Changes);
    }
    if cursor.take(&["FINAL"]) || cursor.take(&["ON", "WINDOW", "CLOSE"]) {
        return Ok(Emit::Final);
    }
    if cursor.take(&["EVERY"]) {
        let span = cursor.span();
        return match duration(cursor)? {
            Some(every) if !every.is_zero() => Ok(Emit::Every(every)),
            Some(_) => Err(cursor.source.diagnostic(
                span,
                "EMIT EVERY needs a length of time above zero",
                "write EMIT EVERY 1s",
            )),
            None => Err(cursor.missing("a length of time", "write EMIT EVERY INTERVAL '1' SECOND or EMIT EVERY 1s")),
        };
    }
    Err(cursor.expected_one_of(&["CHANGES", "FINAL", "ON WINDOW CLOSE", "EVERY"]))
}
