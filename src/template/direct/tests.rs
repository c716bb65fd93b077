//! The direct way against the interpreter: where it writes anything, it writes the same bytes.

#![allow(clippy::unwrap_used)]

use std::cell::Cell;
use std::fs;
use std::path::Path;

use minijinja::value::Value;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::Written;
use crate::core::fault::Place;
use crate::template::{Engine, Template, value};

fn context() -> Value {
    value(&serde_json::json!({
        "a": "text ü", "b": 7, "c": true, "d": null, "e": 1.5, "f": [1, "x", {"k": "v"}], "now": "mine", "n": -12,
        "m": {"k": "v", "deep": {"x": "y \" \\ \n"}, "empty": {}}, "quotes": "it's \"so\"", "none_left": [],
        "date": "2026-11-21T09:32:00.5+02:00", "loop_name": "no loop",
    }))
}

fn inline(source: &str) -> Option<Template> {
    Engine::builder("templates").build().inline(Place::file("x"), source).ok()
}

/// What the direct way wrote, after it was found to be what the interpreter writes.
fn check(source: &str) -> Option<String> {
    let template = inline(source)?;
    let mut out = "kept".to_owned();
    if template.directly(&context(), &mut out) == Written::Nothing {
        assert_eq!(out, "kept", "{source:?}");
        return None;
    }
    let written = out.split_off(4);
    let expected =
        template.interpret(&context()).unwrap_or_else(|fault| panic!("{source:?} wrote {written:?}: {fault}"));
    assert_eq!(written, expected, "{source:?}");
    Some(written)
}

const CASES: u32 = 1_500;

/// Operands and what may be done to them. `g` is not defined.
const OPERANDS: [&str; 25] = [
    "a",
    "b",
    "c",
    "d",
    "e",
    "f",
    "g",
    "n",
    "m",
    "m.k",
    "m['deep']",
    "m.deep.x",
    "m.g",
    "f[0]",
    "quotes",
    "date",
    "'it'",
    "42",
    "none",
    "[1, 'x']",
    "{}",
    "(b + 1)",
    "none_left",
    "now",
    "true",
];
const FILTERS: [&str; 19] = [
    "to_json",
    "default('d')",
    "default({})",
    "default(b)",
    "default('no-%03d' | format(b))",
    "upper",
    "lower",
    "trim",
    "string",
    "hash_md5",
    "hash_sha256",
    "mask",
    "iso_date",
    "length",
    "default(g)",
    "title",
    "default([1])",
    "d('x')",
    "tojson",
];

fn expressions() -> impl Strategy<Value = String> {
    let operand = prop::sample::select(&OPERANDS[..]).prop_map(str::to_owned);
    operand.prop_recursive(4, 24, 3, |inner| {
        let filtered = (inner.clone(), prop::sample::select(&FILTERS[..]));
        let two = (inner.clone(), inner.clone());
        prop_oneof![
            filtered.clone().prop_map(|(of, filter)| format!("{of} | {filter}")),
            filtered.prop_map(|(of, filter)| format!("{of} | {filter}")),
            (two.clone(), prop::sample::select(&["+", "-", "*", "%", "~", "/", "==", "and"][..]))
                .prop_map(|((left, right), sign)| format!("{left} {sign} {right}")),
            (inner.clone(), prop::sample::select(&["[:3]", "[-2:]", "[1:9]", "[:]", "[2:-1]", ".k"][..]))
                .prop_map(|(of, part)| format!("({of}){part}")),
            (two.clone(), inner.clone())
                .prop_map(|((then, condition), other)| format!("{then} if {condition} else {other}")),
            two.prop_map(|(then, condition)| format!("{then} if not ({condition})")),
            inner.prop_map(|of| format!("'%s/%05d%%' | format({of}, b)")),
        ]
    })
}

fn templates() -> impl Strategy<Value = String> {
    let text = prop::sample::select(&["", " ", "\n", " {", "}", "x\n", "ü \" "][..]).prop_map(str::to_owned);
    let part = prop_oneof![
        text,
        expressions().prop_map(|inside| format!("{{{{ {inside} }}}}")),
        expressions().prop_map(|inside| format!("{{{{- {inside} -}}}}")),
        expressions().prop_map(|inside| format!("{{% set b = {inside} %}}")),
        Just("{#- a comment -#}".to_owned()),
    ];
    part.prop_recursive(3, 16, 4, |inner| {
        let body = prop::collection::vec(inner, 0..4).prop_map(|parts| parts.concat());
        prop_oneof![
            (expressions(), body.clone(), body.clone())
                .prop_map(|(condition, then, other)| format!("{{% if {condition} %}}{then}{{% else %}}{other}{{% endif %}}")),
            (expressions(), body.clone())
                .prop_map(|(condition, then)| format!("{{% if d -%}} no {{%- elif {condition} %}}{then}{{% endif %}}")),
            (prop::sample::select(&["f", "[1, 2, 3]", "none_left", "m", "range(3)", "g"][..]), body).prop_map(|(list, body)| {
                format!("{{% for a in {list} %}}{body}{{{{ loop.index }}}}{{{{ ',' if not loop.last }}}}{{% else %}}-{{% endfor %}}")
            }),
        ]
    })
}

#[test]
fn both_ways_give_the_same_bytes() {
    let mut runner = TestRunner::new(Config::with_cases(CASES));
    let direct = Cell::new(0);
    let parts = prop::collection::vec(templates(), 1..4);
    let outcome = runner.run(&parts, |parts| {
        direct.set(direct.get() + u32::from(check(&parts.concat()).is_some()));
        Ok(())
    });
    outcome.unwrap();
    // About one in ten goes that way; a twentieth is far outside of what chance makes of it.
    assert!(direct.get() > CASES / 20, "only {} of {CASES} went the direct way", direct.get());
}

#[test]
fn every_template_of_the_corpus_gives_the_same_bytes_both_ways() {
    let house = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/templates");
    let engine = Engine::builder(house.join("corpus")).global("app_version", "1.2.3").build();
    let context: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(house.join("context.json")).unwrap()).unwrap();
    let context = value(&context);
    let mut direct = 0;
    for entry in fs::read_dir(house.join("corpus")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let Some(template) = engine.payload(&name).ok().filter(|_| name.ends_with(".j2")) else { continue };
        let mut out = String::new();
        if template.directly(&context, &mut out) != Written::Nothing {
            direct += 1;
            assert_eq!(out, template.interpret(&context).unwrap(), "{name}");
        }
    }
    assert!(direct > 25, "only {direct} templates of the corpus go the direct way");
}

#[test]
fn what_payloads_are_made_of_goes_the_direct_way() {
    for (source, written) in [
        ("{{ m.deep.x | to_json }}", r#""y \" \\ \n""#),
        ("{{ g | default({}) | to_json }}", "{}"),
        ("{{ g | default('CUST-%05d' | format(b % 400 + 1)) }}", "CUST-00008"),
        ("{{ 'CUST-' ~ '0123abcd-rest'[:8] }}", "CUST-0123abcd"),
        ("{{ date | iso_date }}", "2026-11-21T09:32:00.500000+02:00"),
        ("{% for x in f %}{{ x | to_json }}{{ ',' if not loop.last }}{% endfor %}", r#"1,"x",{"k":"v"}"#),
        ("{% if g is defined %}x{% elif c -%} y {%- endif %}", "y"),
        ("{% set x = b | string %}{{ x | upper }}\n", "7"),
        ("{{ now }} {{ now | upper }}", "mine MINE"),
        ("{{ c }} {{ d }} {{ e }} {{ f }}", "True None 1.5 [1, 'x', {'k': 'v'}]"),
    ] {
        assert_eq!(check(source).as_deref(), Some(written), "{source}");
    }
    let template = inline("{{ uuid4()[:8] }} {{ utcnow() | iso_date }} {{ a | uuid }}").unwrap();
    let mut out = String::new();
    assert_eq!(template.directly(&context(), &mut out), Written::Text);
    assert_eq!(out.len(), 8 + 1 + 32 + 1 + 36, "{out}");
}

#[test]
fn an_expression_without_a_form_of_its_own_sends_no_other_to_the_interpreter() {
    assert_eq!(check("{{ f | length }} {{ a | replace('t', 'T') }} {{ a }}").as_deref(), Some("3 TexT ü text ü"));
    assert_eq!(check("{% for a in [1, 2] %}{{ a // 2 }}{{ b / 2 }};{% endfor %}").as_deref(), Some("03.5;13.5;"));
}

#[test]
fn what_the_tree_does_not_hold_is_left_to_the_interpreter_whole() {
    for source in [
        "{% macro a() %}{% endmacro %}",
        "{% for a in f recursive %}{% endfor %}",
        "{% for a in f if a %}{{ a }}{% endfor %}",
        "{% for a in f %}{{ loop.cycle('x', 'y') }}{% endfor %}",
        "{{ g }}",
        "{{ a.b.c }}",
        "{{ now() }}",
        "{{ uuid4 }}",
    ] {
        assert_eq!(check(source), None, "{source}");
    }
}

#[test]
fn who_replaced_a_filter_or_a_function_gets_theirs() {
    let engine = Engine::builder("templates")
        .filter("to_json", |_: String| "theirs")
        .function("uuid4", || "theirs")
        .global("b", "theirs")
        .build();
    let render = |source: &str| engine.inline(Place::file("x"), source).unwrap().render(&Value::UNDEFINED).unwrap();
    assert_eq!(render("{{ 'a' | to_json }} {{ uuid4() }} {{ b }}"), "theirs theirs theirs");
}

#[test]
fn a_long_loop_is_counted_by_the_interpreter() {
    let template = inline("{% for x in range(20000) %}{{ x }}{% endfor %}").unwrap();
    assert_eq!(template.directly(&context(), &mut String::new()), Written::Nothing);
    assert_eq!(template.render(&context()).unwrap().len(), 88_890);
}
