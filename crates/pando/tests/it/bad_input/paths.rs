//! Ways out of the folders, as paths of URLs and as names of uploads.

use pando_testkit::{Multipart, Request};

use super::{Pair, RECORDS, SECRET};

/// Where the secret would be found from the folder of the static site or from a record's folder.
const CLIMBS: [&str; 22] = [
    "../secret.txt",
    "../../secret.txt",
    "..%2fsecret.txt",
    "..%2Fsecret.txt",
    "%2e%2e/secret.txt",
    "%2e%2e%2fsecret.txt",
    ".%2e/secret.txt",
    "..%5csecret.txt",
    "..\\secret.txt",
    "..%252fsecret.txt",
    "%252e%252e%252fsecret.txt",
    "%c0%ae%c0%ae/secret.txt",
    "..%c0%afsecret.txt",
    "..;/secret.txt",
    "..%00/secret.txt",
    "..%2f..%2f..%2fdata.db",
    "../../../data.db",
    "../../../../data.db",
    "..%2f..%2f..%2f..%2fpando%2fdata.db",
    "%2fetc%2fpasswd",
    "/etc/passwd",
    "file:///etc/passwd",
];

/// Sent as they are: a client would tidy them up.
#[test]
fn no_path_leads_out_of_the_site_or_the_files() {
    let pair = Pair::start();
    let folders = [
        "/",
        "/docs/",
        "/docs/page.txt/",
        "/api/files/things/first0000000000/",
        "/api/files/things/",
        "/api/files/",
        "/api/collections/things/records/",
        "/api/collections/",
    ];
    for folder in folders {
        for climb in CLIMBS {
            for end in ["", "?download=1", "?thumb=../../x", "?thumb=100x100"] {
                let request = format!("GET {folder}{climb}{end} HTTP/1.1\r\nHost: x\r\n\r\n");
                let answer = pair.same_raw(request.as_bytes());
                let text = answer.text();
                let leaked = [SECRET, "SQLite format 3", "root:x:0"];
                assert!(!leaked.iter().any(|secret| text.contains(secret)), "{folder}{climb}");
                // 401 is said of collections, before one of that name is looked for.
                assert!([307, 400, 401, 404].contains(&answer.status), "{folder}{climb}: {text}");
            }
        }
    }
    pair.end();
}

#[test]
fn targets_that_are_no_paths_lead_nowhere() {
    let pair = Pair::start();
    for target in ["../secret.txt", "file:///etc/passwd", "http://x/../secret.txt", "x", "?"] {
        let request = format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n");
        let answer = pair.pando.client().send_raw(request.as_bytes()).unwrap();
        assert!((300..500).contains(&answer.status), "{target}: {}", answer.status);
        assert!(!answer.text().contains(SECRET), "{target}");
    }
    pair.end();
}

/// Whatever an upload is called, it is stored in its record's folder under a plain name.
#[test]
fn no_upload_leads_out_of_its_folder() {
    let pair = Pair::start();
    let long = "x".repeat(5_000);
    let names = [
        "../../../evil.txt",
        "..\\..\\evil.txt",
        "/etc/evil.txt",
        "C:\\evil.txt",
        "..",
        ".",
        "/",
        "\\",
        "a/../../evil.txt",
        "%2e%2e%2fevil.txt",
        ".htaccess",
        "evil.txt\u{0}.png",
        "~",
        "|x",
        "$(touch evil)",
        "`touch evil`",
        "CON",
        "-rf",
        "a\u{202e}txt.exe",
        "\u{ff0e}\u{ff0e}/x",
        long.as_str(),
    ];
    for name in names {
        let form = Multipart::new().file("file", name, "text/plain", b"content");
        let answer = pair.send(&Request::post(RECORDS).multipart(&form));
        assert!([200, 400].contains(&answer.status), "{name}: {}", answer.text());
        if answer.status == 400 {
            continue;
        }
        let record = answer.json().unwrap();
        let (id, file) = (record["id"].as_str().unwrap(), record["file"].as_str().unwrap());
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        assert!(file.bytes().all(plain) && !file.contains("..") && file.len() < 255, "{file}");
        let storage = pair.pando.dir().join("storage");
        let collection = record["collectionId"].as_str().unwrap();
        assert!(storage.join(collection).join(id).join(file).is_file(), "{file}");
    }
    // Nothing came into being anywhere else.
    let outside = pair.pando.dir().parent().unwrap();
    let names: Vec<_> =
        std::fs::read_dir(outside).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!names.iter().any(|name| name.to_string_lossy().contains("evil")), "{names:?}");
    pair.end();
}

/// The names of stored files are values like others: a client may send what it likes, but a file
/// that it did not upload cannot be named.
#[test]
fn a_record_cannot_name_a_file_of_another() {
    let pair = Pair::start();
    for name in ["../../../data.db", "..", "/etc/passwd", "../first0000000000/first.txt", "x/y"] {
        let request = Request::post(RECORDS).json(&serde_json::json!({ "file": name }));
        let answer = pair.same(&request);
        assert_eq!(answer.status, 400, "{name}: {}", answer.text());
    }
    pair.end();
}
