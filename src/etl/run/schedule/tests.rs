//! Schedules told the time by hand.
#![allow(clippy::unwrap_used)]

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use super::*;

#[derive(Default)]
struct Told {
    busy: RefCell<BTreeSet<usize>>,
    ended: RefCell<BTreeSet<usize>>,
    begun: RefCell<Vec<usize>>,
    timed_out: Cell<u64>,
}

impl World for Told {
    fn lane(&self, lane: usize) -> Lane {
        if self.busy.borrow().contains(&lane) { Lane::Busy } else { Lane::Open }
    }
    fn has_ended(&self, pair: usize) -> bool {
        self.ended.borrow().contains(&pair)
    }
    fn begun(&self, pair: usize, _: Instant) {
        self.begun.borrow_mut().push(pair);
    }
    fn timed_out(&self, _: usize, events: u64) {
        self.timed_out.set(self.timed_out.get() + events);
    }
}

fn work(events: u64) -> Work {
    Work { events, batch: 10, environment: 0, lane: 0, alone: None, delay: Duration::ZERO, timeout: None }
}

fn schedule(pairs: Vec<Work>, at_once: u32, now: Instant) -> Schedule {
    Schedule::new(pairs, &[None, Some(100)], at_once, now)
}

fn claims(schedule: &mut Schedule, now: Instant, world: &Told) -> Vec<(usize, Range<u64>, u64)> {
    let mut claims = Vec::new();
    while let Next::Make(Claim { pair, range, turn }) = schedule.next(now, world) {
        claims.push((pair, range, turn));
    }
    claims
}

#[test]
fn pairs_at_work_take_turns_and_each_pair_counts_its_own_batches() {
    let (now, world) = (Instant::now(), Told::default());
    let mut schedule = schedule(vec![work(15), work(25)], 2, now);
    let expected = [(0, 0..10, 0), (1, 0..10, 0), (0, 10..15, 1), (1, 10..20, 1), (1, 20..25, 2)];
    assert_eq!(claims(&mut schedule, now, &world), expected);
    assert_eq!(schedule.next(now, &world), Next::AllClaimed);
}

#[test]
fn no_more_pairs_than_allowed_are_at_work_and_the_next_begins_when_one_has_ended() {
    let (now, world) = (Instant::now(), Told::default());
    let mut schedule = schedule(vec![work(5), work(5), work(5)], 2, now);
    assert_eq!(claims(&mut schedule, now, &world).len(), 2);
    assert_eq!(*world.begun.borrow(), [0, 1]);
    assert!(matches!(schedule.next(now, &world), Next::Wait(_)), "the third pair is still to come");
    world.ended.borrow_mut().insert(1);
    assert_eq!(claims(&mut schedule, now, &world), [(2, 0..5, 0)]);
}

#[test]
fn pairs_of_an_etl_that_is_not_parallel_follow_each_other_and_others_pass_them() {
    let (now, world) = (Instant::now(), Told::default());
    let alone = Work { alone: Some(0), ..work(5) };
    let mut schedule = schedule(vec![alone.clone(), alone, work(5)], 10, now);
    claims(&mut schedule, now, &world);
    assert_eq!(*world.begun.borrow(), [0, 2]);
    world.ended.borrow_mut().insert(0);
    claims(&mut schedule, now, &world);
    assert_eq!(*world.begun.borrow(), [0, 2, 1]);
}

#[test]
fn a_busy_connection_holds_its_own_pairs_only() {
    let (now, world) = (Instant::now(), Told::default());
    let mut schedule = schedule(vec![work(5), Work { lane: 1, ..work(5) }], 2, now);
    world.busy.borrow_mut().insert(0);
    assert_eq!(claims(&mut schedule, now, &world), [(1, 0..5, 0)]);
    world.busy.borrow_mut().clear();
    assert_eq!(claims(&mut schedule, now, &world), [(0, 0..5, 0)]);
}

#[test]
fn an_environments_rate_is_shared_by_its_pairs() {
    let (start, world) = (Instant::now(), Told::default());
    let limited = Work { environment: 1, ..work(1_000) };
    let mut schedule = schedule(vec![limited.clone(), limited], 2, start);
    let mut made = 0;
    for ms in 0..2_000 {
        let now = start + Duration::from_millis(ms);
        made += claims(&mut schedule, now, &world).iter().map(|(_, range, _)| range.end - range.start).sum::<u64>();
    }
    assert!((198..=201).contains(&made), "100 a second made {made} in 2 s");
}

#[test]
fn a_delay_makes_one_event_at_a_time_and_does_not_drift() {
    let (start, world) = (Instant::now(), Told::default());
    let mut schedule = schedule(vec![Work { delay: Duration::from_millis(10), ..work(1_000) }], 1, start);
    let mut made = 0;
    for step in 0..143 {
        let claims = claims(&mut schedule, start + Duration::from_millis(step * 7), &world);
        assert!(claims.iter().all(|(_, range, _)| range.end - range.start == 1));
        made += claims.len();
    }
    assert!((99..=100).contains(&made), "one in 10 ms made {made} in 1 s");
}

#[test]
fn a_pair_out_of_time_gives_up_what_is_left_and_makes_room() {
    let (start, world) = (Instant::now(), Told::default());
    let timed = Work { timeout: Some(Duration::from_secs(1)), ..work(25) };
    let mut schedule = schedule(vec![timed, work(5)], 1, start);
    assert!(matches!(schedule.next(start, &world), Next::Make(_)));
    let late = start + Duration::from_secs(1);
    assert_eq!(claims(&mut schedule, late, &world), [(1, 0..5, 0)]);
    assert_eq!(world.timed_out.get(), 15);
}

#[test]
fn giving_up_says_how_much_was_left() {
    let (now, world) = (Instant::now(), Told::default());
    let mut schedule = schedule(vec![work(25)], 1, now);
    schedule.next(now, &world);
    assert_eq!((schedule.give_up(0), schedule.give_up(0)), (15, 0));
    assert_eq!(schedule.next(now, &world), Next::AllClaimed);
}
