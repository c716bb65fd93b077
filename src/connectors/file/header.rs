//! The first line of a CSV, as names of columns: each once, and of a line that was cut where it should be. Pure.

use std::path::Path;

use crate::core::fault::{Blame, Fault};
use crate::core::words::each_once;
use crate::formats::csv::Dialect;

/// What stands between fields in files that people have, by how they call it.
const DELIMITERS: [(char, &str); 4] = [(';', ";"), ('\t', "\\t"), ('|', "|"), (',', ",")];

/// Names of columns by the fields of a header. The second of a name is numbered: `a`, `a_2`.
pub(super) fn column_names(fields: &[(String, bool)]) -> Vec<String> {
    let written: Vec<&str> = fields.iter().map(|(name, _)| name.trim()).collect();
    each_once(&written)
}

/// The names that were numbered, where the header says one several times.
pub(super) fn repeated(fields: &[(String, bool)], names: &[String]) -> Vec<String> {
    let is_own = |((field, _), name): &(&(String, bool), &String)| field.trim() == name.as_str();
    fields.iter().zip(names).filter(|both| !is_own(both)).map(|(_, name)| format!("`{name}`")).collect()
}

/// Whether a header was cut where its fields end.
///
/// # Errors
/// One column whose name holds another delimiter.
pub(super) fn cut(fields: &[(String, bool)], dialect: &Dialect, path: &Path) -> Result<(), Fault> {
    let [(only, false)] = fields else { return Ok(()) };
    let is_other = |(letter, _): &(char, &str)| only.contains(*letter) && *letter != char::from(dialect.delimiter);
    let Some((_, called)) = DELIMITERS.into_iter().find(is_other) else { return Ok(()) };
    let what = format!("{}:1: by `{}` the header is one column, `{only}`", path.display(), dialect.delimiter as char);
    let next =
        format!("say delimiter={called} where that stands between columns, or put the name in quotes where it is one");
    Err(Fault::new(Blame::Operator, what).next(next))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::tests::Place;
    use super::*;
    use crate::formats::infer::declaration;

    fn fields(names: &[&str]) -> Vec<(String, bool)> {
        names.iter().map(|name| ((*name).to_owned(), false)).collect()
    }

    #[test]
    fn a_name_that_is_said_again_is_numbered() {
        let header = fields(&["a", " b", "a", "a_2", "a"]);
        let names = column_names(&header);
        assert_eq!(names, ["a", "b", "a_3", "a_2", "a_4"]);
        assert_eq!(repeated(&header, &names), ["`a_3`", "`a_4`"]);
    }

    #[tokio::test]
    async fn a_header_names_all_columns_also_of_a_file_without_rows() {
        let place = Place::new();
        place.put("twice.csv", "a,a\n1,x\n");
        place.put("alone.csv", "id,name\n");
        place.put("cut.csv", "id;name\n1;x\n");
        let columns = async |file| declaration(&place.source(&[("path", file)]).await.schema());
        assert_eq!(columns("twice.csv").await, "a BIGINT, a_2 VARCHAR");
        assert_eq!(columns("alone.csv").await, "id VARCHAR, name VARCHAR");
        let told = place.open(&[("path", "cut.csv")], None).await.err().unwrap().to_string();
        assert!(told.contains("one column, `id;name`") && told.contains("delimiter=;"), "{told}");
    }

    #[test]
    fn a_header_that_another_delimiter_would_cut_is_told() {
        let dialect = Dialect::default();
        let told =
            |names: &[&str]| cut(&fields(names), &dialect, Path::new("in.csv")).map_err(|fault| fault.to_string());
        assert_eq!(told(&["a", "b;c"]), Ok(()));
        assert_eq!(told(&["name"]), Ok(()));
        assert!(told(&["a;b"]).is_err_and(|told| told.contains("one column, `a;b`") && told.contains("delimiter=;")));
        assert!(cut(&[("a;b".to_owned(), true)], &dialect, Path::new("in.csv")).is_ok());
    }
}
