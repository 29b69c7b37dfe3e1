//! The hub with changes made by hand.

use std::future::poll_fn;
use std::net::Ipv4Addr;

use pando_schema::{Collection, CollectionKind, Value};

use super::*;

const IP: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn record(id: &str) -> Arc<Record> {
    let collection = Collection::new(CollectionKind::Base, "posts", "", &mut rand::rng());
    let mut record = Record::new(Arc::new(collection));
    record.put("id", Value::Text(id.to_owned()));
    Arc::new(record)
}

fn created(id: &str) -> Change {
    Change { action: Action::Create, record: record(id) }
}

/// Reads the greeting of a stream and returns the client's id in it.
async fn greeted(stream: &mut EventStream) -> String {
    let text = poll_fn(|context| stream.poll_next(context)).await.unwrap();
    let text = std::str::from_utf8(&text).unwrap();
    let id = text.lines().next().unwrap().strip_prefix("id:").unwrap();
    assert!(text.contains(&format!("data:{{\"clientId\":\"{id}\"}}\n\n")));
    id.to_owned()
}

#[tokio::test]
async fn clients_with_equal_topics_share_a_group_and_others_hear_nothing() {
    let hub = Hub::of("server".into());
    let mut streams = [hub.connect(IP), hub.connect(IP), hub.connect(IP)];
    for (stream, topic) in streams.iter_mut().zip(["posts/*", "posts/*", "posts/other"]) {
        let id = greeted(stream).await;
        hub.subscribe(&id, IP, None, &[topic.to_owned()]).unwrap();
    }
    let groups = hub.lock().groups(&created("one"));
    assert_eq!(groups.len(), 1);
    assert_eq!(groups[0].client_ids.len(), 2);

    let frame = Bytes::from_static(b"event:posts/*\ndata:{}\n\n");
    hub.lock().send(&groups[0].client_ids, &frame);
    hub.lock().send(&groups[0].client_ids, &frame);
    let text = poll_fn(|context| streams[0].poll_next(context)).await.unwrap();
    let events = text.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"event:"));
    assert_eq!(events.count(), 2, "both events come in one write");
}

#[tokio::test]
async fn a_client_that_cannot_keep_up_is_disconnected() {
    let hub = Hub::of("server".into());
    let mut stream = hub.connect(IP);
    let id = greeted(&mut stream).await;
    hub.subscribe(&id, IP, None, &["posts/*".to_owned()]).unwrap();
    let groups = hub.lock().groups(&created("one"));
    for _ in 0..=EVENTS_BEHIND_MAX {
        hub.lock().send(&groups[0].client_ids, &Bytes::from_static(b"x"));
    }
    let state = hub.lock();
    assert!(state.clients.is_empty() && state.watchers.is_empty() && state.topics.is_empty());
}

#[tokio::test]
async fn a_dropped_stream_leaves_nothing_behind() {
    let hub = Hub::of("server".into());
    let mut stream = hub.connect(IP);
    let id = greeted(&mut stream).await;
    let topics = ["posts/*".to_owned(), "posts/one".to_owned(), String::new()];
    hub.subscribe(&id, IP, None, &topics).unwrap();
    drop(stream);
    let state = hub.lock();
    assert!(state.clients.is_empty() && state.watchers.is_empty() && state.topics.is_empty());
}

#[tokio::test]
async fn a_stream_belongs_to_its_address_and_its_person() {
    let hub = Hub::of("server".into());
    let mut stream = hub.connect(IP);
    let id = greeted(&mut stream).await;
    let elsewhere = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    let refused = |outcome: Result<(), SubscribeError>| outcome.unwrap_err();
    assert_eq!(refused(hub.subscribe("nobody", IP, None, &[])), SubscribeError::NoClient);
    assert_eq!(refused(hub.subscribe(&id, elsewhere, None, &[])), SubscribeError::OtherAddress);
    hub.subscribe(&id, IP, Some(record("alice")), &[]).unwrap();
    assert_eq!(refused(hub.subscribe(&id, IP, None, &[])), SubscribeError::OtherAuth);
}
