//! Files that go from a folder to a bucket and back.

use std::ops::ControlFlow;
use std::time::SystemTime;

use pando_blob::moving::{Depth, PassOutcome, Passing, count, pass, try_out};

use super::{Place, bytes, key, prefix};

async fn run(from: &Place, to: &Place, depth: Depth) -> PassOutcome {
    let mut outcome = PassOutcome::default();
    let changed_since = SystemTime::now() + std::time::Duration::from_secs(3600);
    let passing = Passing { from: &from.blob, to: &to.blob, changed_since, depth };
    let go_on = &mut |_: &PassOutcome| ControlFlow::Continue(());
    pass(passing, &prefix("c/"), &mut outcome, go_on).await.unwrap();
    outcome
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pass_there_and_back_keeps_everything() {
    let (folder, bucket, other) = (Place::folder(), Place::bucket(), Place::folder());
    let all = bytes((9 << 20) + 1);
    let sizes = [0, 1, 70_000, all.len()];
    for size in sizes {
        folder.put(&format!("c/r{size}/a"), &all[..size]).await;
    }
    let total = sizes.iter().map(|size| *size as u64).sum::<u64>();
    let there = run(&folder, &bucket, Depth::Content).await;
    assert_eq!((there.copied_files, there.copied_bytes), (4, total));
    assert_eq!(run(&folder, &bucket, Depth::Content).await.copied_files, 0, "checksums agree");
    let go_on = &mut |_| ControlFlow::Continue(());
    let counted = count(&bucket.blob, &prefix("c/"), go_on).await.unwrap();
    assert_eq!((counted.files, counted.bytes), (4, total));

    assert_eq!(run(&bucket, &other, Depth::Content).await.copied_files, 4);
    assert_eq!(run(&bucket, &other, Depth::Content).await.copied_files, 0);
    for size in sizes {
        let path = format!("c/r{size}/a");
        assert!(other.content(&path).await == all[..size]);
        let [before, after] = [&folder, &other].map(|place| place.blob.clone());
        let (before, after) = (
            before.attributes(&key(&path)).await.unwrap(),
            after.attributes(&key(&path)).await.unwrap(),
        );
        assert_eq!(
            (before.content_type, before.original_name),
            (after.content_type, after.original_name)
        );
        assert_eq!(before.md5, after.md5);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn content_of_the_same_length_is_told_apart() {
    let (folder, bucket) = (Place::folder(), Place::bucket());
    let right = bytes((9 << 20) + 1);
    let mut wrong = right.clone();
    wrong[8 << 20] ^= 1;
    folder.put("c/r/large", &right).await;
    folder.put("c/r/small", &right[..100]).await;
    bucket.put("c/r/large", &wrong).await;
    bucket.put("c/r/small", &wrong[1..101]).await;
    assert_eq!(run(&folder, &bucket, Depth::Outside).await.copied_files, 0);
    assert_eq!(run(&folder, &bucket, Depth::Content).await.copied_files, 2);
    assert!(bucket.content("c/r/large").await == right);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_is_tried_out_and_left_empty() {
    let bucket = Place::bucket();
    try_out(&bucket.blob).await.unwrap();
    let go_on = &mut |_| ControlFlow::Continue(());
    assert_eq!(count(&bucket.blob, &prefix("p"), go_on).await.unwrap().files, 0);
}
