//! What a person does with tails: open, hold, filter, search, close. Pure, as all of [`Model::update`] is.

use super::action::{Action, PaneId, Search, TailRequest};
use super::effect::Effect;
use super::model::Model;
use super::model::jobs::Work;
use super::model::tails::{ConditionCheck, Records, Survey, Tail};
use crate::core::job::JobId;

impl Model {
    pub(super) fn update_tails(&mut self, action: Action) -> Vec<Effect> {
        match action {
            Action::OpenTail(tail) => {
                self.focus = PaneId::Tail;
                self.start(Work::Tail(tail))
            }
            Action::CloseTail(job) => self.close_tail(job),
            Action::PauseTail { job, paused } => {
                let capacity = self.tail_records;
                self.on_tail(job, |tail| pause(tail, paused, capacity))
            }
            Action::FilterTail { job, filter } => self.on_tail(job, |tail| tail.filter = filter),
            Action::SearchTail { job, search } => self.search_tail(job, search),
            Action::CheckCondition(condition) => {
                let request = self.number_request();
                self.condition = Some(ConditionCheck { request, condition: condition.clone(), outcome: None });
                vec![Effect::CheckCondition { request, condition }]
            }
            Action::SurveyTail(tail) => {
                let request = self.number_request();
                self.survey = Some(Survey { request, asked: tail.clone(), outcome: None });
                // Who writes a condition wants to know what can be named in it.
                let sampling =
                    tail.topics.iter().flat_map(|topic| self.sample_topic(tail.environment.clone(), topic.clone()));
                let mut effects: Vec<Effect> = sampling.collect();
                effects.push(Effect::SurveyTail { request, tail });
                effects
            }
            Action::ClearTail(job) => self.on_tail(job, |tail| {
                tail.records.clear();
                tail.waiting.clear();
            }),
            _ => Vec::new(),
        }
    }

    pub(super) fn start_tail(&mut self, id: JobId, tail: TailRequest) -> Effect {
        self.tails.insert(id, Tail::new(id, tail.clone(), self.tail_records));
        self.tail = Some(id);
        Effect::StartTail { job: id, tail }
    }

    /// The same topics under another condition: what was shown under the old one would be a lie.
    fn search_tail(&mut self, id: JobId, search: Option<Search>) -> Vec<Effect> {
        let Some(tail) = self.tails.get(&id) else { return Vec::new() };
        let request = TailRequest { search, start: tail.begins_again_at(), ..tail.request.clone() };
        let mut effects = self.close_tail(id);
        effects.extend(self.start(Work::Tail(request)));
        effects
    }

    fn close_tail(&mut self, id: JobId) -> Vec<Effect> {
        let runs = self.jobs.get(&id).is_some_and(|job| !job.phase.is_ending());
        self.tails.remove(&id);
        if self.tail == Some(id) {
            self.tail = self.tails.keys().next_back().copied();
        }
        if runs { self.stop(id) } else { Vec::new() }
    }

    fn on_tail(&mut self, job: JobId, change: impl FnOnce(&mut Tail)) -> Vec<Effect> {
        if let Some(tail) = self.tails.get_mut(&job) {
            change(tail);
        }
        Vec::new()
    }
}

fn pause(tail: &mut Tail, paused: bool, capacity: usize) {
    tail.paused = paused;
    if !paused {
        for record in tail.waiting.drain() {
            tail.records.push(record);
        }
        tail.waiting = Records::new(capacity);
    }
}
