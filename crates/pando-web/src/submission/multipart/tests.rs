//! Bodies of the corpus, whole and mutated, in pieces of all sizes.

use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};

use expect_test::expect;
use hyper::body::Frame;
use pando_blob::FolderBlob;
use proptest::prelude::*;

use super::*;

const KIND: &str = "multipart/form-data; boundary=b";
const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/corpus/multipart");

/// The bodies of the corpus with their names, in the order of these.
fn corpus() -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(Path::new(CORPUS)).unwrap().map(|entry| entry.unwrap().path());
    let mut bodies: Vec<_> = entries
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read(path).unwrap())
        })
        .collect();
    bodies.sort();
    bodies
}

/// A folder for uploads and a runtime to read with.
struct Bench {
    runtime: tokio::runtime::Runtime,
    staging: Staging,
    _dir: tempfile::TempDir,
}

impl Bench {
    fn new() -> Bench {
        let dir = tempfile::tempdir().unwrap();
        let staging = FolderBlob::open(&dir.path().join("files")).unwrap().staging();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Bench { runtime, staging, _dir: dir }
    }

    /// Reads `body`, which comes in pieces of `piece_bytes`.
    fn read(&self, body: &[u8], piece_bytes: usize) -> Result<Submission, ApiError> {
        let pieces: Vec<_> = body.chunks(piece_bytes).map(Bytes::copy_from_slice).collect();
        let body = Cut(pieces.into_iter());
        self.runtime.block_on(read(KIND, &Query::default(), body, &self.staging, 1 << 30))
    }

    /// The outcome in words.
    fn show(&self, body: &[u8], piece_bytes: usize) -> String {
        let submission = match self.read(body, piece_bytes) {
            Ok(submission) => submission,
            Err(error) => return format!("{} {}", error.status.as_u16(), error.message),
        };
        let mut shown = serde_json::to_string(&submission.fields).unwrap();
        for file in submission.files {
            let SubmittedFile { field, original_name, content } = file;
            shown.push_str(&format!(" {field}={original_name:?}[{}]", content.size_bytes));
        }
        shown
    }
}

/// A body of which every piece is there at once.
struct Cut(std::vec::IntoIter<Bytes>);

impl Body for Cut {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Poll::Ready(self.0.next().map(|piece| Ok(Frame::data(piece))))
    }
}

#[test]
fn the_corpus_is_read_alike_in_pieces_of_any_size() {
    let bench = Bench::new();
    let mut outcomes = String::new();
    for (name, body) in corpus() {
        let whole = bench.show(&body, body.len().max(1));
        for piece_bytes in [1, 2, 3, 7, 64] {
            assert_eq!(bench.show(&body, piece_bytes), whole, "{name} in pieces of {piece_bytes}");
        }
        outcomes.push_str(&format!("{name}: {whole}\n"));
    }
    expect![[r#"
        bad-head: 400 Something went wrong while processing your request.
        bad-utf8: {}
        cut-after-delimiter: 400 Something went wrong while processing your request.
        cut-in-content: 400 Something went wrong while processing your request.
        cut-in-delimiter: 400 Something went wrong while processing your request.
        cut-in-head: 400 Something went wrong while processing your request.
        empty: 400 Something went wrong while processing your request.
        encoding: {"a":"eA=="}
        field: {"text":"hello"}
        fields: {"n":[1.5,true],"o":""}
        file: {} file="a.txt"[5]
        file-almost-delimiter: {} file="x"[14]
        file-bytes: {} file="x"[256]
        file-empty: {"file":""}
        file-extended-name: {"file":"x"}
        file-path: {} file="a\"b.txt"[1]
        line-feeds: 400 Something went wrong while processing your request.
        longer-boundary: 400 Something went wrong while processing your request.
        no-disposition: {}
        no-head: 400 Something went wrong while processing your request.
        no-name: {}
        no-parts: {}
        nul: 400 Something went wrong while processing your request.
        other-boundary: 400 Something went wrong while processing your request.
        other-disposition: {}
        padding: {"a":"x","c":"y"}
        payload: {"a":[1,{"b":null}]}
        payload-broken: 400 Something went wrong while processing your request.
        preamble: {"a":"x"}
    "#]]
    .assert_eq(&outcomes);
}

/// What a text becomes is no longer than it, but for bytes that are no UTF-8: three for each.
fn fields_bytes(submission: &Submission) -> usize {
    serde_json::to_string(&submission.fields).unwrap().len()
}

#[derive(Debug, Clone)]
enum Mutation {
    Delete(prop::sample::Index, usize),
    Repeat(prop::sample::Index, usize),
    Insert(prop::sample::Index, Vec<u8>),
    Flip(prop::sample::Index, u8),
    Splice(prop::sample::Index, prop::sample::Index),
}

fn any_mutation() -> impl Strategy<Value = Mutation> {
    let place = any::<prop::sample::Index>;
    let words = prop::sample::select(vec![
        &b"--b"[..],
        b"--b--",
        b"\r\n",
        b"\r\n\r\n",
        b"--b\r\n",
        b"\n",
        b"\0",
        b"\xff",
        b"\"",
        b"Content-Disposition: form-data; name=\"x\"\r\n\r\n",
        b"filename=",
        b"filename*=utf-8''",
        b":",
        b";",
    ]);
    prop_oneof![
        (place(), 0..64_usize).prop_map(|(at, count)| Mutation::Delete(at, count)),
        (place(), 0..64_usize).prop_map(|(at, count)| Mutation::Repeat(at, count)),
        (place(), words).prop_map(|(at, word)| Mutation::Insert(at, word.to_vec())),
        (place(), any::<u8>()).prop_map(|(at, mask)| Mutation::Flip(at, mask)),
        (place(), place()).prop_map(|(at, other)| Mutation::Splice(at, other)),
    ]
}

fn mutate(body: &mut Vec<u8>, mutation: &Mutation, corpus: &[(String, Vec<u8>)]) {
    let at = |index: &prop::sample::Index, body: &[u8]| index.index(body.len() + 1);
    match mutation {
        Mutation::Delete(index, count) => {
            let start = at(index, body);
            body.drain(start..body.len().min(start + count));
        }
        Mutation::Repeat(index, count) => {
            let start = at(index, body);
            let copy = body[start..body.len().min(start + count)].to_vec();
            body.splice(start..start, copy);
        }
        Mutation::Insert(index, bytes) => {
            let start = at(index, body);
            body.splice(start..start, bytes.iter().copied());
        }
        Mutation::Flip(index, mask) => {
            let place = at(index, body);
            if let Some(byte) = body.get_mut(place) {
                *byte ^= mask;
            }
        }
        Mutation::Splice(index, other) => {
            let start = at(index, body);
            let (_, other) = &corpus[other.index(corpus.len())];
            body.splice(start..start, other.iter().copied());
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_panic_or_become_more_than_they_are(
        seed in any::<prop::sample::Index>(),
        mutations in prop::collection::vec(any_mutation(), 0..8),
        piece_bytes in 1..40_usize,
    ) {
        let (bench, corpus) = (Bench::new(), corpus());
        let mut body = corpus[seed.index(corpus.len())].1.clone();
        for mutation in &mutations {
            mutate(&mut body, mutation, &corpus);
        }
        prop_assert_eq!(bench.show(&body, piece_bytes), bench.show(&body, body.len().max(1)));
        if let Ok(submission) = bench.read(&body, piece_bytes) {
            // A control character is written with six.
            prop_assert!(fields_bytes(&submission) <= 2 + 6 * body.len());
            let files = submission.files.iter().map(|file| file.content.size_bytes).sum::<u64>();
            prop_assert!(files <= body.len() as u64);
        }
    }

    #[test]
    fn what_is_written_is_read(
        parts in prop::collection::vec(("[a-z]{1,6}", any::<bool>(), prop::collection::vec(any::<u8>(), 0..200)), 0..6),
        piece_bytes in 1..300_usize,
    ) {
        let mut body = Vec::new();
        for (name, file, content) in &parts {
            let file = if *file { "; filename=\"x\"" } else { "" };
            body.extend_from_slice(
                format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n").as_bytes(),
            );
            // The content must not hold the delimiter.
            body.extend(content.iter().map(|byte| if *byte == b'-' { b'+' } else { *byte }));
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--b--\r\n");
        let submission = Bench::new().read(&body, piece_bytes).unwrap();
        let sizes: Vec<_> =
            submission.files.iter().map(|file| (&file.field, file.content.size_bytes)).collect();
        let expected: Vec<_> = parts.iter().filter(|(_, file, _)| *file)
            .map(|(name, _, content)| (name, content.len() as u64)).collect();
        prop_assert_eq!(sizes, expected);
        let names: std::collections::BTreeSet<_> = submission.fields.keys().collect();
        let expected = parts.iter().filter(|(_, file, _)| !file).map(|(name, ..)| name).collect();
        prop_assert_eq!(names, expected);
    }
}

/// What must be collected before it is understood has an end, however it comes.
#[test]
fn a_head_has_an_end() {
    let bench = Bench::new();
    let long = vec![b'x'; 10 << 20];
    let before: [&[u8]; 4] =
        [b"", b"--b\r\n", b"--b\r\nContent-Disposition: form-data; name=\"", b"--b\r\nX: "];
    for start in before {
        let body = [start, &long].concat();
        assert_eq!(
            bench.show(&body, 4096),
            "400 Something went wrong while processing your request."
        );
    }
    // Content of that length is fine, and so are many heads.
    let part = b"--b\r\nContent-Disposition: form-data; name=\"a\"; filename=\"x\"\r\n\r\n";
    let body = [&part[..], &long, b"\r\n", &part[..], &long, b"\r\n--b--\r\n"].concat();
    assert_eq!(bench.show(&body, 4096), "{} a=\"x\"[10485760] a=\"x\"[10485760]");
    let many = [part.repeat(900).as_slice(), b"\r\n--b--\r\n"].concat();
    assert!(bench.show(&many, 100_000).starts_with("{} a="), "{}", bench.show(&many, 100_000));
}

#[test]
fn parts_are_counted() {
    let bench = Bench::new();
    let part = b"--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\r\n";
    let body = |count: usize| [part.repeat(count).as_slice(), b"--b--\r\n"].concat();
    assert!(bench.read(&body(PARTS_MAX), 1000).is_ok());
    assert_eq!(bench.show(&body(PARTS_MAX + 1), 1000), "400 The body has too many parts.");
}
