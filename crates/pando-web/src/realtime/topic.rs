//! What a client watches: a path, and options that shape its events.
//!
//! Source: PocketBase `tools/subscriptions/client.go` (`Subscribe`).

use indexmap::IndexMap;
use pando_filter::header_name;
use pando_schema::Record;
use serde_json::Value as Json;

use crate::request::Query;

/// A subscription as a client sent it, for example `posts/*?options={"query":{"expand":"a"}}`.
#[derive(Debug, PartialEq)]
pub(super) struct Topic {
    /// As it was sent: the name of its events.
    pub(super) text: String,
    /// What comes before the options.
    pub(super) path: String,
    /// Query parameters that rules, filter, `expand` and `fields` see.
    pub(super) query: IndexMap<String, String>,
    /// Headers that rules see.
    pub(super) headers: IndexMap<String, String>,
}

impl Topic {
    /// Options that cannot be read are no options.
    pub(super) fn parse(text: &str) -> Topic {
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        let query = query.split_once('#').map_or(query, |(query, _)| query);
        let options = Query::parse(query);
        let options: Json = serde_json::from_str(options.first("options")).unwrap_or_default();
        let member = |name: &str| options.get(name).and_then(Json::as_object);
        let pairs = |name: &str, key: fn(&str) -> String| {
            let members = member(name).into_iter().flatten();
            members.map(|(name, value)| (key(name), text_of(value))).collect()
        };
        Topic {
            text: text.to_owned(),
            path: path.to_owned(),
            query: pairs("query", str::to_owned),
            headers: pairs("headers", header_name),
        }
    }

    pub(super) fn option(&self, name: &str) -> &str {
        self.query.get(name).map_or("", String::as_str)
    }

    /// Whether clients with this topic may see different things of `record`, depending on who
    /// they are. Errs on the side of yes.
    pub(super) fn depends_on_auth(&self, record: &Record) -> bool {
        let collection = &record.collection;
        let rule = match self.path.ends_with(record.id()) {
            true => &collection.rules.view,
            false => &collection.rules.list,
        };
        let plain = |text: &str| !text.contains(['@', '.']);
        collection.auth.is_some()
            || !rule.as_deref().is_none_or(plain)
            || !plain(self.option("filter"))
            || !self.option("expand").is_empty()
    }
}

/// The paths under which `record` is watched.
pub(super) fn paths(record: &Record) -> [String; 6] {
    let (collection, id) = (&record.collection, record.id());
    [
        format!("{}/{id}", collection.name),
        format!("{}/{id}", collection.id),
        format!("{}/*", collection.name),
        format!("{}/*", collection.id),
        collection.name.clone(),
        collection.id.clone(),
    ]
}

/// A JSON scalar as the text that it is in a query string.
fn text_of(value: &Json) -> String {
    match value {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_from_the_query() {
        let options = "%7B%22query%22%3A%7B%22filter%22%3A%22a%3D1%22%2C%22n%22%3A5%7D%2C\
                       %22headers%22%3A%7B%22X-Token%22%3A%22t%22%7D%7D";
        let topic = Topic::parse(&format!("posts/*?options={options}"));
        assert_eq!(topic.path, "posts/*");
        assert_eq!(topic.option("filter"), "a=1");
        assert_eq!(topic.option("n"), "5");
        assert_eq!(topic.headers["x_token"], "t");
        assert_eq!(Topic::parse("posts?options={bad").query.len(), 0);
    }
}
