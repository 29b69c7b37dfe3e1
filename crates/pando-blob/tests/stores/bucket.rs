//! What only a bucket does: it refuses, is away for a while, or does not answer.

use std::time::{Duration, Instant};

use bytes::Bytes;
use pando_blob::{Blob, BlobError, Patience, S3Blob, S3Config, Uploaded};
use pando_testkit::Bucket;

use super::{bytes, config, key, prefix};

fn open(config: &S3Config) -> Blob {
    let patience = Patience { answer: Duration::from_millis(400), ..Patience::default() };
    Blob::S3(S3Blob::with_patience(config, patience).unwrap())
}

async fn put(blob: &Blob, content: Vec<u8>) -> Result<(), BlobError> {
    blob.store(&key("c/r/a"), Uploaded::from_bytes(content.into()), "a").await
}

fn told(error: &BlobError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        text += &format!(": {error}");
        source = error.source();
    }
    text
}

#[tokio::test]
async fn what_the_operator_must_correct_is_told() {
    let bucket = Bucket::start().unwrap();
    let right = config(&bucket);
    let wrong_secret = S3Config { secret: "wrong-hunter2".to_owned(), ..right.clone() };
    let no_bucket = S3Config { bucket: "nothing".to_owned(), ..right.clone() };
    let no_key = S3Config { access_key: "nobody".to_owned(), ..right.clone() };
    for (config, expected) in
        [(wrong_secret, "403 SignatureDoesNotMatch"), (no_bucket, "NoSuchBucket"), (no_key, "403 ")]
    {
        for outcome in
            [open(&config).list(None, 1).await.map(drop), open(&config).delete(&key("a")).await]
        {
            let error = outcome.unwrap_err();
            let text = told(&error);
            assert!(text.contains(expected) && text.contains("hint: "), "{text}");
            assert!(!error.is_temporary() && !text.contains("hunter2"), "{text}");
        }
    }
    assert!(open(&right).list(None, 1).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_comes_back_is_waited_for() {
    let mut bucket = Bucket::start().unwrap();
    let blob = open(&config(&bucket));
    bucket.stop().unwrap();
    let error = put(&blob, b"x".to_vec()).await.unwrap_err();
    assert!(error.is_temporary() && told(&error).contains("Connection refused"), "{error:?}");
    let mut storing = tokio::task::JoinSet::new();
    storing.spawn(async move { put(&blob, b"x".to_vec()).await });
    bucket.start_again().unwrap();
    storing.join_next().await.unwrap().unwrap().unwrap();
    assert_eq!(bucket.object("c/r/a").unwrap(), b"x");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_answer_is_given_up() {
    let bucket = Bucket::start().unwrap();
    let blob = open(&config(&bucket));
    put(&blob, b"x".to_vec()).await.unwrap();
    bucket.freeze().unwrap();
    let began = Instant::now();
    let error = blob.fetch(&key("c/r/a")).await.unwrap_err();
    bucket.thaw().unwrap();
    assert!(error.is_temporary() && told(&error).contains("did not answer within"), "{error:?}");
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    blob.fetch(&key("c/r/a")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_goes_on_after_the_connection_breaks() {
    let mut bucket = Bucket::start().unwrap();
    let blob = open(&config(&bucket));
    let content = bytes(30 << 20);
    put(&blob, content.clone()).await.unwrap();
    let object = blob.fetch(&key("c/r/a")).await.unwrap();
    let mut reader = object.read(0..content.len() as u64);
    let mut read = Vec::new();
    while read.len() < 1 << 20 {
        read.extend_from_slice(&reader.next().await.unwrap().unwrap());
    }
    bucket.stop().unwrap();
    bucket.start_again().unwrap();
    while let Some(chunk) = reader.next().await.unwrap() {
        read.extend_from_slice(&chunk);
    }
    assert!(read == content);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_is_replaced_while_it_is_read_is_an_error() {
    let bucket = Bucket::start().unwrap();
    let blob = open(&config(&bucket));
    put(&blob, bytes(200_000)).await.unwrap();
    let object = blob.fetch(&key("c/r/a")).await.unwrap();
    blob.delete(&key("c/r/a")).await.unwrap();
    let error = object.read_all().await.unwrap_err();
    assert!(matches!(error, BlobError::NotFound | BlobError::Bucket { .. }), "{error:?}");
}

/// Large objects come in parts, whose checksum the bucket keeps.
#[tokio::test(flavor = "multi_thread")]
async fn large_objects_come_in_parts() {
    let bucket = Bucket::start().unwrap();
    let blob = open(&config(&bucket));
    let content = bytes((16 << 20) + 5);
    put(&blob, content.clone()).await.unwrap();
    assert!(bucket.object("c/r/a").unwrap() == content);
    assert_eq!(blob.attributes(&key("c/r/a")).await.unwrap().md5, None, "three parts");
    assert_eq!(bucket.keys(), ["c/r/a"]);
}

/// More objects than one answer lists.
#[tokio::test(flavor = "multi_thread")]
async fn many_objects_are_listed_and_deleted() {
    let bucket = Bucket::start().unwrap();
    let blob = open(&config(&bucket));
    put(&blob, b"x".to_vec()).await.unwrap();
    for number in 0..1_050 {
        // As other programs put them there.
        std::fs::write(bucket.folder().join(format!("c/r/{number}")), b"x").unwrap();
    }
    assert_eq!(blob.list(Some(&prefix("c/r/")), 2_000).await.unwrap().len(), 1_051);
    assert_eq!(blob.delete_prefix(&prefix("c/")).await.unwrap(), 1_051);
    assert_eq!(blob.list(Some(&prefix("c/r/")), 9).await.unwrap(), []);
}

#[tokio::test]
async fn a_plain_server_is_no_https_server() {
    let bucket = Bucket::start().unwrap();
    let endpoint = bucket.endpoint().replace("http://", "https://");
    let blob = open(&S3Config { endpoint, ..config(&bucket) });
    let stored = blob.store(&key("a"), Uploaded::from_bytes(Bytes::new()), "a").await;
    let text = told(&stored.unwrap_err());
    assert!(text.contains("the connection to 127.0.0.1:"), "{text}");
}
