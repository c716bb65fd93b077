//! What is asked and said of deployed jobs, in words. Pure.

use super::Wanted;

/// Letters of a statement in a question: enough to recognise it.
const STATEMENT_LETTERS_MAX: usize = 400;

/// A statement on one line, its end left out where it is long.
pub fn shortened(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(STATEMENT_LETTERS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// What is asked before it is done.
pub fn question(wanted: Wanted) -> &'static str {
    match wanted {
        Wanted::Stop | Wanted::StopAtOnce => "Stop this job?",
        Wanted::Pause => "Pause this job?",
        Wanted::GoOn | Wanted::Restart => "Let this job go on?",
        Wanted::Scratch => "Begin this job from scratch?",
        Wanted::Drop => "Drop this job?",
    }
}

/// What it does, behind the name of the job.
pub fn said(wanted: Wanted) -> &'static str {
    match wanted {
        Wanted::Stop => "writes a savepoint and stops",
        Wanted::StopAtOnce => "stops at once; it goes on from its last checkpoint another time",
        Wanted::Pause => "writes a savepoint and waits",
        Wanted::GoOn => "goes on where it waits",
        Wanted::Restart => "goes on from its last checkpoint",
        Wanted::Scratch => "forgets its checkpoints and begins anew: what it wrote stays, and is written again",
        Wanted::Drop => "is forgotten with its checkpoints; what it wrote stays",
    }
}
