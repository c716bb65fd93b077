//! A runner that is told to stop, to wait and to leave: what it writes, and what it says of it.

#![allow(clippy::unwrap_used)]

use super::super::prepare;
use super::*;
use crate::connectors::contract::Context;
use crate::connectors::options::Options;
use crate::connectors::registry::builtin;

/// A job without an end.
const SQL: &str = "CREATE SINK nowhere WITH ('connector' = 'discard');
INSERT INTO nowhere SELECT auction, price FROM 'generator://nexmark/bid?rate=200'";

fn session() -> Result<Session, Fault> {
    let context = Context { kafka: None, absent: None, folder: ".".into() };
    Ok(Session::new(builtin(), context, Default::default(), ("discard".to_owned(), Options::default())))
}

/// A job that nobody runs yet, and what orders it about and hears it.
struct Stage {
    place: tempfile::TempDir,
    shelf: Shelf,
    orders: watch::Sender<Order>,
    hears: mpsc::Receiver<Told>,
}

/// What opens a session.
type Opening = fn() -> Result<Session, Fault>;

fn stage() -> (Stage, Runner<Opening>) {
    stage_of(SQL)
}

fn stage_of(sql: &str) -> (Stage, Runner<Opening>) {
    let place = tempfile::tempdir().unwrap();
    let shelf = Shelf::new(place.path());
    let definition = Definition {
        statement: 1,
        checkpoint_interval_ms: 3_600_000,
        created_ms: 1,
        ..Definition::new("count", "sandbox", sql)
    };
    shelf.add(&definition).unwrap();
    let (order, orders) = watch::channel(Order::Run);
    let (told, hears) = mpsc::channel(TOLD_MAX);
    let session: Opening = session;
    let runner = Runner { definition, shelf: shelf.clone(), session, orders, told };
    (Stage { place, shelf, orders: order, hears }, runner)
}

impl Stage {
    async fn until_it_runs(&mut self) {
        assert!(matches!(self.hears.recv().await, Some(Told::Began { .. })));
    }

    /// Whether it is to run, and where it was last.
    fn kept(&self) -> (Wish, State) {
        let kept = self.shelf.read("count").unwrap();
        (kept.definition.wish, kept.status.unwrap().state)
    }
}

/// Gives a running job its orders, and what came of it.
async fn ordered_about(orders: &[Order]) -> (Stage, Result<Ended, Fault>) {
    let (mut stage, runner) = stage();
    let ordering = async {
        stage.until_it_runs().await;
        for order in orders {
            stage.orders.send_replace(*order);
        }
    };
    let (ended, ()) = tokio::join!(runner.run(), ordering);
    (stage, ended)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_over_at_once_leaves_its_figures() {
    let (stage, runner) = stage_of(&SQL.replace("rate=200", "rows=80"));
    assert_eq!(runner.run().await.unwrap(), Ended::Finished);
    let status = stage.shelf.read("count").unwrap().status.unwrap();
    assert_eq!((status.state, status.rows_read, status.rows_written), (State::Done, 80, 80));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_stopped_stays_so_and_one_whose_process_leaves_is_to_go_on() {
    let (stage, ended) = ordered_about(&[Order::Savepoint]).await;
    assert_eq!((ended.unwrap(), stage.kept()), (Ended::Stopped, (Wish::Stopped, State::Stopped)));
    let (stage, ended) = ordered_about(&[Order::Leave]).await;
    assert_eq!((ended.unwrap(), stage.kept()), (Ended::Left, (Wish::Running, State::Stopped)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_savepoint_that_cannot_be_written_is_a_fault_and_is_kept() {
    let (mut stage, runner) = stage();
    let in_the_way = stage.shelf.folder("count").join(runner.definition.run_name()).join("checkpoints");
    let ordering = async {
        stage.until_it_runs().await;
        std::fs::remove_dir_all(&in_the_way).ok();
        std::fs::write(&in_the_way, "a file where a folder should be").unwrap();
        stage.orders.send_replace(Order::Savepoint);
    };
    let (ended, ()) = tokio::join!(runner.run(), ordering);
    let fault = ended.unwrap_err();
    assert!(fault.what.contains("checkpoints"), "{fault}");
    let status = stage.shelf.read("count").unwrap().status.unwrap();
    assert_eq!((status.state, status.fault), (State::Failed, Some(fault.to_string())));
    assert_eq!(stage.kept().0, Wish::Stopped, "who stopped it does not want it back");
    drop(stage.place);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_ordered_while_a_pause_writes_its_savepoint_is_carried_out() {
    for (order, ended) in [
        (Order::Run, None),
        (Order::Savepoint, Some(Ended::Stopped)),
        (Order::Stop, Some(Ended::Stopped)),
        (Order::Leave, Some(Ended::Left)),
    ] {
        let (stage, mut runner) = stage();
        stage.orders.send_replace(Order::Pause);
        assert_eq!(super::ordered(&mut runner.orders).await, Order::Pause);
        stage.orders.send_replace(order);
        // The savepoint is being written: the order is looked at, and the savepoint comes to its end first.
        tokio::select! {
            biased;
            () = stopped_at_once(&mut runner.orders) => {}
            () = std::future::ready(()) => {}
        }
        let carried_out = tokio::time::timeout(Duration::from_secs(10), runner.until_wanted()).await;
        assert_eq!(carried_out, Ok(ended), "{order:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_savepoint_is_written_another_process_is_heard() {
    let (stage, runner) = stage();
    let mut asked = None;
    stage.shelf.ask("count", Request::Savepoint).unwrap();
    let taken = async {
        while stage.shelf.folder("count").join("request").exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        stage.shelf.ask("count", Request::Stop).unwrap();
    };
    let heard = async { tokio::join!(runner.asked_to_stop_at_once(&mut asked), taken) };
    tokio::time::timeout(Duration::from_secs(20), heard).await.expect("the second request ends the savepoint");
    assert_eq!(asked, Some(Ended::OnRequest), "the first one has its end with the savepoint");
}

fn unreachable() -> Result<Session, Fault> {
    Err(Fault::new(Blame::Connection, "no broker answers").at(crate::core::fault::Place::at(prepare::NAME, 3, 59)))
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_waits_for_its_brokers_knows_its_checkpoint_and_says_what_it_leaves_unsaved() {
    let (stage, ended) = ordered_about(&[Order::Leave]).await;
    ended.unwrap();
    let definition = stage.shelf.read("count").unwrap().definition;
    let (order, orders) = watch::channel(Order::Run);
    let (told, mut hears) = mpsc::channel(TOLD_MAX);
    let session: Opening = unreachable;
    let runner = Runner { definition, shelf: stage.shelf.clone(), session, orders, told };
    let leaving = async {
        let Some(Told::Lost { fault, attempt: 1 }) = hears.recv().await else { panic!("it cannot start") };
        assert_eq!(fault.to_string(), "no broker answers", "a place in its text says nothing of a broker");
        let status = stage.shelf.read("count").unwrap().status.unwrap();
        assert_eq!((status.state, status.checkpoint), (State::Reconnecting, Some(1)));
        order.send_replace(Order::Leave);
    };
    let (ended, ()) = tokio::join!(runner.run(), leaving);
    assert_eq!(ended.unwrap(), Ended::Left);
    // One that has run since then leaves what it did in no savepoint.
    let (_, runner) = self::stage();
    let mut status = Status { checkpoint: Some(7), fault: Some("no broker answers".into()), ..Status::beginning(0) };
    status.operators.push(Default::default());
    runner.left_waiting(Ended::OnRequest, true, &mut status).await;
    let said = status.fault.take().unwrap_or_default();
    assert!(
        said.starts_with("no savepoint could be written: no broker answers") && said.contains("checkpoint 7"),
        "{said}"
    );
    status.fault = Some("no broker answers".into());
    runner.left_waiting(Ended::OnRequest, false, &mut status).await;
    assert_eq!(status.fault, None, "none was asked for");
}
