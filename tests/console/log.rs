//! The log: level, what belongs together, the audit, and the way back.

use insta::assert_snapshot;
use velox::app::action::PaneId;
use velox::app::fact::Fact;
use velox::app::model::audit::AuditEntry;
use velox::app::model::log::{Level, LogLine};
use velox::core::job::JobId;

use crate::stage::{NOON_MS, Stage};

pub fn logged() -> Stage {
    let mut stage = Stage::new();
    let line = |at, level, job: Option<u64>, correlation: Option<&str>, message: &str| LogLine {
        at_ms: NOON_MS + at,
        level,
        target: "velox::job".into(),
        message: message.into(),
        correlation: correlation.map(ToOwned::to_owned),
        job: job.map(JobId),
    };
    let lines = vec![
        line(40, Level::Info, Some(2), None, "running"),
        line(50, Level::Debug, None, None, "only seen at DEBUG"),
        line(60, Level::Info, None, Some("0b9f-17"), "event rendered"),
        line(70, Level::Info, None, Some("0b9f-17"), "event sent"),
        line(80, Level::Warn, Some(2), None, "left out: customer_update to qa: it has no topic there"),
        line(90, Level::Error, Some(1), None, "panicked: index out of bounds"),
    ];
    stage.apply(Fact::Log { lines, skipped: 3 });
    let entry = |result: &str| AuditEntry {
        at_ms: NOON_MS,
        environment: "prod".into(),
        what: "run customer_update, 1000 events each".into(),
        result: result.into(),
    };
    stage.apply(Fact::Audited(entry("started")));
    stage.apply(Fact::Audited(entry("refused: `prod` is read-only")));
    stage.press("Ctrl+L");
    stage
}

#[test]
fn the_log_fits_every_size() {
    for (width, height) in [(80, 24), (120, 40), (200, 60)] {
        assert_snapshot!(format!("log_{width}x{height}"), logged().text(width, height));
    }
    assert_snapshot!("log_styles_80x24", logged().styles(80, 24));
}

#[test]
fn a_level_hides_what_is_less_grave_and_counts_what_is_in_the_file_only() {
    let mut stage = logged();
    let all = stage.text(120, 40);
    assert!(all.contains("event sent") && !all.contains("only seen at DEBUG"), "{all}");
    assert!(all.contains("3 older lines are in the file"), "{all}");
    let warnings = stage.press("v").text(120, 40);
    assert!(warnings.contains("left out") && !warnings.contains("event sent"), "{warnings}");
}

#[test]
fn what_belongs_to_one_correlation_is_shown_alone_and_esc_shows_all_again() {
    let mut stage = logged();
    stage.text(120, 40);
    stage.press("g j");
    let alone = stage.press("c").text(120, 40);
    assert!(alone.contains("event rendered") && alone.contains("event sent"), "{alone}");
    assert!(!alone.contains("left out"), "{alone}");
    assert!(stage.press("Esc").text(120, 40).contains("left out"));
    stage.press("Esc");
    assert_eq!(stage.model.focus, PaneId::Environments, "the second Esc goes back to the pane before");
}

#[test]
fn the_audit_shows_every_change_and_refusal_newest_first() {
    let mut stage = logged();
    stage.text(120, 40);
    let audit = stage.press("a").text(120, 40);
    let (refused, started) = (audit.find("refused"), audit.find("started"));
    assert!(refused.is_some() && refused < started, "{audit}");
    let keys = audit.lines().last().unwrap_or_default();
    assert!(!keys.contains("level") && keys.contains("Esc back"), "only keys that act here: {keys}");
    assert!(stage.press("Esc").text(120, 40).contains("level INFO"));
}
