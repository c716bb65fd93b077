//! The declaration that pins the columns of a source, as text that parses back to them. It opens nothing.

use arrow::datatypes::Schema;

use super::session::Session;
use crate::connectors::options::Options;
use crate::core::fault::Fault;
use crate::formats::types;
use crate::sql::parse;
use crate::sql::parse::statement::{EndName, Object};

/// What a source is called whose URI gives no name.
const UNNAMED: &str = "rows";

impl Session {
    /// The declaration of a source with these columns, secrets masked; `None` for a name whose columns are pinned by its
    /// own statement.
    ///
    /// # Errors
    /// A URI that its connector does not read.
    pub fn pinned(&self, name: &EndName, schema: &Schema) -> Result<Option<String>, Fault> {
        let (object, called, options) = match name {
            EndName::Uri(uri) => {
                let scheme = uri.split("://").next().unwrap_or_default().to_lowercase();
                let connector: Options = [("connector", scheme.as_str())].into_iter().collect();
                let options = connector.over(&self.connectors.get(&scheme)?.uri(uri)?);
                ("STREAM", called(uri), options)
            }
            EndName::Name(name) if self.catalog.defined(name).is_some() => return Ok(None),
            EndName::Name(name) => match self.catalog.declared(name) {
                Some(declared) if !declared.columns.is_empty() => return Ok(None),
                Some(declared) => {
                    let object = match declared.object {
                        Object::Stream => "STREAM",
                        Object::Table => "TABLE",
                        Object::Source | Object::Sink => "SOURCE",
                    };
                    (object, declared.name.clone(), declared.options.clone())
                }
                None => {
                    let options = [("connector", "kafka"), ("topic", name.as_str())].into_iter().collect();
                    ("STREAM", name.clone(), options)
                }
            },
        };
        let columns: Vec<_> = schema
            .fields()
            .iter()
            .map(|field| format!("  {} {}", types::identifier(field.name()), types::name(field.data_type())))
            .collect();
        // `${` would be read as a variable.
        let text = |text: &str| text.replace('\'', "''").replace("${", "$${");
        let options: Vec<_> =
            options.iter().map(|(key, value)| format!("'{}' = '{}'", text(key), text(&value.text))).collect();
        let (called, columns, options) = (types::identifier(&called), columns.join(",\n"), options.join(", "));
        let written = format!("CREATE {object} {called} (\n{columns}\n) WITH ({options});");
        Ok(Some(parse::without_secrets(&written).into_owned()))
    }
}

/// `trades` of `file:///tmp/trades.csv?header=true`.
fn called(uri: &str) -> String {
    let path = uri.split_once("://").map_or(uri, |(_, path)| path).split(['?', '#']).next().unwrap_or_default();
    let last = path.rsplit('/').find(|part| !part.is_empty()).unwrap_or_default();
    let stem = last.split('.').next().unwrap_or_default();
    let plain = stem.chars().all(|letter| letter.is_alphanumeric() || "_-".contains(letter));
    if stem.is_empty() || !plain { UNNAMED.to_owned() } else { stem.to_owned() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use arrow::datatypes::{DataType, Field, Fields, TimeUnit};

    use super::*;
    use crate::config::variables::Variables;
    use crate::connectors::contract::Context;
    use crate::connectors::registry::builtin;
    use crate::sql::parse::statement::StatementKind;
    use crate::sql::plan::ends;
    use crate::sql::plan::provider::Provider;

    fn session() -> Session {
        let context = Context { kafka: None, absent: None, folder: ".".into() };
        Session::new(builtin(), context, Variables::default(), ("discard".to_owned(), Options::default()))
    }

    fn check(name: EndName, fields: Vec<Field>, wanted: (&str, &[(&str, &str)])) {
        let session = session();
        let schema = Schema::new(fields);
        let text = session.pinned(&name, &schema).unwrap().unwrap();
        let script = parse::parse(&text, "pinned");
        assert!(script.errors.is_empty(), "{text}\n{:?}", script.errors);
        let StatementKind::Declare(declared) = &script.statements[0].kind else { panic!("{text}") };
        let read = ends::columns(declared, &Provider::new(session.functions.clone(), Vec::new())).unwrap();
        assert_eq!(read, schema, "{text}");
        let options: Vec<_> = declared.options.iter().map(|(key, value)| (key, value.text.as_str())).collect();
        assert_eq!((declared.name.as_str(), options.as_slice()), wanted, "{text}");
    }

    #[test]
    fn what_is_printed_declares_the_same_columns_and_the_same_end() {
        let field = |name: &str, data_type: DataType| Field::new(name, data_type, true);
        let inner: Fields = vec![field("sub-id", DataType::Int64), field("order", DataType::Utf8)].into();
        let nested = DataType::new_list(DataType::Struct(inner), true);
        let columns = vec![
            field("id", DataType::Int64),
            field("order", DataType::Utf8),
            field("primary", DataType::Boolean),
            field("unit price", DataType::Decimal128(18, 2)),
            field("say \"when\"", DataType::Timestamp(TimeUnit::Millisecond, None)),
            field("2nd", DataType::Date32),
            field("a.b", DataType::Float64),
            field("parts", nested),
        ];
        check(
            EndName::Name("orders-v2".to_owned()),
            columns.clone(),
            ("orders-v2", &[("connector", "kafka"), ("topic", "orders-v2")]),
        );
        check(
            EndName::Uri("file:///in/it's/trades.csv?header=false&delimiter=%3B".to_owned()),
            columns.clone(),
            (
                "trades",
                &[("connector", "file"), ("header", "false"), ("delimiter", ";"), ("path", "/in/it's/trades.csv")],
            ),
        );
        check(
            EndName::Uri("file:///in/*.csv".to_owned()),
            columns,
            (UNNAMED, &[("connector", "file"), ("path", "/in/*.csv")]),
        );
    }

    #[test]
    fn a_declaration_without_columns_keeps_its_options_and_shows_no_secret() {
        let mut session = session();
        let text = "CREATE TABLE people WITH ('connector' = 'kafka', 'kafka.sasl.password' = 'hunter2');
            CREATE STREAM known (id BIGINT) WITH ('topic' = 'known');
            CREATE STREAM made AS SELECT id FROM known;";
        for statement in &parse::parse(text, "pinned").statements {
            session.define(&statement.kind).unwrap();
        }
        let schema = Schema::new(vec![Field::new("id", DataType::Int64, true)]);
        let pinned = |name: &str| session.pinned(&EndName::Name(name.to_owned()), &schema).unwrap();
        assert_eq!(
            pinned("people").as_deref(),
            Some("CREATE TABLE people (\n  id BIGINT\n) WITH ('connector' = 'kafka', 'kafka.sasl.password' = '***');")
        );
        assert_eq!((pinned("known"), pinned("made")), (None, None));
    }
}
