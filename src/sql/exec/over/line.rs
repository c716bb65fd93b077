//! The line of a partition: rows stand in it as soon as none can come before them, and leave it when no frame reaches back
//! to them.

use super::partition::Row;
use super::{Over, STAGE};
use crate::connectors::contract::{BadRecord, RawRecord};
use crate::sql::exec::operator::Output;
use crate::sql::plan::strategies::LateStrategy;

impl Over {
    /// Puts rows in line that none comes before any more.
    pub(super) fn line_up(&mut self, number: usize, out: &mut Output) {
        let (watermark, is_complete) = (self.watermark, self.is_complete());
        let partition = &mut self.partitions[number];
        let mut released: Vec<Row> = partition.held.extract_if(.., |row| is_complete || row.time < watermark).collect();
        released.sort_by(|a, b| a.order.cmp(&b.order));
        if !self.need.waits_for_the_end && self.late != LateStrategy::IncludeInNextWindow {
            // By another time than the event time, a row may come after its successors.
            let floor = partition.floor();
            let passed = released.partition_point(|row| floor.is_some_and(|floor| *row.order < *floor));
            let late: Vec<Row> = released.drain(..passed).collect();
            self.leave_out(&late, out);
        }
        self.partitions[number].rows.append(&mut released);
    }

    /// How far a partition can be answered.
    pub(super) fn answerable(&self, number: usize) -> usize {
        let (partition, watermark) = (&self.partitions[number], self.watermark);
        let mut until = partition.rows.len();
        if !self.is_complete() {
            until = until.saturating_sub(self.need.rows_after).max(partition.answered);
            while until > partition.answered
                && partition.rows[until - 1].time.saturating_add(self.need.ms_after) >= watermark
            {
                until -= 1;
            }
            // Peers are answered together.
            while partition.answered < until
                && partition.rows.get(until).is_some_and(|next| next.order == partition.rows[until - 1].order)
            {
                until -= 1;
            }
        }
        until
    }

    /// Rows that came too late to stand in line, without their records.
    fn leave_out(&mut self, late: &[Row], out: &mut Output) {
        for row in late {
            self.forget(row);
            self.no_longer_waits(row.time);
            out.late_rows += 1;
            if self.late == LateStrategy::DeadLetter {
                let record = RawRecord { timestamp_ms: Some(row.time), ..RawRecord::default() };
                let message = "rows behind it in the order were answered before".to_owned();
                out.bad.push(BadRecord { record, stage: STAGE, class: "late", message });
            }
        }
    }

    /// Forgets rows that no frame reaches back to.
    pub(super) fn prune(&mut self, number: usize) {
        let partition = &mut self.partitions[number];
        // Rows that come stand behind the last one in line.
        let next = partition.rows.get(partition.answered).or(partition.rows.last());
        let mut next = next.map_or(i64::MAX, |row| row.key_ms);
        if self.need.is_by_event_time && partition.rows.len() == partition.answered {
            next = partition.held.iter().map(|row| row.time).fold(self.watermark, i64::min).max(next);
        }
        let oldest = next.saturating_sub(self.need.ms_before);
        let by_rows = partition.answered.saturating_sub(self.need.rows_before);
        let by_time = match self.need.ms_before {
            0 => partition.answered,
            _ => partition.rows[..partition.answered].iter().take_while(|row| row.key_ms < oldest).count(),
        };
        let mut gone = by_rows.min(by_time);
        if let Some(first) = self.answers.first(number).filter(|_| gone < partition.rows.len()) {
            gone = gone.min(first.saturating_sub(partition.base) as usize);
        }
        let rows: Vec<Row> = partition.rows.drain(..gone).collect();
        partition.answered -= gone;
        partition.base += gone as u64;
        rows.iter().for_each(|row| self.forget(row));
        if gone > 0 {
            self.cut_decoded(number, gone);
        }
    }
}
