//! Pane 4: picking, reading, holding, filtering, looking closer, sending again; flood and sizes.

use velox::app::action::{Action, PaneId, ResendRequest, Search, TailRequest};
use velox::app::effect::Effect;
use velox::app::fact::Fact;
use velox::app::model::environments::TopicRow;
use velox::app::model::tails::TAIL_RECORDS_MAX;
use velox::core::fault::{Blame, Fault};
use velox::core::job::{JobId, Phase, TailCounts, Update};
use velox::core::record::{Record, Scan, StartAt};
use velox::sql::predicate::Predicate;

use crate::stage::{NOON_MS, Stage};

/// The second job: the sandbox makes its own events as the first.
const TAIL: JobId = JobId(2);

/// An order as the sandbox makes them.
pub fn order(offset: i64) -> Record {
    let value = format!(
        "{{\"eventType\":\"ORDER_PLACED\",\"orderId\":\"ORD-{offset:06}\",\"amount\":{}.50,\"lines\":[{{\"sku\":\"A-{}\",\"quantity\":2}}]}}",
        100 + offset % 900,
        offset % 7
    );
    Record {
        topic: "sandbox.orders.v1".into(),
        partition: (offset % 3) as i32,
        offset,
        timestamp_ms: Some(NOON_MS - 5_000 + offset * 10),
        key: Some(format!("CUST-{:05}", offset % 17).into_bytes()),
        value_bytes: value.len(),
        value: Some(value.into_bytes()),
        headers: vec![
            ("X-Correlation-ID".into(), Some(b"0b9f8a52-77c1-4b5e-9d2a-0f6f1f1f2a10".to_vec())),
            ("X-Environment".into(), Some(b"sandbox".to_vec())),
        ],
    }
}

pub fn records(stage: &mut Stage, records: Vec<Record>) {
    stage.apply(Fact::Job(Update::Records { job: TAIL, records, skipped: 0 }));
}

fn counted(stage: &mut Stage, read: u64) {
    let counts = TailCounts { read, bytes: read * 120, matched: read, lag: Some(0), left: None };
    stage.apply(Fact::Job(Update::Tail(TAIL, counts)));
}

pub fn phase(stage: &mut Stage, phase: Phase) {
    stage.apply(Fact::Job(Update::Phase(TAIL, phase)));
}

/// A console that reads orders, with so many in view.
pub fn reading(count: i64) -> Stage {
    let mut stage = Stage::new();
    let topics = vec!["sandbox.orders.v1".into()];
    stage.act(Action::OpenTail(TailRequest {
        environment: "sandbox".into(),
        topics,
        start: StartAt::Last(10),
        search: None,
        partitions: Vec::new(),
    }));
    phase(&mut stage, Phase::Running);
    records(&mut stage, (0..count).map(order).collect());
    counted(&mut stage, count as u64);
    stage.model.note = None;
    stage.effects.clear();
    stage
}

pub fn topics(stage: &mut Stage) {
    let topics = ["sandbox.audit.v1", "sandbox.customer.updates.v1", "sandbox.orders.v1", "sandbox.payments.v1"]
        .map(|name| TopicRow { name: name.into(), partitions: 3 });
    stage.apply(Fact::Topics { environment: "sandbox".into(), topics: Ok(topics.to_vec()) });
}

#[test]
fn on_the_smallest_screen_topics_are_seen_and_every_pane_has_its_tab() {
    let mut stage = Stage::new();
    stage.act(Action::Focus(PaneId::Tail));
    topics(&mut stage);
    stage.act(Action::Say(velox::app::model::Note::plain(
        "customer_update done: 50 acknowledged, 0 failed, 0 not sent",
    )));
    stage.text(60, 15);
    stage.press("n");
    let text = stage.text(60, 15);
    assert!(text.contains("sandbox.audit.v1") && text.contains("Start at"), "{text}");
    stage.press("Esc");
    stage.act(Action::Focus(PaneId::Jobs));
    let text = stage.text(60, 15);
    assert!(text.contains(" 6 Jobs ") && text.contains(" 1 ─ 2 ─ 3 ─ 4 ─ 5 "), "{text}");
}

#[test]
fn the_pane_fits_every_size() {
    for (width, height) in [(80, 24), (120, 40), (200, 60), (59, 14)] {
        let mut stage = reading(40);
        insta::assert_snapshot!(format!("tail_{width}x{height}"), stage.text(width, height));
    }
}

#[test]
fn styles_say_what_is_focused_selected_and_muted() {
    let mut stage = reading(12);
    stage.press("/").types("cust-00003").press("Enter");
    insta::assert_snapshot!("tail_styles_80x24", stage.styles(80, 24));
}

#[test]
fn a_topic_is_picked_by_a_few_letters_and_read_from_where_one_wants() {
    let mut stage = Stage::new();
    stage.act(Action::Focus(PaneId::Tail));
    assert!(stage.text(80, 24).contains("n picks topics of sandbox."));
    stage.press("n");
    assert!(stage.effects.contains(&Effect::ListTopics("sandbox".into())));
    assert!(stage.text(80, 24).contains("asking the brokers of sandbox for topics since"));
    topics(&mut stage);
    insta::assert_snapshot!("tail_picker_80x24", stage.text(80, 24));
    stage.types("ord").press("Tab Right Enter");
    let asked = stage.effects.iter().find_map(|effect| match effect {
        Effect::StartTail { tail, .. } => Some(tail.clone()),
        _ => None,
    });
    let topics = vec!["sandbox.orders.v1".to_owned()];
    assert_eq!(
        asked,
        Some(TailRequest {
            environment: "sandbox".into(),
            topics,
            start: StartAt::End,
            search: None,
            partitions: Vec::new()
        })
    );
}

#[test]
fn a_refused_list_of_topics_says_why() {
    let mut stage = Stage::new();
    stage.act(Action::Focus(PaneId::Tail));
    stage.press("n");
    let fault = Fault::new(Blame::Authentication, "the broker refused the password").next("set KAFKA_QA_PASSWORD");
    stage.apply(Fact::Topics { environment: "sandbox".into(), topics: Err(fault) });
    let text = stage.text(120, 40);
    assert!(text.contains("topics cannot be had: the broker refused the password"), "{text}");
}

#[test]
fn holding_the_view_goes_on_reading_and_says_how_many_came() {
    let mut stage = reading(5);
    stage.press("Space");
    records(&mut stage, (5..1_209).map(order).collect());
    counted(&mut stage, 1_209);
    let held = stage.text(120, 40);
    assert!(held.contains("‖ held, 1,204 came since"), "{held}");
    assert!(held.contains("read 1,209 · matched 1,209 · shown 5 · not shown 1,204"), "{held}");
    assert!(held.contains("ORD-000004") && !held.contains("ORD-000005"), "{held}");
    stage.press("Space");
    let released = stage.text(120, 40);
    assert!(released.contains("shown 1,209 · not shown 0") && released.contains("ORD-001208"), "{released}");
}

#[test]
fn following_stops_when_one_looks_back_and_goes_on_at_the_end() {
    let mut stage = reading(50);
    assert!(stage.text(80, 24).contains("follow (50/50)"));
    stage.press("k");
    records(&mut stage, (50..60).map(order).collect());
    let text = stage.text(80, 24);
    assert!(text.contains("(49/60)") && !text.contains("follow (") && text.contains("ORD-000048"), "{text}");
    stage.press("G");
    records(&mut stage, (60..61).map(order).collect());
    assert!(stage.text(80, 24).contains("follow (61/61)"));
    stage.press("f k");
    assert!(!stage.text(80, 24).contains("follow ("));
}

#[test]
fn the_filter_works_while_typing_and_says_of_how_many() {
    let mut stage = reading(40);
    stage.text(80, 24);
    stage.press("/").types("cust-00003 a-6");
    let text = stage.text(120, 40);
    assert!(text.contains("1 of 40 in memory") && text.contains("ORD-000020"), "{text}");
    stage.press("Backspace").types("9");
    let text = stage.text(120, 40);
    assert!(text.contains("none of the 40 records in memory holds `cust-00003 a-9`"), "{text}");
    stage.press("Esc");
    assert!(stage.text(120, 40).contains("(40/40)"));
}

#[test]
fn the_value_is_looked_at_folded_and_in_other_forms() {
    let mut stage = reading(3);
    assert!(stage.text(120, 40).contains("auto: json"));
    stage.press("Enter Down Down Down Down Enter");
    let folded = stage.text(120, 40);
    assert!(folded.contains("▸   \"lines\": [ 1 item ]"), "{folded}");
    stage.press("v v");
    assert!(stage.text(120, 40).contains("B  text"));
    stage.press("v");
    assert!(stage.text(120, 40).contains("00000000  7b 22 65"));
    stage.press("Esc y");
    assert!(matches!(stage.effects.last(), Some(Effect::Copy(text)) if text.starts_with("00000000  7b 22")));
    stage.press("Y");
    assert!(matches!(stage.effects.last(), Some(Effect::Copy(line)) if line.contains("\"orderId\":\"ORD-000002\"")));
}

#[test]
fn a_huge_message_shows_its_head_and_its_size() {
    let mut stage = reading(0);
    let mut huge = order(1);
    huge.value = Some(vec![b'{'; 64 << 10]);
    huge.value_bytes = 50_000_000;
    records(&mut stage, vec![huge]);
    let text = stage.text(120, 40);
    assert!(text.contains("auto: text  first 65.5 KB of 50 MB"), "{text}");
    stage.press("P");
    assert!(stage.text(120, 40).contains("this record cannot be sent from here"));
}

#[test]
fn every_state_says_since_when_and_what_to_do() {
    let mut stage = reading(0);
    stage.model.note = None;
    assert!(stage.text(120, 40).contains("nothing on sandbox.orders.v1 yet: new records appear here"));
    records(&mut stage, vec![order(1)]);
    let fault = Fault::new(Blame::Connection, "broker qa-1:9093 does not answer");
    phase(&mut stage, Phase::Reconnecting { fault: fault.clone(), attempt: 0 });
    stage.apply(Fact::Tick { now_ms: NOON_MS + 12_000 });
    let text = stage.text(120, 40);
    assert!(text.contains("reconnecting for 12 s: broker qa-1:9093 does not answer"), "{text}");
    assert!(text.contains("ORD-000001"), "the pane keeps its data\n{text}");
    phase(&mut stage, Phase::Failed(fault));
    assert!(stage.text(120, 40).contains("✖ failed now: broker qa-1:9093"));
    stage.press("R");
    assert!(matches!(stage.effects.last(), Some(Effect::StartTail { .. })), "{:?}", stage.effects);
}

#[test]
fn a_record_is_sent_again_and_a_guard_asks_first() {
    let mut stage = reading(3);
    stage.text(80, 24);
    stage.press("P");
    insta::assert_snapshot!("tail_resend_80x24", stage.text(80, 24));
    stage.press("Enter");
    let is_sent = |effect: &Effect| matches!(effect, Effect::StartResend { resend: ResendRequest { environment, .. }, .. } if environment == "sandbox");
    assert!(stage.effects.iter().any(is_sent), "{:?}", stage.effects);
    stage.effects.clear();
    stage.act(Action::Focus(PaneId::Tail));
    stage.press("P Left Enter");
    assert!(stage.effects.is_empty() && stage.model.confirmation.is_some(), "prod asks: {:?}", stage.effects);
}

#[test]
fn an_export_holds_what_is_shown() {
    let mut stage = reading(40);
    stage.text(80, 24);
    stage.press("/").types("cust-00003").press("Enter");
    stage.text(80, 24);
    stage.press("o");
    let Some(Effect::Export(export)) = stage.effects.last() else { panic!("{:?}", stage.effects) };
    assert_eq!((export.name.as_str(), export.ending.as_str()), ("sandbox.orders.v1", "jsonl"));
    assert_eq!(export.text.lines().count(), 3);
}

#[test]
fn a_million_records_leave_two_thousand_and_every_one_is_counted() {
    let mut stage = reading(0);
    let mut made = 0;
    while made < 1_000_000 {
        records(&mut stage, (made..made + 500).map(order).collect());
        made += 500;
        // A frame a batch of the feed: what a frame costs is what is seen, so a thousand of them take no time.
        if made % 100_000 == 0 {
            counted(&mut stage, made as u64);
            stage.drawn(120, 40);
        }
    }
    let tail = &stage.model.tails[&TAIL];
    assert_eq!((tail.records.len(), tail.records.dropped()), (TAIL_RECORDS_MAX, 1_000_000 - TAIL_RECORDS_MAX as u64));
    let text = stage.text(120, 40);
    assert!(text.contains("read 1,000,000 · matched 1,000,000 · shown 2,000 · not shown 998,000"), "{text}");
    assert!(text.contains("ORD-999999"), "{text}");
}

#[test]
fn the_mouse_chooses_a_record_and_the_detail() {
    let mut stage = reading(5);
    stage.text(120, 40);
    stage.click(10, 5);
    let text = stage.text(120, 40);
    assert!(text.contains("(2/5)"), "{text}");
    assert!(text.contains("offset 1") && !text.contains("follow ("), "{text}");
}

fn asked(stage: &Stage) -> Option<Option<Search>> {
    stage.effects.iter().rev().find_map(|effect| match effect {
        Effect::StartTail { tail, .. } => Some(tail.search.clone()),
        _ => None,
    })
}

fn search(condition: &str, whole: bool) -> Option<Search> {
    Some(Search { condition: condition.into(), whole })
}

#[test]
fn a_condition_reads_the_tail_again_and_a_wrong_one_says_why_before_anything_is_read() {
    let mut stage = reading(5);
    stage.press("w").types("uper(state) = 'x'").press("Enter");
    let refused = stage.text(120, 40);
    assert!(refused.contains("there is no function `uper`; did you mean `upper`?"), "{refused}");
    assert!(asked(&stage).is_none(), "{:?}", stage.effects);
    stage.press("Ctrl+U").types("amount > 100").press("Enter");
    assert_eq!(asked(&stage), Some(search("amount > 100", false)));
    assert!(stage.effects.contains(&Effect::StopJob(TAIL)), "the tail without a condition ends");
    assert!(stage.text(120, 40).contains("where amount > 100"), "the head says what is looked for");
    stage.press("w Esc");
    assert_eq!(asked(&stage), Some(search("amount > 100", false)), "Esc in the line leaves the condition");
    stage.press("Esc");
    assert_eq!(asked(&stage), Some(None), "Esc in the list takes it away");
}

#[test]
fn a_condition_is_looked_at_while_it_is_typed_and_what_it_will_read_is_said() {
    let mut stage = reading(5);
    stage.press("w");
    let Some(Effect::SurveyTail { request, tail }) = stage.effects.last().cloned() else {
        panic!("{:?}", stage.effects)
    };
    assert!(stage.text(80, 24).contains("asking the brokers how much there is to read"));
    let scan = Scan { topic: "sandbox.orders.v1".into(), partitions: 3, records: 30 };
    stage.apply(Fact::TailSurveyed { request, outcome: Ok(vec![scan]) });
    assert_eq!(tail.reads_from(), StartAt::Last(104), "what was collected is read again");
    stage.types("amount > (1");
    insta::assert_snapshot!("tail_where_80x24", stage.text(80, 24));
    let Some(Effect::CheckCondition { request, condition }) = stage.effects.last().cloned() else { panic!("asked") };
    assert_eq!(condition, "amount > (1");
    let outcome = Predicate::compile(&condition).map(drop);
    assert!(outcome.is_err());
    stage.apply(Fact::ConditionChecked { request, outcome });
    insta::assert_snapshot!("tail_where_wrong_styles_80x24", stage.styles(80, 24));
    stage.types(")");
    assert!(stage.text(80, 24).contains("Enter reads 30 records in 3 partitions"), "what is changed is not wrong yet");
}

#[test]
fn a_search_of_everything_says_how_far_it_is_and_ends() {
    let mut stage = reading(5);
    stage.press("W").types("amount > 100").press("Enter");
    assert_eq!(asked(&stage), Some(search("amount > 100", true)));
    let Some(Effect::StartTail { job, tail }) = stage.effects.last().cloned() else { panic!("{:?}", stage.effects) };
    assert_eq!(tail.reads_from(), StartAt::Beginning);
    let tell = |stage: &mut Stage, phase| stage.apply(Fact::Job(Update::Phase(job, phase)));
    let count = |stage: &mut Stage, read, left| {
        let counts = TailCounts { read, matched: 3, left: Some(left), ..TailCounts::default() };
        stage.apply(Fact::Job(Update::Tail(job, counts)));
    };
    tell(&mut stage, Phase::Running);
    for second in 0..=10 {
        count(&mut stage, second * 1_000, 40_000 - second * 1_000);
        stage.apply(Fact::Tick { now_ms: NOON_MS + second as i64 * 1_000 });
    }
    let text = stage.text(120, 40);
    assert!(text.contains("searching 1k/s, 25 %, 30 s left"), "{text}");
    assert!(text.contains("all there is  where amount > 100"), "{text}");
    count(&mut stage, 40_000, 0);
    tell(&mut stage, Phase::Done);
    let text = stage.text(120, 40);
    assert!(text.contains("searched all there was, now"), "{text}");
    assert!(text.contains("read 40,000 · matched 3"), "{text}");
    stage.press("Esc");
    assert_eq!(asked(&stage), Some(None));
}
