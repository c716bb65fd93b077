//! The filters that templates can use, by name: for advice where one is misspelt. The engine itself keeps no list of them.

/// Jinja2's filters and those of this program.
pub const FILTERS: &[&str] = &[
    "abs",
    "attr",
    "batch",
    "bool",
    "capitalize",
    "center",
    "chain",
    "count",
    "d",
    "decimal",
    "default",
    "dictsort",
    "e",
    "escape",
    "filesizeformat",
    "first",
    "float",
    "format",
    "from_json",
    "groupby",
    "hash_md5",
    "hash_sha256",
    "indent",
    "int",
    "iso_date",
    "items",
    "join",
    "last",
    "length",
    "lines",
    "list",
    "lower",
    "map",
    "mask",
    "max",
    "min",
    "pprint",
    "random",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "safe",
    "select",
    "selectattr",
    "slice",
    "sort",
    "split",
    "string",
    "striptags",
    "sum",
    "timestamp",
    "title",
    "to_json",
    "tojson",
    "trim",
    "truncate",
    "unique",
    "upper",
    "urlencode",
    "uuid",
    "wordcount",
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::core::fault::Place;
    use crate::template::{Engine, TemplateFaultKind, Value};

    #[test]
    fn every_filter_on_the_list_exists_and_another_is_told_with_the_nearest() {
        let engine = Engine::builder("no-such-folder").build();
        let render = |filter: &str| {
            let source = format!("{{{{ '1' | {filter} }}}}");
            let template = engine.inline(Place::file("x"), &source).map_err(|fault| (fault.kind, fault.next));
            template.and_then(|one| one.render(&Value::UNDEFINED).map_err(|fault| (fault.kind, fault.next)))
        };
        let is_unknown = |filter: &&str| matches!(render(filter), Err((TemplateFaultKind::Unknown, _)));
        assert_eq!(FILTERS.iter().copied().filter(is_unknown).collect::<Vec<_>>(), [""; 0]);
        let (kind, next) = render("decimel").unwrap_err();
        assert_eq!((kind, &*next), (TemplateFaultKind::Unknown, "did you mean `decimal`?"));
    }
}
