//! Clients whose streams other servers hold: what they shall watch is told to those servers.
//!
//! A client's id begins with that of its server. Questions and answers go over the bus, as JSON.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pando_schema::Record;
use pando_store::StoreError;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use tracing::warn;

use super::{Hub, SubscribeError};
use crate::ApiError;
use crate::app::SharedApp;

/// How long another server may take to answer. By bus that is some milliseconds, without it a
/// second.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);

/// Questions that other servers have not answered yet.
#[derive(Default)]
pub(super) struct Elsewhere {
    waiting: Mutex<HashMap<u64, oneshot::Sender<Answer>>>,
    count: AtomicU64,
}

#[derive(Serialize, Deserialize)]
struct Message {
    /// The server that shall listen.
    to: String,
    /// Tells questions of one server apart.
    number: u64,
    #[serde(flatten)]
    what: What,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum What {
    Subscribe(Subscription),
    Answer(Answer),
}

#[derive(Serialize, Deserialize)]
struct Subscription {
    client_id: String,
    ip: IpAddr,
    /// Collection and record of who asks.
    auth: Option<(String, String)>,
    topics: Vec<String>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Done,
    NoClient,
    OtherAddress,
    OtherAuth,
    /// The server could not find out who asks.
    Failed,
}

impl Hub {
    /// Replaces the topics of a client, on the server that holds its stream. See
    /// [`Hub::subscribe`].
    pub(crate) async fn subscribe_anywhere(
        &self,
        app: &SharedApp,
        client_id: &str,
        ip: IpAddr,
        auth: Option<Arc<Record>>,
        topics: Vec<String>,
    ) -> Result<Result<(), SubscribeError>, ApiError> {
        let server = client_id.get(..self.server.len()).unwrap_or_default();
        let own = server == &*self.server;
        // A stream of this server's own, too, is told by the journal: what others wrote before has
        // then gone out, and a client hears of nothing that is older than its subscription.
        if !app.store.shared_with_others() || (own && !self.lock().clients.contains_key(client_id))
        {
            return Ok(self.subscribe(client_id, ip, auth, &topics));
        }
        let auth = auth.map(|auth| (auth.collection.id.clone(), auth.id().to_owned()));
        let subscription = Subscription { client_id: client_id.to_owned(), ip, auth, topics };
        // So that the answer comes even without the bus.
        let _attendance = app.bus.attend().await.map_err(ApiError::unavailable)?;
        let (number, answer) = self.elsewhere.ask();
        let what = What::Subscribe(subscription);
        let sent = send(app, Message { to: server.to_owned(), number, what }).await;
        if let Err(error) = sent {
            self.elsewhere.lock().remove(&number);
            return Err(error);
        }
        let answer = tokio::time::timeout(ANSWER_WITHIN, answer).await;
        self.elsewhere.lock().remove(&number);
        match answer {
            Ok(Ok(Answer::Done)) => Ok(Ok(())),
            // A server that does not answer has taken its streams along.
            Ok(Ok(Answer::NoClient)) | Err(_) => Ok(Err(SubscribeError::NoClient)),
            Ok(Ok(Answer::OtherAddress)) => Ok(Err(SubscribeError::OtherAddress)),
            Ok(Ok(Answer::OtherAuth)) => Ok(Err(SubscribeError::OtherAuth)),
            Ok(Ok(Answer::Failed) | Err(_)) => {
                Err(ApiError::unavailable(anyhow::anyhow!("the other server could not do it")))
            }
        }
    }

    /// Takes what another server says.
    pub(super) fn hear(&self, app: &SharedApp, from: &Arc<str>, text: &str) {
        let Ok(message) = serde_json::from_str::<Message>(text) else {
            warn!("a message of another server cannot be read; is it of another version?");
            return;
        };
        if message.to != *self.server {
            return;
        }
        match message.what {
            What::Subscribe(subscription) => {
                let (hub, app, to) = (self.clone(), Arc::clone(app), from.to_string());
                let number = message.number;
                app.life.clone().track(async move {
                    let what = What::Answer(hub.subscribe_for(&app, subscription).await);
                    // Who asks knows what silence means.
                    let _ = send(&app, Message { to, number, what }).await;
                });
            }
            What::Answer(answer) => {
                if let Some(waiting) = self.elsewhere.lock().remove(&message.number) {
                    // It may have waited long enough.
                    let _ = waiting.send(answer);
                }
            }
        }
    }

    async fn subscribe_for(&self, app: &SharedApp, subscription: Subscription) -> Answer {
        let Subscription { client_id, ip, auth, topics } = subscription;
        let auth = match auth {
            None => None,
            Some((collection, id)) => match find(app, &collection, &id).await {
                Ok(found) => found.map(Arc::new),
                Err(error) => {
                    warn!(error = format!("{error:#}"), "failed to read who subscribes");
                    return Answer::Failed;
                }
            },
        };
        match self.subscribe(&client_id, ip, auth, &topics) {
            Ok(()) => Answer::Done,
            Err(SubscribeError::NoClient) => Answer::NoClient,
            Err(SubscribeError::OtherAddress) => Answer::OtherAddress,
            Err(SubscribeError::OtherAuth) => Answer::OtherAuth,
        }
    }
}

async fn find(app: &SharedApp, collection: &str, id: &str) -> Result<Option<Record>, StoreError> {
    let schema = app.store.schema();
    match schema.by_id(collection) {
        Some(collection) => app.store.read().await?.find(collection, id).await,
        None => Ok(None),
    }
}

async fn send(app: &SharedApp, message: Message) -> Result<(), ApiError> {
    let text = serde_json::to_string(&message).map_err(ApiError::internal)?;
    app.bus.send(text).await.map_err(ApiError::unavailable)
}

impl Elsewhere {
    fn ask(&self) -> (u64, oneshot::Receiver<Answer>) {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let (sender, answer) = oneshot::channel();
        self.lock().insert(number, sender);
        (number, answer)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, oneshot::Sender<Answer>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
