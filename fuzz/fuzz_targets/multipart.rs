//! Any bytes are refused or become a form that is no larger than they are.
//! Seeds: `crates/pando-web/corpus/multipart`, one body a file.
//!
//! Run it with `ASAN_OPTIONS=detect_odr_violation=0`: SQLite's tables are linked twice.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use pando_web::fuzzing::MultipartReader;

static READER: LazyLock<(tempfile::TempDir, MultipartReader)> = LazyLock::new(|| {
    let dir = tempfile::tempdir().expect("a folder for uploads");
    let reader = MultipartReader::new(dir.path()).expect("the folder is fresh");
    (dir, reader)
});

fuzz_target!(|body: &[u8]| {
    if let Some((fields_bytes, files_bytes)) = READER.1.read(body) {
        // A control character is written with six.
        assert!(fields_bytes <= 2 + 6 * body.len());
        assert!(files_bytes <= body.len() as u64);
    }
});
