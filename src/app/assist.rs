//! Writing SQL: texts are looked at one at a time, topics that they read are looked into by themselves. Pure.

use std::sync::Arc;

use super::effect::Effect;
use super::model::Model;
use super::model::assist::{CHECK_WAIT_MS, Checking, Diagnosed, Draft};
use crate::core::fault::Fault;
use crate::sql::assist::{Diagnosis, Sample};

impl Model {
    /// Has a text looked at: at once, or as soon as the one before it has been.
    pub(super) fn check_sql(&mut self, draft: Draft) -> Vec<Effect> {
        let is_open = |checking: &Checking| self.now_ms - checking.since_ms < CHECK_WAIT_MS;
        if self.assist.checking.as_ref().is_some_and(is_open) {
            self.assist.waiting = Some(draft);
            return Vec::new();
        }
        self.assist.waiting = None;
        let request = self.number_request();
        let catalog = self.assist.catalog(&draft.environment);
        let (environment, text) = (draft.environment.clone(), draft.text.clone());
        self.assist.checking = Some(Checking { request, draft, since_ms: self.now_ms });
        vec![Effect::Diagnose { request, environment, text, catalog }]
    }

    /// Takes in what was found in a text, and has looked at what waits.
    pub(super) fn diagnosed(&mut self, request: u64, outcome: Result<Arc<Diagnosis>, Fault>) -> Vec<Effect> {
        let Some(checked) = self.assist.checking.take_if(|checking| checking.request == request) else {
            return Vec::new();
        };
        let mut effects = Vec::new();
        if let Ok(diagnosis) = &outcome {
            let environment = checked.draft.environment.clone();
            self.assist.define(&environment, diagnosis);
            for topic in self.assist.due(&environment, &diagnosis.wanted, self.now_ms) {
                effects.extend(self.sample_topic(environment.clone(), topic));
            }
        }
        self.assist.diagnosed = Some(Diagnosed { draft: checked.draft, outcome });
        if let Some(draft) = self.assist.waiting.take() {
            effects.extend(self.check_sql(draft));
        }
        effects.extend(self.look_ahead());
        effects
    }

    /// Has the next topics looked into where SQL is written, before somebody types a name of theirs.
    fn look_ahead(&mut self) -> Vec<Effect> {
        let Some(environment) = self.assist.diagnosed.as_ref().map(|one| one.draft.environment.clone()) else {
            return Vec::new();
        };
        let topics = self.assist.ahead(&environment);
        topics.into_iter().flat_map(|topic| self.sample_topic(environment.clone(), topic)).collect()
    }

    /// Has a topic looked into, if it is not being already.
    pub(super) fn sample_topic(&mut self, environment: String, topic: String) -> Vec<Effect> {
        match self.assist.begin_sample(&environment, &topic, self.now_ms) {
            true => vec![Effect::SampleTopic { environment, topic }],
            false => Vec::new(),
        }
    }

    /// Takes in what a topic showed; a text that reads it is looked at again.
    pub(super) fn sampled(
        &mut self,
        environment: &str,
        topic: &str,
        outcome: Result<Arc<Sample>, Fault>,
    ) -> Vec<Effect> {
        self.assist.sampled(environment, topic, outcome, self.now_ms);
        let reads = |one: &&Diagnosed| {
            one.draft.environment == environment
                && one.outcome.as_ref().is_ok_and(|diagnosis| diagnosis.wanted.iter().any(|wanted| wanted == topic))
        };
        let mut effects = self.check_again(reads);
        effects.extend(self.look_ahead());
        effects
    }

    /// The topics of an environment may be others now: the text that would run there is looked at again.
    pub(super) fn topics_changed(&mut self, environment: &str) -> Vec<Effect> {
        self.check_again(|one| one.draft.environment == environment)
    }

    /// Looks at the newest text again, where it is one that `is_it`, and no newer one is on its way.
    fn check_again(&mut self, is_it: impl Fn(&&Diagnosed) -> bool) -> Vec<Effect> {
        let newest = self
            .assist
            .waiting
            .clone()
            .or_else(|| self.assist.checking.as_ref().map(|checking| checking.draft.clone()));
        let draft = newest.or_else(|| self.assist.diagnosed.as_ref().filter(is_it).map(|one| one.draft.clone()));
        draft.map_or_else(Vec::new, |draft| self.check_sql(draft))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::app::action::Action;
    use crate::app::fact::Fact;
    use crate::app::fact::Loaded;
    use crate::app::model::assist::SAMPLE_RETRY_MS;
    use crate::app::model::environments::{EnvironmentRow, Setting, TopicRow};
    use crate::core::fault::Blame;
    use crate::sql::assist::Columns;

    fn check(text: &str) -> Action {
        Action::CheckSql { environment: "qa".into(), text: text.into() }
    }

    /// The texts that effects have looked at, and the topics that they have looked into.
    fn asked(effects: &[Effect]) -> Vec<String> {
        let said = |effect: &Effect| match effect {
            Effect::Diagnose { text, .. } => format!("look at {text}"),
            Effect::SampleTopic { topic, .. } => format!("look into {topic}"),
            other => format!("{other:?}"),
        };
        effects.iter().map(said).collect()
    }

    fn answer(model: &mut Model, diagnosis: Diagnosis) -> Vec<Effect> {
        let request = model.assist.checking.as_ref().unwrap().request;
        model.apply(Fact::Diagnosed { request, outcome: Ok(Arc::new(diagnosis)) })
    }

    #[test]
    fn one_text_is_looked_at_at_a_time_and_of_those_that_wait_the_newest() {
        let mut model = Model::default();
        assert_eq!(asked(&model.update(check("S"))), ["look at S"]);
        assert_eq!(asked(&model.update(check("SE"))), Vec::<String>::new());
        assert_eq!(asked(&model.update(check("SEL"))), Vec::<String>::new());
        assert_eq!(asked(&answer(&mut model, Diagnosis::default())), ["look at SEL"]);
        assert!(model.assist.diagnosis("qa", "S").is_some() && model.assist.diagnosis("qa", "SEL").is_none());
        assert_eq!(asked(&answer(&mut model, Diagnosis::default())), Vec::<String>::new());
        assert!(model.assist.diagnosis("qa", "SEL").is_some());
    }

    #[test]
    fn an_answer_that_is_not_the_one_that_is_waited_for_changes_nothing() {
        let mut model = Model::default();
        model.update(check("S"));
        let effects = model.apply(Fact::Diagnosed { request: 99, outcome: Ok(Arc::default()) });
        assert!(effects.is_empty() && model.assist.diagnosed.is_none());
    }

    #[test]
    fn an_answer_that_never_comes_holds_the_next_text_up_for_a_while_only() {
        let mut model = Model::default();
        model.update(check("S"));
        model.apply(Fact::Tick { now_ms: CHECK_WAIT_MS });
        assert_eq!(asked(&model.update(check("SE"))), ["look at SE"]);
    }

    #[test]
    fn topics_that_a_text_reads_are_looked_into_once_and_the_text_is_looked_at_again() {
        let mut model = Model::default();
        let wanting = || Diagnosis { wanted: vec!["orders".into()], ..Diagnosis::default() };
        model.update(check("SELECT * FROM orders"));
        assert_eq!(asked(&answer(&mut model, wanting())), ["look into orders"]);
        model.update(check("SELECT a FROM orders"));
        assert_eq!(asked(&answer(&mut model, wanting())), Vec::<String>::new(), "it is being looked into already");
        let fault = Fault::new(Blame::Operator, "no record came");
        let sampled = |fault: &Fault| Fact::Sampled {
            environment: "qa".into(),
            topic: "orders".into(),
            outcome: Err(fault.clone()),
        };
        assert_eq!(asked(&model.apply(sampled(&fault))), ["look at SELECT a FROM orders"]);
        assert_eq!(asked(&answer(&mut model, wanting())), Vec::<String>::new(), "it failed a moment ago");
        let catalog = model.assist.catalog("qa");
        assert_eq!(catalog.topic("orders").map(|topic| &topic.columns), Some(&Columns::Failed(fault)));
        model.apply(Fact::Tick { now_ms: SAMPLE_RETRY_MS });
        model.update(check("SELECT b FROM orders"));
        assert_eq!(asked(&answer(&mut model, wanting())), ["look into orders"]);
    }

    #[test]
    fn an_environment_that_leads_elsewhere_is_known_anew() {
        let loaded = |bootstrap: &str| {
            let mut row = EnvironmentRow::new("qa", "qa.yaml");
            row.settings.push(Setting {
                path: "kafka.bootstrap_servers".into(),
                value: bootstrap.into(),
                origin: String::new(),
                place: None,
            });
            Fact::Loaded(Box::new(Loaded { environments: vec![row], ..Loaded::default() }))
        };
        let mut model = Model::default();
        model.apply(loaded("one:9092"));
        let topics = vec![TopicRow { name: "orders".into(), partitions: 3 }];
        model.apply(Fact::Topics { environment: "qa".into(), topics: Ok(topics) });
        model.apply(loaded("one:9092"));
        assert!(model.assist.shelf("qa").is_some(), "the same settings lead to the same brokers");
        model.apply(loaded("two:9092"));
        assert!(model.assist.shelf("qa").is_none());
    }

    #[test]
    fn where_sql_is_written_topics_are_looked_into_ahead_two_at_a_time_and_not_the_clusters_own() {
        let mut model = Model::default();
        let topics = ["__consumer_offsets", "a", "b", "c"].map(|name| TopicRow { name: name.into(), partitions: 1 });
        model.apply(Fact::Topics { environment: "qa".into(), topics: Ok(topics.to_vec()) });
        model.update(check(""));
        assert_eq!(asked(&answer(&mut model, Diagnosis::default())), ["look into a", "look into b"]);
        let schema = Arc::new(arrow::datatypes::Schema::empty());
        let sample = Arc::new(Sample { schema, fields: Vec::new(), records: 1, at_ms: 0 });
        let sampled = |topic: &str, outcome| Fact::Sampled { environment: "qa".into(), topic: topic.into(), outcome };
        assert_eq!(asked(&model.apply(sampled("a", Ok(sample)))), ["look into c"]);
        let fault = || Err(Fault::new(Blame::Operator, "no record came"));
        assert_eq!(asked(&model.apply(sampled("b", fault()))), Vec::<String>::new());
        assert_eq!(asked(&model.apply(sampled("c", fault()))), Vec::<String>::new(), "nor one that failed again");
    }

    #[test]
    fn topics_that_come_and_go_keep_the_columns_of_those_that_stay_and_the_text_is_looked_at_again() {
        let mut model = Model::default();
        let topics = |names: &[&str]| Fact::Topics {
            environment: "qa".into(),
            topics: Ok(names.iter().map(|name| TopicRow { name: (*name).into(), partitions: 3 }).collect()),
        };
        model.apply(topics(&["orders"]));
        model.update(Action::SampleTopic { environment: "qa".into(), topic: "orders".into() });
        let schema = Arc::new(arrow::datatypes::Schema::empty());
        let sample = Arc::new(Sample { schema, fields: Vec::new(), records: 1, at_ms: 0 });
        model.apply(Fact::Sampled { environment: "qa".into(), topic: "orders".into(), outcome: Ok(sample) });
        model.update(check("SELECT 1"));
        answer(&mut model, Diagnosis::default());
        assert_eq!(asked(&model.apply(topics(&["orders"]))), Vec::<String>::new(), "nothing is new");
        assert_eq!(asked(&model.apply(topics(&["orders", "payments"]))), ["look at SELECT 1"]);
        let catalog = model.assist.catalog("qa");
        let known: Vec<_> =
            catalog.topics.iter().map(|topic| (topic.name.as_str(), topic.columns != Columns::Unknown)).collect();
        assert_eq!(known, [("orders", true), ("payments", false)]);
    }
}
