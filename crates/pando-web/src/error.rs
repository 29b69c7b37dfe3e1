//! What the API answers when it does not do what was asked.
//!
//! Source: PocketBase `tools/router/error.go`. The body is `{"data": {…}, "message": "…",
//! "status": N}`.

use http::StatusCode;
use pando_schema::{Collection, CollectionKind, ProblemTree, Problems};
use pando_store::StoreError;
use serde_json::{Map, Value as Json, json};

/// An error answer. The cause stays in the process; the client sees the rest.
#[derive(Debug)]
pub struct ApiError {
    pub status: StatusCode,
    pub message: String,
    pub data: Map<String, Json>,
    /// When trying again makes sense, as `Retry-After`.
    pub retry_after_seconds: Option<u32>,
    /// For the log only.
    pub cause: Option<anyhow::Error>,
}

impl ApiError {
    /// An answer with `message` made a sentence. An empty one stands for the usual words.
    pub fn new(status: StatusCode, message: &str) -> ApiError {
        let message = if message.is_empty() { usual_words(status) } else { message };
        ApiError {
            status,
            message: sentence(message),
            data: Map::new(),
            retry_after_seconds: None,
            cause: None,
        }
    }

    pub fn bad_request(message: &str) -> ApiError {
        ApiError::new(StatusCode::BAD_REQUEST, message)
    }

    /// 400 with what is wrong by field.
    pub fn invalid(message: &str, problems: &Problems) -> ApiError {
        ApiError { data: problems_json(problems), ..ApiError::bad_request(message) }
    }

    pub fn unauthorized(message: &str) -> ApiError {
        ApiError::new(StatusCode::UNAUTHORIZED, message)
    }

    pub fn forbidden(message: &str) -> ApiError {
        ApiError::new(StatusCode::FORBIDDEN, message)
    }

    pub fn not_found(message: &str) -> ApiError {
        ApiError::new(StatusCode::NOT_FOUND, message)
    }

    pub fn too_large() -> ApiError {
        ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "Request entity too large")
    }

    pub fn too_many_requests() -> ApiError {
        ApiError::new(StatusCode::TOO_MANY_REQUESTS, "")
    }

    pub fn internal(cause: impl Into<anyhow::Error>) -> ApiError {
        ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "").caused_by(cause)
    }

    /// 503: this server cannot now; another, or this one in a moment, can.
    pub fn unavailable(cause: impl Into<anyhow::Error>) -> ApiError {
        let message = "The server is busy. Try again in a moment.";
        let error = ApiError::new(StatusCode::SERVICE_UNAVAILABLE, message);
        ApiError { retry_after_seconds: Some(1), ..error.caused_by(cause) }
    }

    /// Whether what was asked for may have been done all the same.
    pub(crate) fn maybe_done(&self) -> bool {
        matches!(self.of_store(), Some(StoreError::Unknown))
    }

    /// Whether collections have changed on another server meanwhile.
    pub(crate) fn outdated(&self) -> bool {
        self.of_store().is_some_and(StoreError::is_outdated)
    }

    /// Whether the database went away meanwhile, or was not there.
    pub(crate) fn database_away(&self) -> bool {
        matches!(self.of_store(), Some(StoreError::Unavailable(_)))
    }

    fn of_store(&self) -> Option<&StoreError> {
        self.cause.as_ref().and_then(|cause| cause.downcast_ref())
    }

    pub fn caused_by(self, cause: impl Into<anyhow::Error>) -> ApiError {
        ApiError { cause: Some(cause.into()), ..self }
    }

    /// The same answer once more. Of the cause only the words are kept.
    pub(crate) fn again(&self) -> ApiError {
        ApiError {
            status: self.status,
            message: self.message.clone(),
            data: self.data.clone(),
            retry_after_seconds: self.retry_after_seconds,
            cause: self.cause.as_ref().map(|cause| anyhow::anyhow!("{cause:#}")),
        }
    }

    pub fn body(&self) -> Json {
        json!({ "data": self.data, "message": self.message, "status": self.status.as_u16() })
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> ApiError {
        if error.is_outdated() {
            // The next try knows the collections as they are now.
            return ApiError::unavailable(error);
        }
        match error {
            StoreError::Busy
            | StoreError::Conflict
            | StoreError::Stopping
            | StoreError::Unavailable(_)
            | StoreError::Unsuitable(_)
            | StoreError::Outdated => ApiError::unavailable(error),
            StoreError::Unknown => {
                // No Retry-After: to write twice may be worse than not to write.
                let words = "The connection to the database was lost while saving. The change may \
                             have been saved: look before you try again.";
                ApiError::new(StatusCode::SERVICE_UNAVAILABLE, words).caused_by(error)
            }
            StoreError::Timeout => {
                ApiError::bad_request("The query took too long and was stopped.").caused_by(error)
            }
            StoreError::NotUnique { .. }
            | StoreError::Open { .. }
            | StoreError::InUse(_)
            | StoreError::TooOld(_)
            | StoreError::BadCollection { .. }
            | StoreError::BadSettings(_)
            | StoreError::Commit(_)
            | StoreError::BadUrl(_)
            | StoreError::Home(_)
            | StoreError::Undone
            | StoreError::Panicked
            | StoreError::Sqlite(_)
            | StoreError::Postgres(_) => ApiError::internal(error),
        }
    }
}

impl ApiError {
    /// For a query of `collection` that failed. Where that is a view, its own query may have
    /// failed, which is its author's mistake and answered with `status`.
    pub(crate) fn of_query(
        error: StoreError,
        collection: &Collection,
        status: StatusCode,
    ) -> ApiError {
        match (&error, collection.kind) {
            (StoreError::Sqlite(_) | StoreError::Postgres(_), CollectionKind::View) => {
                ApiError::new(status, "").caused_by(error)
            }
            _ => ApiError::from(error),
        }
    }
}

fn usual_words(status: StatusCode) -> &'static str {
    match status {
        StatusCode::BAD_REQUEST | StatusCode::INTERNAL_SERVER_ERROR => {
            "Something went wrong while processing your request."
        }
        StatusCode::UNAUTHORIZED => "Missing or invalid authentication.",
        StatusCode::FORBIDDEN => "You are not allowed to perform this request.",
        StatusCode::NOT_FOUND => "The requested resource wasn't found.",
        StatusCode::TOO_MANY_REQUESTS => "Too Many Requests.",
        other => other.canonical_reason().unwrap_or("Error"),
    }
}

/// `text` trimmed, with a capital first letter and a full stop (or what else ends a sentence).
///
/// Source: PocketBase `tools/inflector`, `Sentenize`.
pub(crate) fn sentence(text: &str) -> String {
    let text = text.trim();
    let mut letters = text.chars();
    let Some(first) = letters.next() else { return String::new() };
    let mut sentence: String = first.to_uppercase().collect();
    sentence.push_str(letters.as_str());
    if !sentence.ends_with(['.', '?', '!']) {
        sentence.push('.');
    }
    sentence
}

fn problems_json(problems: &Problems) -> Map<String, Json> {
    let entry = |(name, tree): (&String, &ProblemTree)| {
        let shown = match tree {
            ProblemTree::Parts(parts) => Json::Object(problems_json(parts)),
            ProblemTree::One(problem) => {
                let mut shown = Map::new();
                shown.insert("code".to_owned(), problem.code.into());
                shown.insert("message".to_owned(), sentence(&problem.message).into());
                if !problem.params.is_empty() {
                    shown.insert("params".to_owned(), problem.params.clone().into());
                }
                Json::Object(shown)
            }
        };
        (name.clone(), shown)
    };
    problems.0.iter().map(entry).collect()
}
