use super::*;

fn bucket(name: &str) -> S3 {
    let text = |text: &str| text.to_owned();
    S3 {
        enabled: true,
        bucket: text(name),
        region: text("r"),
        endpoint: text("https://s3.example.com"),
        access_key: text("k"),
        secret: text("hush"),
        force_path_style: true,
    }
}

/// The settings while files go to a bucket.
fn copying() -> Settings {
    let mut settings = Settings::initial();
    settings.begin_files_move(bucket("b")).unwrap();
    settings
}

#[test]
fn a_move_goes_there_and_back() {
    let mut settings = copying();
    assert!(!settings.decide_files_move(), "uploads do not go to both yet");
    assert!(settings.mirror_files(true) && settings.decide_files_move());
    assert_eq!((settings.s3.clone(), settings.mirror_files(false)), (bucket("b"), false));
    assert_eq!(settings.files_move.as_ref().unwrap().other, S3::default());
    assert_eq!(settings.begin_files_move(bucket("b")), Err(FilesMoveRefusal::There));

    settings.begin_files_move(S3::default()).unwrap();
    assert!(settings.mirror_files(true) && settings.decide_files_move());
    settings.finish_files_move().unwrap();
    assert_eq!(settings, Settings::initial());
    assert_eq!(settings.finish_files_move(), Err(FilesMoveRefusal::NothingToFinish));
}

#[test]
fn a_move_goes_on_but_not_elsewhere() {
    let mut settings = copying();
    settings.mirror_files(true);
    let other = S3 {
        secret: "new".to_owned(),
        endpoint: "https://S3.example.com/".to_owned(),
        ..bucket("b")
    };
    settings.begin_files_move(other.clone()).unwrap();
    let expected = FilesMove { other, phase: FilesPhase::Mirroring };
    assert_eq!(settings.files_move, Some(expected));
    assert_eq!(settings.begin_files_move(bucket("c")), Err(FilesMoveRefusal::UnderWay));
    assert_eq!(settings.finish_files_move(), Err(FilesMoveRefusal::NothingToFinish));
    settings.give_up_files_move().unwrap();
    assert_eq!(settings, Settings::initial());
    assert_eq!(settings.give_up_files_move(), Err(FilesMoveRefusal::NothingToUndo));
}

#[test]
fn an_operator_who_changes_the_place_is_refused_or_ends_what_is_left() {
    let (before, mut changed) = (copying(), copying());
    changed.s3.region = "elsewhere".to_owned();
    assert_eq!(changed.settle_files_move(&before), Ok(()));
    changed.s3 = bucket("c");
    assert_eq!(changed.settle_files_move(&before), Err(FilesMoveRefusal::UnderWay));

    let mut before = before;
    before.mirror_files(true);
    before.decide_files_move();
    let mut changed = before.clone();
    changed.s3.access_key = "other".to_owned();
    assert_eq!(changed.settle_files_move(&before), Ok(()));
    assert!(changed.files_move.is_some());
    changed.s3 = S3::default();
    assert_eq!(changed.settle_files_move(&before), Ok(()));
    assert_eq!(changed.files_move, None);
}

#[test]
fn it_is_stored_and_not_shown() {
    let settings = copying();
    let stored = settings.to_stored();
    assert!(stored.contains("\"pandoFilesMove\":{\"other\":{") && stored.contains("hush"));
    assert_eq!(Settings::from_stored(&stored).unwrap(), settings);
    assert!(!settings.to_json().to_string().contains("pandoFilesMove"));
    // No client can write it.
    let mut input = Settings::initial();
    let sent = serde_json::from_str(&stored).unwrap();
    input.load_json(&sent).unwrap();
    assert_eq!(input.files_move, None);
    let later = stored.replace("copying", "some later phase");
    assert_eq!(Settings::from_stored(&later).unwrap().files_move, None);
}
