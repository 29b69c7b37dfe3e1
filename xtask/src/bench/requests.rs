//! The workloads: what each sends, as finished bytes.

use std::net::SocketAddr;

use pando_testkit::{Request, Rng};
use serde_json::json;

use super::data::{Dataset, LOGIN_USER_COUNT, PASSWORD};

/// Different requests per workload: enough that no cache of a single answer helps.
const VARIETY: usize = 2000;
/// Published posts of more than so many views, newest first.
fn filtered(views: usize) -> String {
    format!("filter=published%3Dtrue%26%26views%3E{views}&sort=-created&perPage=30")
}

pub(super) struct Tokens {
    pub(super) root: String,
    pub(super) user: String,
}

/// One kind of load.
pub(super) struct Workload {
    pub(super) name: &'static str,
    pub(super) requests: Vec<Vec<u8>>,
    /// For the workloads that run at one concurrency only.
    pub(super) connections: usize,
    /// Takes so long per request that one concurrency is enough.
    pub(super) slow: bool,
}

impl Workload {
    fn new(name: &'static str, mut request: impl FnMut(usize) -> Request) -> Self {
        // The host named in a request is never looked at.
        let host: SocketAddr = ([127, 0, 0, 1], 8090).into();
        let requests = (0..VARIETY).map(|index| request(index).to_bytes(host)).collect();
        Self { name, requests, connections: 16, slow: false }
    }

    fn connections(mut self, connections: usize) -> Self {
        self.connections = connections;
        self
    }

    fn slow(mut self) -> Self {
        self.slow = true;
        self
    }
}

fn records(collection: &str) -> String {
    format!("/api/collections/{collection}/records")
}

/// The basic operations, as an application uses them.
pub(super) fn basic(dataset: &Dataset, tokens: &Tokens) -> Vec<Workload> {
    let mut rng = Rng::new(7);
    let view =
        |rng: &mut Rng| Request::get(format!("{}/{}", records("posts"), rng.pick(&dataset.posts)));
    let update = |rng: &mut Rng| {
        let path = format!("{}/{}", records("posts"), rng.pick(&dataset.posts));
        Request::patch(path).token(&tokens.user).json(&json!({ "views": rng.below(1000) }))
    };
    let mut other = Rng::new(8);
    let mut mixed = Rng::new(9);
    vec![
        Workload::new("view by id", |_| view(&mut rng)),
        Workload::new("list, filter and sort, indexed, skipTotal", |index| {
            let (filter, page) = (filtered(400 + index % 200), 1 + index % 3);
            Request::get(format!("{}?{filter}&skipTotal=1&page={page}", records("posts_indexed")))
        }),
        Workload::new("list, filter and sort, no index", |_| {
            Request::get(format!("{}?{}", records("posts"), filtered(500)))
        })
        .slow(),
        Workload::new("create", |index| create_post(index, dataset, &tokens.user)),
        Workload::new("update", |_| update(&mut other)),
        Workload::new("90/10 mixed", |index| {
            if index.is_multiple_of(10) { update(&mut mixed) } else { view(&mut mixed) }
        }),
        Workload::new("password login", |index| {
            let email = format!("user{}@example.com", index % LOGIN_USER_COUNT);
            let body = json!({ "identity": email, "password": PASSWORD });
            Request::post("/api/collections/users/auth-with-password").json(&body)
        })
        .slow(),
    ]
}

fn create_post(index: usize, dataset: &Dataset, token: &str) -> Request {
    let author = &dataset.users[index % dataset.users.len()];
    Request::post(records("posts_written")).token(token).json(&json!({
        "title": format!("created {index}"), "description": "lorem ipsum dolor sit amet ".repeat(8),
        "views": index, "published": index.is_multiple_of(2), "type": ["a", "b"], "author": author,
    }))
}

/// The shapes of the published benchmarks, so that a reader can compare with their figures.
pub(super) fn published(dataset: &Dataset, tokens: &Tokens) -> Vec<Workload> {
    let list =
        |query: &'static str| move |_: usize| Request::get(format!("{}?{query}", records("posts")));
    let mut chat = Rng::new(10);
    vec![
        Workload::new("trailbase: insert messages", |index| message(index, dataset, &tokens.user)),
        Workload::new("trailbase: chat, 80% read, 20% insert", |index| {
            if index.is_multiple_of(5) {
                return message(index, dataset, &tokens.user);
            }
            let path = format!("{}/{}", records("messages"), chat.pick(&dataset.messages));
            Request::get(path).token(&tokens.user)
        }),
        Workload::new("pocketbase: create posts", |index| {
            create_post(index, dataset, &tokens.user)
        })
        .connections(128),
        Workload::new("pocketbase: bulk insert, batches of 50", |index| {
            let url = records("posts_written");
            let one = |number: usize| {
                let body = json!({ "title": format!("bulk {index} {number}"), "views": number });
                json!({ "method": "POST", "url": url, "body": body })
            };
            let requests: Vec<_> = (0..50).map(one).collect();
            Request::post("/api/batch").token(&tokens.root).json(&json!({ "requests": requests }))
        })
        .connections(4),
        Workload::new("pocketbase: list", list("perPage=20")).connections(100),
        Workload::new("pocketbase: list, skipTotal", list("perPage=20&skipTotal=1"))
            .connections(100),
        Workload::new("pocketbase: list, expand author", list("perPage=20&expand=author"))
            .connections(10),
        Workload::new(
            "pocketbase: text search",
            list("perPage=20&filter=description~%27ipsum%20dolor%27"),
        )
        .connections(10),
        Workload::new(
            "pocketbase: select :each",
            list("perPage=20&filter=type%3Aeach%21%3D%27c%27"),
        )
        .connections(10),
        Workload::new(
            "pocketbase: nested relation",
            list("perPage=20&filter=author.name%21%3D%27test%27"),
        )
        .connections(10),
        Workload::new("pocketbase: token refresh", |_| {
            Request::post("/api/collections/users/auth-refresh").token(&tokens.user)
        })
        .connections(100),
    ]
}

fn message(index: usize, dataset: &Dataset, token: &str) -> Request {
    Request::post(records("messages")).token(token).json(&json!({
        "owner": dataset.users[0], "room": dataset.room, "data": format!("a message {index}"),
    }))
}
