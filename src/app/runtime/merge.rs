//! Records of several partitions in the order of their times, as a person reads them. Never turns round two records of one
//! partition, whatever their times say, and never waits for what has not come.

use std::collections::HashMap;
use std::sync::Arc;

use crate::core::record::Record;

/// Sorts what came together by time; each partition stays in the order of its offsets.
pub fn by_time(records: &mut Vec<Record>) {
    let times = times(records);
    if times.is_sorted() {
        return;
    }
    let mut order: Vec<usize> = (0..records.len()).collect();
    order.sort_by_key(|&index| times[index]);
    let mut waiting: Vec<Option<Record>> = records.drain(..).map(Some).collect();
    records.extend(order.into_iter().filter_map(|index| waiting[index].take()));
}

/// A time for each record that never falls within its partition: its own, or the latest before it.
fn times(records: &[Record]) -> Vec<i64> {
    let mut latest: HashMap<(&Arc<str>, i32), i64> = HashMap::new();
    let mut times = Vec::with_capacity(records.len());
    for run in records.chunk_by(|one, next| one.partition == next.partition && one.topic == next.topic) {
        let last = latest.entry((&run[0].topic, run[0].partition)).or_insert(i64::MIN);
        times.extend(run.iter().map(|record| {
            *last = record.timestamp_ms.unwrap_or(i64::MIN).max(*last);
            *last
        }));
    }
    times
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(partition: i32, offset: i64, timestamp_ms: impl Into<Option<i64>>) -> Record {
        Record {
            topic: "orders".into(),
            partition,
            offset,
            timestamp_ms: timestamp_ms.into(),
            key: None,
            value: None,
            headers: Vec::new(),
            value_bytes: 0,
        }
    }

    fn merged(mut records: Vec<Record>) -> Vec<(i32, i64)> {
        by_time(&mut records);
        records.iter().map(|record| (record.partition, record.offset)).collect()
    }

    #[test]
    fn partitions_are_merged_by_time() {
        let came = vec![record(0, 1, 10), record(0, 2, 30), record(1, 7, 20), record(1, 8, 40), record(2, 5, 5)];
        assert_eq!(merged(came), [(2, 5), (0, 1), (1, 7), (0, 2), (1, 8)]);
    }

    #[test]
    fn a_partition_keeps_its_order_where_times_fall_or_are_missing() {
        let came = vec![record(0, 1, 50), record(0, 2, 10), record(0, 3, None), record(1, 1, 20), record(1, 2, 60)];
        assert_eq!(merged(came), [(1, 1), (0, 1), (0, 2), (0, 3), (1, 2)]);
        let topics = |topic: &str, at| Record { topic: topic.into(), ..record(0, 1, at) };
        let mut two = vec![topics("payments", 2), topics("orders", 1)];
        by_time(&mut two);
        assert_eq!(&*two[0].topic, "orders");
    }
}
