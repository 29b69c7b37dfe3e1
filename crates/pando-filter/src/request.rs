//! What a rule can see of the request: `@request.*`.

use std::sync::Arc;

use indexmap::IndexMap;
use pando_schema::Record;

/// One request, as rules see it.
#[derive(Debug, Clone)]
pub struct RequestContext {
    pub context: Purpose,
    pub method: String,
    /// The first value of each query parameter.
    pub query: IndexMap<String, String>,
    /// The first value of each header, by its [normalised name](header_name).
    pub headers: IndexMap<String, String>,
    /// The body. For creates and updates: what is about to be written, that is after `+` and `-`
    /// modifiers were applied, and each new file as an object of `name`, `originalName`, `size`.
    pub body: serde_json::Map<String, serde_json::Value>,
    /// Who asks; `None` for guests.
    pub auth: Option<Arc<Record>>,
}

/// On whose behalf a rule is checked: `@request.context`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Purpose {
    #[default]
    Default,
    Expand,
    Realtime,
    ProtectedFile,
    Batch,
    OAuth2,
    Otp,
    Password,
}

impl Purpose {
    pub fn as_str(self) -> &'static str {
        match self {
            Purpose::Default => "default",
            Purpose::Expand => "expand",
            Purpose::Realtime => "realtime",
            Purpose::ProtectedFile => "protectedFile",
            Purpose::Batch => "batch",
            Purpose::OAuth2 => "oauth2",
            Purpose::Otp => "otp",
            Purpose::Password => "password",
        }
    }
}

impl RequestContext {
    /// A context without parameters, headers and body.
    pub fn new(context: Purpose, method: &str, auth: Option<Arc<Record>>) -> RequestContext {
        RequestContext {
            context,
            method: method.to_owned(),
            query: IndexMap::new(),
            headers: IndexMap::new(),
            body: serde_json::Map::new(),
            auth,
        }
    }

    /// Whether the one who asks is a superuser, whom no rule binds.
    pub fn superuser(&self) -> bool {
        self.auth.as_ref().is_some_and(|auth| auth.collection.name == "_superusers")
    }
}

/// The name of a header in `@request.headers.*`: `X-Token` becomes `x_token`.
///
/// Source: PocketBase `tools/inflector`, given the canonical form of HTTP/1 header names.
pub fn header_name(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for word in name.split(|next: char| !next.is_ascii_alphanumeric()) {
        if !word.is_empty() && !normal.is_empty() {
            normal.push('_');
        }
        normal.push_str(&word.to_ascii_lowercase());
    }
    normal
}
