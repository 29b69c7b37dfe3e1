//! Random records, with the values that databases treat in different ways.

use std::sync::Arc;

use pando_schema::{Field, FieldKind, Record, Schema, Value};
use pando_testkit::Rng;

pub(crate) const TEXTS: [&str; 44] = [
    "",
    "a",
    "A",
    "abc",
    "ABC",
    "aBc",
    "b",
    "5",
    "5.0",
    "05",
    " 5",
    "5 ",
    "-3",
    "1e3",
    "1E3",
    "+5",
    ".5",
    "5.",
    "0",
    "0.0",
    "-0",
    "1",
    "true",
    "null",
    "%",
    "_",
    "a%b",
    "a_b",
    "a\\b",
    "a\\",
    "%_\\",
    "it's",
    "é",
    "É",
    "ß",
    "日本",
    "[]",
    "[1,\"a\"]",
    "[\"a\",\"b\"]",
    "{\"a\":1}",
    "9007199254740993",
    "2024-02-10 11:12:13.456Z",
    "\u{1F600}",
    "9223372036854775808",
];

pub(crate) const NUMBERS: [f64; 24] = [
    0.0,
    -0.0,
    1.0,
    2.0,
    3.0,
    5.0,
    5.5,
    -3.0,
    0.1,
    0.3,
    1000.0,
    1e15,
    1e16,
    1e17,
    1e20,
    1e-7,
    0.5,
    123_456_789.123,
    9_007_199_254_740_992.0,
    -1e300,
    2_251_799_813_685_248.0,
    4.2,
    1.0 / 3.0,
    100.0,
];

const DATES: [&str; 9] = [
    "",
    "2024-02-10 11:12:13.456Z",
    "2024-02-10 00:00:00.000Z",
    "2024-01-31 23:59:59.999Z",
    "2023-12-31 12:00:00.500Z",
    "2020-02-29 01:02:03.004Z",
    "0001-01-01 00:00:00.001Z",
    "9999-12-31 23:59:59.999Z",
    "1969-07-20 20:17:40.000Z",
];

const JSON: [&str; 36] = [
    "null",
    "0",
    "1",
    "5",
    "-0",
    "1.0",
    "1.5",
    "1e3",
    "12345678901234567890",
    "9007199254740993",
    "0.1",
    "true",
    "false",
    "\"\"",
    "\"a\"",
    "\"A\"",
    "\"5\"",
    "\"5.0\"",
    "\"é\\u0041\"",
    "{\"z\":\"\\u0000x\\ud800\"}",
    "\"\\ud800\"",
    "\"\\ud83d\\ude00\"",
    "[]",
    "[1,2,3]",
    "[\"a\",null,5.0]",
    "{}",
    "{\"a\":1}",
    "{\"a\":\"x\",\"b\":[1,{\"c\":\"y\"}]}",
    "{ \"a\" : { \"b\" : [ 10 , 20 ] } }",
    "{\"a\":true,\"b\":false}",
    "{\"a\":null}",
    "{\"a\":1e400,\"b\":-1e400,\"c\":1e-400}",
    "{\"0\":\"zero\",\"a\":{\"0\":5}}",
    "[[1,2],[\"a\"]]",
    "{\"a\":\"5\",\"b\":5}",
    "{\"a\":[],\"b\":\"[1]\",\"null\":7}",
];

/// Records of all collections: posts, and what they refer to or are referred to by.
pub(crate) fn records(schema: &Schema, rng: &mut Rng) -> Vec<Record> {
    let counts = [
        ("orgs", 4),
        ("users", 6),
        ("tags", 6),
        ("posts", 25),
        ("comments", 25),
        ("boards", 6),
        ("pg_class", 8),
    ];
    let mut records = Vec::new();
    for (name, count) in counts {
        for number in 0..count {
            let mut record = Record::new(Arc::clone(schema.find(name).unwrap()));
            for (index, field) in record.collection.fields.iter().enumerate() {
                record.values[index] = value(field, rng);
            }
            // In no order, as ids are.
            let id = format!("{}{}", &name[..1], number * 7 % count);
            record.put("id", Value::Text(id));
            if name == "pg_class" {
                record.put("post", Value::Text(format!("p{number}")));
            }
            records.push(record);
        }
    }
    records
}

fn text(rng: &mut Rng) -> String {
    (*rng.pick(&TEXTS)).to_owned()
}

fn value(field: &Field, rng: &mut Rng) -> Value {
    let mut list = |pick: &mut dyn FnMut(&mut Rng) -> String| {
        let count = rng.below(4);
        let mut items: Vec<String> =
            (0..count).map(|_| pick(rng)).filter(|item| !item.is_empty()).collect();
        items.dedup();
        items
    };
    match &field.kind {
        FieldKind::Select { .. } | FieldKind::File { .. } => {
            let items = list(&mut text);
            one_or_many(field, items)
        }
        FieldKind::Relation { collection_id, .. } => {
            let initial = collection_id["pbc_".len()..][..1].to_owned();
            let items = list(&mut |rng| format!("{initial}{}", rng.below(9)));
            one_or_many(field, items)
        }
        FieldKind::Number { .. } => Value::Number(*rng.pick(&NUMBERS)),
        FieldKind::Bool { .. } => Value::Bool(rng.percent(50)),
        FieldKind::Date { .. } | FieldKind::Autodate { .. } => {
            Value::Text((*rng.pick(&DATES)).to_owned())
        }
        FieldKind::Json { .. } => Value::Json((*rng.pick(&JSON)).to_owned()),
        FieldKind::GeoPoint { .. } => Value::GeoPoint {
            lon: *rng.pick(&[0.0, 23.32, -179.5, 180.0]),
            lat: *rng.pick(&[0.0, 42.7, -90.0]),
        },
        FieldKind::Text { .. }
        | FieldKind::Editor { .. }
        | FieldKind::Email { .. }
        | FieldKind::Url { .. }
        | FieldKind::Password { .. } => Value::Text(text(rng)),
    }
}

fn one_or_many(field: &Field, items: Vec<String>) -> Value {
    match field.multiple() {
        true => Value::List(items),
        false => Value::Text(items.into_iter().next().unwrap_or_default()),
    }
}
