//! Sends mails: by the SMTP server that the settings name, else by the program `sendmail`.
//!
//! Invariants: no mail is sent from inside a transaction; a mail takes at most
//! [`SEND_TIME_MAX`]; no more than [`SENDS_AT_ONCE_MAX`] are under way and [`MAILS_WAITING_MAX`]
//! wait, what comes then fails.
//!
//! Source: PocketBase `tools/mailer`, `core/base.go` (`NewMailClient`).

mod message;
mod plain_text;
mod sendmail;
mod smtp;
mod template;

use std::sync::Arc;
use std::time::Duration;

use pando_schema::Settings;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::warn;

use crate::app::SharedApp;

pub(crate) use template::{Placeholder, escaped, resolve};

/// Connecting, greeting and sending together. PocketBase waits 15 s for login alerts and without
/// end for the rest.
const SEND_TIME_MAX: Duration = Duration::from_secs(30);

/// Mail servers limit the connections of one client, often to ten.
const SENDS_AT_ONCE_MAX: usize = 4;

/// A mail is some kilobytes, so these are about a megabyte.
const MAILS_WAITING_MAX: usize = 256;

/// A mail to one address. The sender stands in the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mail {
    pub(crate) to: String,
    pub(crate) subject: String,
    /// What stands between the tags of `body`.
    pub(crate) html: String,
}

/// Why a mail was not sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MailError {
    #[error("too many mails wait to be sent")]
    Busy,
    #[error("the mail was not sent within {} s", SEND_TIME_MAX.as_secs())]
    Timeout,
    #[error("failed to read the mail address")]
    Address(#[from] lettre::address::AddressError),
    #[error("failed to write the mail")]
    Message(#[from] lettre::error::Error),
    #[error("failed to send by SMTP")]
    Smtp(#[from] lettre::transport::smtp::Error),
    #[error("the SMTP port {0} is no port")]
    Port(i64),
    #[error("failed to set TLS up")]
    Tls(#[from] tokio::task::JoinError),
    // In PocketBase's words, which the dashboard shows.
    #[error("failed to locate a sendmail executable path")]
    NoSendmail,
    #[error("failed to run sendmail")]
    Sendmail(#[source] std::io::Error),
    #[error("sendmail failed: {0}")]
    Refused(std::process::ExitStatus),
}

/// The way out for mails, shared by all requests.
#[derive(Debug)]
pub(crate) struct Mailer {
    turns: Semaphore,
    waiting: Arc<Semaphore>,
}

/// The right to wait for a turn.
#[derive(Debug)]
pub(crate) struct Place(#[expect(dead_code, reason = "held, not read")] OwnedSemaphorePermit);

impl Default for Mailer {
    fn default() -> Mailer {
        Mailer {
            turns: Semaphore::new(SENDS_AT_ONCE_MAX),
            waiting: Arc::new(Semaphore::new(MAILS_WAITING_MAX)),
        }
    }
}

impl Mailer {
    /// Fails with `Busy` when too many wait already.
    fn place(&self) -> Result<Place, MailError> {
        let permit = Arc::clone(&self.waiting).try_acquire_owned();
        permit.map(Place).map_err(|_none_left| MailError::Busy)
    }

    /// Whether no mail is under way.
    #[cfg(test)]
    pub(crate) fn idle(&self) -> bool {
        self.waiting.available_permits() == MAILS_WAITING_MAX
    }

    /// Sends `mail` and waits for the end of it.
    pub(crate) async fn send(&self, settings: &Settings, mail: &Mail) -> Result<(), MailError> {
        let _place = self.place()?;
        self.send_in_turn(settings, mail).await
    }

    async fn send_in_turn(&self, settings: &Settings, mail: &Mail) -> Result<(), MailError> {
        let _turn = self.turns.acquire().await.map_err(|_closed| MailError::Busy)?;
        let sending = async {
            let message = message::compose(&settings.meta, mail)?;
            match settings.smtp.enabled {
                true => smtp::send(&settings.smtp, message).await,
                false => sendmail::send(&message.formatted()).await,
            }
        };
        tokio::time::timeout(SEND_TIME_MAX, sending).await.map_err(|_late| MailError::Timeout)?
    }
}

/// Sends `mail` after the answer, then tells `done` what came of it. A failure is logged with
/// `what` was to be sent. The stop of the process waits for it as long as for a request.
pub(crate) fn send_later<F>(
    app: &SharedApp,
    mail: Mail,
    what: &'static str,
    done: impl FnOnce(SharedApp, bool) -> F + Send + 'static,
) where
    F: Future<Output = ()> + Send,
{
    let place = app.mailer.place();
    let shared = Arc::clone(app);
    app.life.track(async move {
        let sent = match &place {
            Ok(_) => shared.mailer.send_in_turn(&shared.store.settings(), &mail).await,
            Err(_) => Err(MailError::Busy),
        };
        if let Err(error) = &sent {
            warn!(what, error = told(error), "failed to send a mail");
        }
        done(shared, sent.is_ok()).await;
    });
}

/// `error` with all its causes, for logs and for superusers.
pub(crate) fn told(error: &MailError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let shown = error.to_string();
        // The SMTP library's errors show their causes themselves.
        if !text.ends_with(&shown) {
            text = format!("{text}: {shown}");
        }
        cause = error.source();
    }
    text
}
