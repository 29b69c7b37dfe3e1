//! Any text is refused or becomes a filter that reads back as it prints, and that every back end
//! takes without a panic. Seeds: `crates/pando-filter/corpus`, one filter a line.
#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use pando_filter::{Author, Columns, Query, compile, parse};
use pando_schema::{Schema, system_collections};
use rand::SeedableRng;
use rand::rngs::StdRng;
use time::OffsetDateTime;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let system = system_collections(&mut StdRng::seed_from_u64(1), "2024-01-01 00:00:00.000Z");
    Schema::new(system.into_iter().map(Arc::new))
});

fuzz_target!(|text: &str| {
    let Ok(expr) = parse(text) else { return };
    assert_eq!(parse(&expr.to_string()).as_ref(), Ok(&expr));
    for collection in SCHEMA.iter() {
        let now = OffsetDateTime::UNIX_EPOCH;
        let mut query = Query::new(&SCHEMA, collection, None, now).expect("system names are safe");
        if query.filter(&expr).is_ok() {
            let sql = query.list(Columns::All, 30, 0);
            assert_eq!(sql.text.matches('?').count(), sql.values.len());
        }
        compile(text, collection, &SCHEMA, Author::Client).expect("it was parsed before");
    }
});
