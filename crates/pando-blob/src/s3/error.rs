//! What can go wrong with a bucket, and what the operator can do about it.

use std::time::Duration;

/// A request to the server of a bucket failed.
#[derive(Debug, thiserror::Error)]
pub enum S3Error {
    #[error(
        "{0:?} is no address of a server\nhint: the endpoint is such as https://s3.example.com"
    )]
    Endpoint(String),
    #[error("the certificates of this machine cannot be read")]
    Certificates(#[source] std::io::Error),
    #[error("the connection to {host} failed")]
    Connection {
        host: String,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("{host} did not answer within {within:?}")]
    Timeout { host: String, within: Duration },
    #[error("{host} answered {status} {code}{}{}", said(message), hint(*status, code))]
    Refused { host: String, status: u16, code: String, message: String },
    #[error("{host} answered something else than S3: {what}")]
    Malformed { host: String, what: &'static str },
}

impl S3Error {
    /// Whether the same request may succeed in a moment.
    pub fn is_temporary(&self) -> bool {
        match self {
            S3Error::Connection { .. } | S3Error::Timeout { .. } => true,
            S3Error::Refused { status, code, .. } => {
                matches!(*status, 408 | 429 | 500 | 502 | 503 | 504) || code == "RequestTimeout"
            }
            S3Error::Endpoint(_) | S3Error::Certificates(_) | S3Error::Malformed { .. } => false,
        }
    }

    /// Whether there is no such object. That there is no such bucket is something else.
    pub(crate) fn is_absence(&self) -> bool {
        matches!(self, S3Error::Refused { status: 404, code, .. } if code != "NoSuchBucket")
    }
}

fn said(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(": {message}") }
}

fn hint(status: u16, code: &str) -> &'static str {
    match (status, code) {
        (_, "NoSuchBucket") => "\nhint: make the bucket first, or correct its name",
        (_, "InvalidAccessKeyId") => "\nhint: the server does not know the access key",
        (_, "SignatureDoesNotMatch") => "\nhint: the secret does not fit the access key",
        (_, "RequestTimeTooSkewed") => "\nhint: set the clock of this machine",
        (_, "PermanentRedirect" | "AuthorizationHeaderMalformed" | "TemporaryRedirect") => {
            "\nhint: the bucket is in another region, or the endpoint is that of another one"
        }
        (403, _) => {
            "\nhint: the access key needs the rights s3:GetObject, s3:PutObject, s3:DeleteObject \
             and s3:ListBucket"
        }
        (301 | 307, _) => "\nhint: the endpoint is another one",
        _ => "",
    }
}
