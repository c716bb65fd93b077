//! Lines of help for those of DataFusion's functions whose own description is missing or says nothing.

/// The line of a function, by lower-case name.
pub fn line(name: &str) -> Option<&'static str> {
    LINES.iter().find(|(known, _)| *known == name).map(|(_, line)| *line)
}

/// The form of a function whose description says that of another.
pub fn form(name: &str) -> Option<&'static str> {
    FORMS.iter().find(|(known, _)| *known == name).map(|(_, form)| *form)
}

const FORMS: &[(&str, &str)] = &[
    ("array_remove_n", "array_remove_n(array, element, max)"),
    ("bool_or", "bool_or(expression)"),
    ("bool_or", "Whether one of the values is true; NULL where there is none."),
    ("covar_pop", "covar_pop(expression1, expression2)"),
    ("ntile", "ntile(expression)"),
];

const LINES: &[(&str, &str)] = &[
    ("array_sort", "The array with its elements in order."),
    ("avg", "The mean; of decimals exact, rounded half away from zero at four more digits, as `/` rounds."),
    ("arrow_typeof", "The type of a value, as Arrow names it."),
    ("covar_pop", "The population covariance of pairs of numbers."),
    ("factorial", "The product of all whole numbers up to this one; an overflow is an error."),
    ("find_in_set", "The place, from 1, of a text in a list of texts between commas; 0 where it is not."),
    ("lag", "The value of a row so many rows before this one in its partition, or a default."),
    ("lead", "The value of a row so many rows after this one in its partition, or a default."),
    ("nvl", "The first value, or the second where the first is NULL."),
    ("nvl2", "The second value where the first is not NULL, the third where it is."),
    ("random", "A random DOUBLE from 0 up to but without 1, another for each row."),
    ("to_local_time", "A timestamp with a zone as the clock of that zone showed it, without the zone."),
    ("union_tag", "The name of the field that a union holds."),
    ("uuid", "A random UUID (version 4), another for each row."),
    ("version", "The version of the DataFusion that plans and evaluates expressions."),
];
