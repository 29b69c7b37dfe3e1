use super::*;

#[test]
fn the_body_of_an_answer_to_head_is_dropped_with_its_length_told() {
    let answer = without_body(response::json_text(StatusCode::OK, "{}"));
    assert_eq!(answer.headers()["content-length"], "2");
    assert!(matches!(answer.body(), response::Body::Empty));
    let failure = without_body(response::failure(&ApiError::not_found("")));
    assert!(!failure.headers().contains_key("content-length"));
}

#[tokio::test]
async fn a_panic_is_an_outcome() {
    assert_eq!(caught(pin!(async { 7 })).await.unwrap(), 7);
    let panic = pin!(async {
        tokio::task::yield_now().await;
        panic!("on purpose")
    });
    let said = caught(panic).await.unwrap_err();
    assert_eq!(panic_text(&*said), "on purpose");
}

#[test]
fn only_some_handlers_limit_bodies_themselves() {
    for (path, expected) in [
        ("/api/collections/posts/records", true),
        ("/api/collections/posts/records/abc", true),
        ("/api/batch", true),
        ("/api/collections/posts", false),
        ("/api/settings", false),
        ("/records", false),
    ] {
        assert_eq!(limits_its_body(path), expected, "{path}");
    }
}

#[test]
fn a_request_keeps_the_id_that_a_proxy_gave_it() {
    let id = |value: &str| {
        request_id(&HeaderMap::from_iter([(
            "x-request-id".parse().unwrap(),
            value.parse().unwrap(),
        )]))
    };
    assert_eq!(id("abc-1"), "abc-1");
    assert_ne!(id(&"a".repeat(65)), "a".repeat(65));
    let (first, second) = (request_id(&HeaderMap::new()), request_id(&HeaderMap::new()));
    assert_ne!(first, second);
}

/// The state of a request is moved a few times and lies in memory as long as its connection.
#[test]
fn the_state_of_a_request_is_small() {
    fn size<A, B, F: Future>(_: impl Fn(A, B) -> F) -> usize {
        size_of::<F>()
    }
    type Incoming = http::Request<hyper::body::Incoming>;
    let bytes = size(|caller: &'static Caller, request: Incoming| answer(caller, request));
    assert!(bytes <= 12 << 10, "{bytes}: box what is rare in the largest handler");
}
