use clap::Parser;

use super::*;

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    files: MoveFiles,
}

fn given(line: &str) -> anyhow::Result<Target> {
    let line = Line::try_parse_from(std::iter::once("files").chain(line.split(' ')))?;
    Target::of(&line.files, "hush").map(|target| target.unwrap())
}

fn bucket() -> S3 {
    let text = |text: &str| text.to_owned();
    S3 {
        enabled: true,
        bucket: text("b"),
        region: text("r"),
        endpoint: text("https://e"),
        access_key: text("k"),
        secret: text("hush"),
        force_path_style: true,
    }
}

const ALL: &str = "--to s3 --bucket b --endpoint https://e --region r --access-key k --path-style";

#[test]
fn a_bucket_is_given_sent_and_understood() {
    let target = given(ALL).unwrap();
    let words = target.words();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    assert_eq!(Target::parse(&words).unwrap(), target);
    assert_eq!(target.complete(&Settings::initial()).unwrap(), bucket());
}

#[test]
fn what_is_not_given_is_as_in_the_settings() {
    let mut settings = Settings::initial();
    let said = given("--to s3 --bucket b").unwrap().complete(&settings).unwrap_err().to_string();
    assert!(said.ends_with("these are missing: --endpoint, --region, --access-key"), "{said}");
    settings.s3 = S3 { enabled: false, secret: "old".to_owned(), ..bucket() };
    assert_eq!(given("--to s3").unwrap().complete(&settings).unwrap(), bucket());
    let other = given("--to s3 --bucket c").unwrap().complete(&settings).unwrap();
    assert_eq!(other, S3 { bucket: "c".to_owned(), force_path_style: false, ..bucket() });
    // A move that was interrupted goes on.
    let mut moving = Settings::initial();
    moving.begin_files_move(bucket()).unwrap();
    assert_eq!(given("--to s3").unwrap().complete(&moving).unwrap(), bucket());
}

#[test]
fn the_folder_takes_nothing_else() {
    assert_eq!(given("--to folder").unwrap(), Target::Folder);
    assert!(given("--to folder --bucket b").is_err());
    assert!(given("--to nowhere").is_err() && given("--bucket b").is_err());
    let mut settings = Settings::initial();
    settings.s3 = bucket();
    let folder = Target::Folder.complete(&settings).unwrap();
    assert_eq!(folder, S3 { enabled: false, ..bucket() });
}
