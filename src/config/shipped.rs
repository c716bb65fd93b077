//! The files of `config/` as they were when the program was built, so that it works where there is no folder.

macro_rules! shipped {
    ($($name:literal),+ $(,)?) => {
        /// Paths under `config/` and texts.
        const FILES: &[(&str, &str)] = &[$(($name, include_str!(concat!("../../config/", $name)))),+];
    };
}

shipped![
    "console.yaml",
    "environments/dev.yaml",
    "environments/preprod.yaml",
    "environments/prod.yaml",
    "environments/qa.yaml",
    "environments/sandbox.yaml",
    "environments/staging.yaml",
    "environments/uat.yaml",
    "etl/chargeback.yaml",
    "etl/customer_merge.yaml",
    "etl/customer_purge.yaml",
    "etl/customer_update.yaml",
    "etl/inventory_adjustment.yaml",
    "etl/order_event.yaml",
    "etl/payment_captured.yaml",
    "etl/refund_issued.yaml",
    "etl/sample_data_sync.yaml",
    "runner.yaml",
    "sql/gallery/01-filter.sql",
    "sql/gallery/02-project.sql",
    "sql/gallery/03-group.sql",
    "sql/gallery/04-window.sql",
    "sql/gallery/05-hopping.sql",
    "sql/gallery/06-session.sql",
    "sql/gallery/07-join.sql",
    "sql/gallery/08-table.sql",
    "sql/gallery/09-over.sql",
    "sql/gallery/10-top-n.sql",
    "sql/gallery/11-deduplicate.sql",
    "sql/gallery/12-into.sql",
];

/// The text of a file by its path under `config/`.
pub fn file(name: &str) -> Option<&'static str> {
    FILES.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// All files by their path under `config/`, with their texts.
pub fn files() -> impl Iterator<Item = (&'static str, &'static str)> {
    FILES.iter().copied()
}

/// The paths of the files of a folder that are listed.
pub fn names(folder: &str) -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|(name, _)| *name).filter(move |name| {
        name.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/')).is_some_and(|rest| !rest.starts_with('_'))
    })
}
