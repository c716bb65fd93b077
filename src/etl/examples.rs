//! Small ETLs that the tests of this module share.

use crate::core::etl::Etl;

/// An enabled ETL of the category `customer` with a topic `<environment>.<name>` in each environment.
pub fn etl(name: &str, environments: &[&str]) -> Etl {
    Etl {
        name: name.into(),
        description: String::new(),
        category: "customer".into(),
        enabled: true,
        topics: environments.iter().map(|one| ((*one).to_owned(), format!("{one}.{name}"))).collect(),
        payload_template: format!("{name}.json.j2"),
        key_template: None,
        headers: Default::default(),
        variables: Default::default(),
        batch_size: None,
        parallel: true,
        max_retries: None,
        retry_backoff_ms: None,
        partition: None,
        auth_override: None,
        extra: Default::default(),
    }
}
