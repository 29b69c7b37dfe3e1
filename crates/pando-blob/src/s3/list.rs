//! Lists the objects of a bucket, and deletes all with a common beginning.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use http::Method;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::task::JoinSet;

use super::client::Call;
use super::{Client, S3Error, xml};
use crate::error::settled;
use crate::{BlobError, Key, Listed, Prefix};

/// S3's limit.
const PAGE_OBJECTS_MAX: usize = 1_000;
const DELETIONS_AT_ONCE: usize = 16;

/// Some objects, and where the next ones begin.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// Those whose keys are ours.
    pub(super) objects: Vec<Listed>,
    pub(super) next: Option<String>,
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    /// What keys begin with.
    pub(super) start: &'a str,
    /// `/` leaves out what lies in folders below.
    pub(super) delimiter: &'a str,
    pub(super) count_max: usize,
}

/// A page from `token` on.
pub(super) async fn page(
    client: &Client,
    asked: Asked<'_>,
    token: Option<&str>,
) -> Result<Page, S3Error> {
    let count = asked.count_max.min(PAGE_OBJECTS_MAX);
    let mut query = vec![("list-type", "2".to_owned()), ("max-keys", count.to_string())];
    for (name, value) in [("prefix", asked.start), ("delimiter", asked.delimiter)] {
        if !value.is_empty() {
            query.push((name, value.to_owned()));
        }
    }
    query.extend(token.map(|token| ("continuation-token", token.to_owned())));
    let answer = client.send(&Call { query, ..Call::new(Method::GET, "") }).await?;
    let text = String::from_utf8_lossy(answer.body());
    if xml::elements(&text, "ListBucketResult").next().is_none() {
        return Err(client.malformed("no list"));
    }
    let objects = xml::elements(&text, "Contents").filter_map(listed).collect();
    let next = xml::text(&text, "NextContinuationToken").filter(|token| !token.is_empty());
    Ok(Page { objects, next })
}

fn listed(xml: &str) -> Option<Listed> {
    let text = |name| xml::text(xml, name);
    // Keys that are not ours are of no interest.
    let key = Key::parse(text("Key")?).ok()?;
    let modified = OffsetDateTime::parse(&text("LastModified")?, &Rfc3339).ok();
    let modified = modified.map_or(UNIX_EPOCH, SystemTime::from);
    Some(Listed { key, size_bytes: text("Size")?.parse().ok()?, modified })
}

/// All objects under a prefix, a page at a time.
pub(crate) struct Pages {
    client: Arc<Client>,
    start: String,
    page: std::vec::IntoIter<Listed>,
    /// Where the next page begins; `None` at the end.
    next: Option<Option<String>>,
}

impl Pages {
    pub(super) fn new(client: &Arc<Client>, prefix: &Prefix) -> Pages {
        let (client, start) = (Arc::clone(client), prefix.start());
        Pages { client, start, page: Vec::new().into_iter(), next: Some(None) }
    }

    pub(crate) async fn next(&mut self) -> Result<Option<Listed>, BlobError> {
        loop {
            if let Some(listed) = self.page.next() {
                return Ok(Some(listed));
            }
            let Some(token) = self.next.take() else { return Ok(None) };
            let asked = Asked { start: &self.start, delimiter: "", count_max: PAGE_OBJECTS_MAX };
            let found = page(&self.client, asked, token.as_deref()).await;
            let found = found.map_err(|error| BlobError::bucket("list", &self.start, error))?;
            self.page = found.objects.into_iter();
            self.next = found.next.map(Some);
        }
    }
}

/// The objects right under a prefix.
pub(super) async fn list(
    client: &Client,
    prefix: Option<&Prefix>,
    count_max: usize,
) -> Result<Vec<Listed>, BlobError> {
    let start = prefix.map(Prefix::start).unwrap_or_default();
    let mut found: Vec<Listed> = Vec::new();
    let mut token = None;
    while found.len() < count_max {
        let asked = Asked { start: &start, delimiter: "/", count_max: count_max - found.len() };
        let page = page(client, asked, token.as_deref()).await;
        let page = page.map_err(|error| BlobError::bucket("list", &start, error))?;
        found.extend(page.objects);
        token = page.next;
        if token.is_none() {
            break;
        }
    }
    Ok(found)
}

/// Deletes all objects under a prefix, until none is left: originals first, so that who makes a
/// thumb meanwhile and then finds its original gone knows that it must delete it.
pub(super) async fn delete_all(client: &Arc<Client>, prefix: &Prefix) -> Result<u64, BlobError> {
    let start = prefix.start();
    let asked = Asked { start: &start, delimiter: "", count_max: PAGE_OBJECTS_MAX };
    let (mut count, mut token, mut last) = (0, None, None);
    loop {
        let page = page(client, asked, token.as_deref()).await;
        let page = page.map_err(|error| BlobError::bucket("list", &start, error))?;
        let first = page.objects.first().map(|object| object.key.clone());
        if first.is_none() && page.next.is_some() {
            // None of these is ours.
            token = page.next;
            continue;
        }
        if first.is_none() || first == last {
            // Some servers go on showing what is deleted for a while.
            return Ok(count);
        }
        last = first;
        count += page.objects.len() as u64;
        let keys = page.objects.into_iter().map(|object| object.key);
        let (thumbs, originals) = keys.partition::<Vec<Key>, _>(Key::is_thumb);
        for keys in [originals, thumbs] {
            delete_each(client, keys).await?;
        }
    }
}

async fn delete_each(client: &Arc<Client>, keys: Vec<Key>) -> Result<(), BlobError> {
    let mut deleting = JoinSet::new();
    for key in keys {
        if deleting.len() == DELETIONS_AT_ONCE
            && let Some(deleted) = deleting.join_next().await
        {
            settled(deleted)?;
        }
        let client = Arc::clone(client);
        deleting.spawn(async move { delete(&client, key.as_str()).await });
    }
    while let Some(deleted) = deleting.join_next().await {
        settled(deleted)?;
    }
    Ok(())
}

/// Deletes an object. That there is none is no failure, since S3 does not tell.
pub(super) async fn delete(client: &Client, key: &str) -> Result<(), BlobError> {
    match client.send(&Call::new(Method::DELETE, key)).await {
        Ok(_) => Ok(()),
        Err(error) if error.is_absence() => Ok(()),
        Err(error) => Err(BlobError::bucket("delete", key, error)),
    }
}
