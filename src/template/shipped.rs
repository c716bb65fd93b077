//! The files of `templates/` as they were when the program was built, so that it works where there is no folder.

macro_rules! shipped {
    ($($name:literal),+ $(,)?) => {
        /// Paths under `templates/` and texts.
        const FILES: &[(&str, &str)] = &[$(($name, include_str!(concat!("../../templates/", $name)))),+];
    };
}

shipped![
    "partials/envelope.j2",
    "payloads/chargeback.json.j2",
    "payloads/customer_merge.json.j2",
    "payloads/customer_purge.json.j2",
    "payloads/customer_update.json.j2",
    "payloads/inventory_adjustment.json.j2",
    "payloads/order_event.json.j2",
    "payloads/payment_captured.json.j2",
    "payloads/refund_issued.json.j2",
    "payloads/sample_data_sync.json.j2",
];

/// The text of a file by its path under `templates/`.
pub fn file(name: &str) -> Option<&'static str> {
    FILES.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// All files by their path under `templates/`, with their texts.
pub fn files() -> impl Iterator<Item = (&'static str, &'static str)> {
    FILES.iter().copied()
}

/// The paths of all files under `templates/`.
pub fn names() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|(name, _)| *name)
}
