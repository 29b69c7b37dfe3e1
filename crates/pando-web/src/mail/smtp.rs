//! Mails by SMTP.
//!
//! Source: PocketBase `tools/mailer/smtp.go`; what Go's `net/smtp` does by itself: TLS as soon as
//! the server offers it, and no password over a connection that others can read.

use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use pando_schema::Smtp;

use super::{MailError, SEND_TIME_MAX};

/// Sends one mail over a connection of its own.
pub(super) async fn send(smtp: &Smtp, message: Message) -> Result<(), MailError> {
    let port = u16::try_from(smtp.port).map_err(|_too_large| MailError::Port(smtp.port))?;
    let name = match smtp.local_name.as_str() {
        "" => "localhost",
        name => name,
    };
    let mut server = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&smtp.host)
        .port(port)
        .tls(tls(smtp).await?)
        .hello_name(ClientId::Domain(name.to_owned()))
        .timeout(Some(SEND_TIME_MAX));
    if secret(smtp) {
        let mechanism = match smtp.auth_method.as_str() {
            "LOGIN" => Mechanism::Login,
            _ => Mechanism::Plain,
        };
        let credentials = Credentials::new(smtp.username.clone(), smtp.password.clone());
        server = server.credentials(credentials).authentication(vec![mechanism]);
    }
    server.build::<Tokio1Executor>().send(message).await?;
    Ok(())
}

/// Whether a password goes over the connection.
fn secret(smtp: &Smtp) -> bool {
    !smtp.username.is_empty() || !smtp.password.is_empty()
}

async fn tls(smtp: &Smtp) -> Result<Tls, MailError> {
    let host = smtp.host.clone();
    // Reads the certificates of the system.
    let parameters = tokio::task::spawn_blocking(|| TlsParameters::new_rustls(host)).await??;
    let local = matches!(smtp.host.as_str(), "localhost" | "127.0.0.1" | "::1");
    Ok(match (smtp.tls, secret(smtp) && !local) {
        (true, _) => Tls::Wrapper(parameters),
        (false, true) => Tls::Required(parameters),
        (false, false) => Tls::Opportunistic(parameters),
    })
}
