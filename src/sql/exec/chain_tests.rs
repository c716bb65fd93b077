//! What a chain hands out of one batch, and when the task looks up.

#![allow(clippy::unwrap_used)]

use super::super::limit;
use super::super::rows_and_restarts::chunk;
use super::*;
use crate::connectors::contract::Op;
use crate::sql::plan::stream::Changes;

/// Gives each chunk as often as it says, four at a time.
struct Repeats {
    times: usize,
    rest: Option<(Chunk, usize)>,
}

impl Operator for Repeats {
    fn push(&mut self, _: usize, chunk: Chunk, out: &mut Output) -> Result<(), Fault> {
        self.rest = Some((chunk, self.times));
        self.go_on(out)
    }

    fn has_more(&self) -> bool {
        self.rest.is_some()
    }

    fn go_on(&mut self, out: &mut Output) -> Result<(), Fault> {
        while let Some((chunk, left)) = self.rest.take().filter(|(_, left)| *left > 0) {
            out.give(chunk.clone());
            self.rest = Some((chunk, left - 1));
            if out.is_full() {
                break;
            }
        }
        Ok(())
    }
}

fn chain(operators: Vec<Box<dyn Operator>>) -> Chain {
    let running = operators.into_iter().enumerate().map(|(node, operator)| Running {
        operator,
        counters: Counters::new(node.to_string(), 1),
        node,
        identity: node.to_string(),
        watermark: i64::MIN,
        state: (0, 0),
        is_done: false,
    });
    Chain::new(running.collect(), 0, Budget::new(usize::MAX))
}

fn rows() -> Chunk {
    chunk(&[(Op::Insert, 1, 1, 0), (Op::Insert, 1, 2, 0)])
}

fn push(chain: &mut Chain) -> Vec<Given> {
    let mut all = vec![Given::default()];
    chain.push(0, rows(), &mut all[0]).unwrap();
    while chain.has_more() {
        let mut given = Given::default();
        chain.go_on(&mut given).unwrap();
        all.push(given);
    }
    all
}

#[test]
fn a_limit_says_once_that_it_wants_no_more_however_many_rows_still_come() {
    let mut chain =
        chain(vec![Box::new(Repeats { times: 1_000, rest: None }), limit::build(3, 0, Changes::Append).unwrap()]);
    let given: Vec<Given> = (0..3).flat_map(|_| push(&mut chain)).collect();
    assert_eq!(given.iter().flat_map(|given| &given.chunks).map(Chunk::rows).sum::<usize>(), 3);
    assert_eq!(given.iter().flat_map(|given| given.done.clone()).collect::<Vec<_>>(), [1]);
}

#[test]
fn what_one_batch_comes_to_is_handed_out_a_few_chunks_at_a_time() {
    let mut chain = chain(vec![Box::new(Repeats { times: 1_000, rest: None })]);
    let given = push(&mut chain);
    assert!(given.iter().all(|given| given.chunks.len() <= 4));
    assert_eq!(given.iter().map(|given| given.chunks.len()).sum::<usize>(), 1_000);
}

/// Looks at a batch for many turns and gives nothing, as a join does whose pairs all fail its condition.
struct Ponders {
    turns: usize,
}

impl Operator for Ponders {
    fn push(&mut self, _: usize, _: Chunk, _: &mut Output) -> Result<(), Fault> {
        Ok(())
    }

    fn has_more(&self) -> bool {
        self.turns > 0
    }

    fn go_on(&mut self, _: &mut Output) -> Result<(), Fault> {
        self.turns -= 1;
        Ok(())
    }
}

#[test]
fn the_task_looks_up_though_nothing_is_given() {
    let mut chain = chain(vec![Box::new(Ponders { turns: 1_000 })]);
    let given = push(&mut chain);
    assert!(given.len() > 30, "{} looks", given.len());
    assert!(given.iter().all(|given| given.chunks.is_empty()));
}

#[test]
fn behind_another_operator_too() {
    let repeats = |times| Box::new(Repeats { times, rest: None }) as Box<dyn Operator>;
    let mut chain = chain(vec![repeats(3), repeats(50)]);
    let given = push(&mut chain);
    // One operator fills up what the one before it began.
    assert!(given.iter().all(|given| given.chunks.len() < 8));
    assert_eq!(given.iter().map(|given| given.chunks.len()).sum::<usize>(), 150);
}
