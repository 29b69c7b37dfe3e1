use expect_test::expect;
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::*;

/// The name with its random parts replaced by `~`, one per character.
fn named(original: &str) -> String {
    masked(original, b"")
}

fn masked(original: &str, head: &[u8]) -> String {
    let mut names = [1, 2, 3, 4]
        .map(|seed| unique_name(original, head, &mut StdRng::seed_from_u64(seed)).into_bytes());
    let length = names[0].len();
    assert!(names.iter().all(|name| name.len() == length));
    for index in 0..length {
        if names.iter().any(|name| name[index] != names[0][index]) {
            names.iter_mut().for_each(|name| name[index] = b'~');
        }
    }
    String::from_utf8(names[0].clone()).unwrap()
}

#[test]
fn odd_names() {
    let long_base = format!("{}.png", "ab".repeat(200));
    let long_extension = format!("file.{}", "abcdefghij".repeat(4));
    let originals = [
        "My Photo.PNG",
        "myTestDB.txt",
        "a1B2.x",
        "Übergröße.jpeg",
        "日本語.txt",
        "日本語",
        "a",
        "",
        ".",
        "..",
        "...",
        ".hidden",
        ".hidden.tar.gz",
        "archive.tar.gz",
        "a.b.c.d.e",
        "no extension",
        "trailing.",
        "double..ext",
        "../../etc/passwd",
        "C:\\dir\\file.txt",
        "nul\0byte.t\0xt",
        "line\nbreak.txt",
        "x.*-+=#!@",
        "name.with.späces and ünicode",
        "__.__",
        "-.-",
        "a_b-c d+e.f",
        "file.attrs",
        long_base.as_str(),
        long_extension.as_str(),
    ];
    let lines: String = originals.iter().map(|o| format!("{o:?} -> {}\n", named(o))).collect();
    expect![[r#"
        "My Photo.PNG" -> my_photo_~~~~~~~~~~.PNG
        "myTestDB.txt" -> my_test_db_~~~~~~~~~~.txt
        "a1B2.x" -> a1_b2_~~~~~~~~~~.x
        "Übergröße.jpeg" -> bergr_e_~~~~~~~~~~.jpeg
        "日本語.txt" -> ~~~~~~~~~~_~~~~~~~~~~.txt
        "日本語" -> ~~~~~~~~~~_~~~~~~~~~~.txt
        "a" -> a~~~~~~~~~~_~~~~~~~~~~.txt
        "" -> ~~~~~~~~~~_~~~~~~~~~~.txt
        "." -> ~~~~~~~~~~_~~~~~~~~~~.txt
        ".." -> ~~~~~~~~~~_~~~~~~~~~~.txt
        "..." -> ~~~~~~~~~~_~~~~~~~~~~.txt
        ".hidden" -> ~~~~~~~~~~_~~~~~~~~~~.hidden
        ".hidden.tar.gz" -> hidden_~~~~~~~~~~.tar.gz
        "archive.tar.gz" -> archive_~~~~~~~~~~.tar.gz
        "a.b.c.d.e" -> a_b_c_~~~~~~~~~~.d.e
        "no extension" -> no_extension_~~~~~~~~~~.txt
        "trailing." -> trailing_~~~~~~~~~~.txt
        "double..ext" -> double_~~~~~~~~~~.ext
        "../../etc/passwd" -> ~~~~~~~~~~_~~~~~~~~~~.etcpasswd
        "C:\\dir\\file.txt" -> c_dir_file_~~~~~~~~~~.txt
        "nul\0byte.t\0xt" -> nul_byte_~~~~~~~~~~.txt
        "line\nbreak.txt" -> line_break_~~~~~~~~~~.txt
        "x.*-+=#!@" -> x~~~~~~~~~~_~~~~~~~~~~.*-+=#
        "name.with.späces and ünicode" -> name_~~~~~~~~~~.with.spcesandnicode
        "__.__" -> ~~~~~~~~~~_~~~~~~~~~~.__
        "-.-" -> ~~~~~~~~~~_~~~~~~~~~~.-
        "a_b-c d+e.f" -> a_b_c_d_e_~~~~~~~~~~.f
        "file.attrs" -> file_~~~~~~~~~~.attrs
        "abababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababab.png" -> abababababababababababababababababababababababababababababababababababababababababababababababababab_~~~~~~~~~~.png
        "file.abcdefghijabcdefghijabcdefghijabcdefghij" -> file_~~~~~~~~~~.abcdefghijabcdefghij
    "#]].assert_eq(&lines);
}

#[test]
fn names_without_extension_get_that_of_their_content() {
    assert_eq!(masked("photo", b"\x89PNG\r\n\x1a\n"), "photo_~~~~~~~~~~.png");
    assert_eq!(masked("photo.", b"{}"), "photo_~~~~~~~~~~.json");
    assert_eq!(masked("photo.!?", b"\0\0"), "photo_~~~~~~~~~~");
    assert_eq!(masked("photo.jpg", b"\x89PNG\r\n\x1a\n"), "photo_~~~~~~~~~~.jpg");
}

#[test]
fn names_are_always_valid_keys() {
    for original in ["..", "a/../b", "x.attrs", "\0", "a\\b", &"ä.".repeat(300), &"/".repeat(99)] {
        let name = unique_name(original, b"", &mut StdRng::seed_from_u64(7));
        let key = crate::Key::parse(format!("c/r/{name}"));
        assert!(key.is_ok() || name.ends_with(".attrs"), "{name:?}");
    }
}

#[test]
fn base_names_are_gos() {
    for (path, base) in [
        ("a.txt", "a.txt"),
        ("x/a.txt", "a.txt"),
        ("a/", "a"),
        ("/", "/"),
        ("", "."),
        ("../..", ".."),
    ] {
        assert_eq!(base_name(path), base);
    }
}
