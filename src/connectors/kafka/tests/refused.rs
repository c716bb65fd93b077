//! What is refused before anything is read, and what a URI says.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_said_before_anything_is_read() {
    let place = Place::new("t", 1);
    assert!(place.broker.bootstrap_servers().contains(':'));
    let refused = |options: &'static [(&str, &str)]| {
        let request = SourceRequest {
            name: "t".into(),
            options: options.iter().copied().collect(),
            schema: Some(schema()),
            key: vec![],
        };
        let context = place.context.clone();
        async move {
            match KafkaConnector.source(request, &context).await {
                Ok(_) => panic!("it must fail"),
                Err(fault) => fault.to_string(),
            }
        }
    };
    assert_eq!(
        refused(&[("strat", "latest")]).await,
        "the connector `kafka` has no option `strat`; did you mean `start`?"
    );
    assert!(refused(&[("start", "sometime")]).await.contains("which is not earliest, latest, group"));
    assert_eq!(refused(&[("start", "group")]).await, "`start` = 'group' needs `group.id`");
    assert_eq!(refused(&[("key.fields", "nope")]).await, "`nope` is no column of `t`");
    assert_eq!(
        refused(&[("kafka.enable.auto.commit", "true")]).await,
        "`kafka.enable.auto.commit` is decided by the engine; leave it out"
    );
}

#[test]
fn uris_name_brokers_and_topic() {
    let read = |uri: &str| {
        let options = KafkaConnector.uri(uri).unwrap();
        (options.get("brokers").map(str::to_owned), options.get("topic").map(str::to_owned))
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(read("kafka://localhost:9092/orders"), (some("localhost:9092"), some("orders")));
    assert_eq!(read("kafka://a:1,b:2/orders?group.id=x"), (some("a:1,b:2"), some("orders")));
    assert_eq!(read("kafka:///orders"), (None, some("orders")));
    assert_eq!(read("kafka://orders"), (None, some("orders")));
}

#[test]
fn a_schema_registry_has_no_effect_and_is_said_to_have_none() {
    for end in [End::Source, End::Sink] {
        let given: Options = [("topic", "t"), ("schema_registry", "http://registry")].into_iter().collect();
        accept(&KafkaConnector, end, &given).unwrap();
        let said = idle(&KafkaConnector, &given);
        assert_eq!(said, ["`schema_registry` has no effect: no format of this build asks a schema registry"]);
    }
}
