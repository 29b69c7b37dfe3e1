//! Creating, updating and deleting records.
//!
//! A write has two parts. What is slow and needs no lock comes first (`prepare`): reading the
//! body, hashing passwords, storing files. Then one transaction reads the record, applies rules,
//! validates and writes (`Prepared::run`). Files of a write that fails are deleted again.
//!
//! Source: PocketBase `apis/record_crud.go`.

use std::sync::Arc;

use http::StatusCode;
use pando_blob::{Key, Prefix, unique_name};
use pando_filter::{Origin, Purpose, RequestContext};
use pando_schema::{
    Access, Collection, CollectionKind, FieldKind, NewFile, Record, Upsert, Value, files_removed,
    validate,
};
use pando_store::{StoreError, Tx, WriteError};
use serde_json::{Map, Value as Json};

use super::files::{self, Obsolete, Stored};
use super::{enrich_one, record_response};
use crate::access::{self, Verdict, superusers_only, verdict};
use crate::app::{App, SharedApp};
use crate::request::Request;
use crate::resources::{collection, existing};
use crate::response::{Response, no_content};
use crate::submission::SubmittedFile;
use crate::{ApiError, passwords, rate_limit};

/// What a write does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    Create,
    Update {
        id: String,
    },
    /// Updates the record with that id if there is one, else creates it.
    Upsert {
        id: String,
    },
    Delete {
        id: String,
    },
}

/// A write that is ready for its transaction. A clone is for another try.
#[derive(Debug, Clone)]
pub(crate) struct Prepared {
    target: Target,
    collection_id: String,
    context: RequestContext,
    fields: Map<String, Json>,
    uploads: Vec<(String, NewFile)>,
    /// For a new record with files: the id under which they are stored.
    new_id: Option<String>,
    /// Hashes of the passwords in `fields`, by field name.
    hashes: Vec<(String, String)>,
    /// The stored hash that the given old password fits.
    old_hash: Option<String>,
    /// Whether the collection has fields for files.
    takes_files: bool,
}

/// What a write did.
#[derive(Debug)]
pub(crate) struct Written {
    /// `None` after a delete.
    pub record: Option<Record>,
    pub obsolete: Vec<Obsolete>,
}

/// `POST /api/collections/{collection}/records`
pub(crate) async fn create(
    app: &SharedApp,
    request: &mut Request,
    name: &str,
) -> Result<Response, ApiError> {
    write_one(app, request, name, Target::Create).await
}

/// `PATCH /api/collections/{collection}/records/{id}`
pub(crate) async fn update(
    app: &SharedApp,
    request: &mut Request,
    name: &str,
    id: &str,
) -> Result<Response, ApiError> {
    write_one(app, request, name, Target::Update { id: id.to_owned() }).await
}

/// `DELETE /api/collections/{collection}/records/{id}`
pub(crate) async fn delete(
    app: &SharedApp,
    request: &mut Request,
    name: &str,
    id: &str,
) -> Result<Response, ApiError> {
    write_one(app, request, name, Target::Delete { id: id.to_owned() }).await
}

async fn write_one(
    app: &SharedApp,
    request: &mut Request,
    name: &str,
    target: Target,
) -> Result<Response, ApiError> {
    let (prepared, stored) = prepare(app, request, name, target, Purpose::Default).await?;
    let record = if stored.is_some() || prepared.may_leave_files() {
        files::write(app, stored.into_iter().collect(), move |tx| {
            Box::pin(async move {
                let written = prepared.run(tx).await?;
                Ok((written.record, written.obsolete))
            })
        })
        .await?
    } else {
        app.store.write(move |tx| Box::pin(prepared.run(tx))).await?.record
    };
    let Some(record) = record else { return Ok(no_content()) };
    let record = match needs_enriching(request, &record) {
        true => enrich_written(app, request, record).await?,
        false => record,
    };
    Ok(record_response(request, &record))
}

/// Enriches a record that is written by now. Who asks must not believe that it is not.
async fn enrich_written(
    app: &SharedApp,
    request: &Request,
    record: Record,
) -> Result<Record, ApiError> {
    let maybe_done = |error: ApiError| match error.status.is_server_error() {
        true => ApiError::from(StoreError::Unknown),
        false => error,
    };
    loop {
        let (schema, version) = (app.store.schema(), app.store.version());
        let mut conn = app.store.read().await.map_err(|error| maybe_done(error.into()))?;
        match enrich_one(&mut conn, &schema, request, record.clone()).await {
            Err(error) if error.outdated() => {
                drop(conn);
                app.store.catch_up().await.map_err(|error| maybe_done(error.into()))?;
                if app.store.version() == version {
                    return Err(maybe_done(error));
                }
            }
            outcome => return outcome.map_err(maybe_done),
        }
    }
}

fn needs_enriching(request: &Request, record: &Record) -> bool {
    record.collection.auth.is_some()
        || request.by_superuser()
        || !request.query.first("expand").is_empty()
}

/// Does everything about a write that needs no transaction. With it come the files that were
/// stored for it, which whoever runs it must keep or let go.
pub(crate) async fn prepare(
    app: &SharedApp,
    request: &mut Request,
    name: &str,
    target: Target,
    purpose: Purpose,
) -> Result<(Prepared, Option<Stored>), ApiError> {
    let schema = app.store.schema();
    let collection = match (&target, purpose) {
        (Target::Create | Target::Update { .. }, Purpose::Default) => existing(&schema, name)?,
        _ => collection(&schema, name)?,
    };
    if collection.kind == CollectionKind::View {
        return Err(ApiError::bad_request("Unsupported collection type."));
    }
    let (rule, action) = match target {
        Target::Create => (&collection.rules.create, "create"),
        Target::Update { .. } | Target::Upsert { .. } => (&collection.rules.update, "update"),
        Target::Delete { .. } => (&collection.rules.delete, "delete"),
    };
    rate_limit::check_collection(app, request, collection, action).await?;
    // Which rule an upsert is under shows only inside the transaction.
    let upsert = matches!(target, Target::Upsert { .. });
    if !upsert && verdict(rule.as_deref(), request.by_superuser()) == Verdict::Denied {
        return Err(superusers_only());
    }
    let submission = request.submission(&app.staging, body_bytes_max(app, collection)).await?;
    if submission.xml {
        return Err(ApiError::bad_request(""));
    }
    let takes_files =
        collection.fields.iter().any(|field| matches!(field.kind, FieldKind::File { .. }));
    if submission.no_parts && takes_files && !matches!(target, Target::Delete { .. }) {
        // PocketBase looks for files in it.
        return Err(ApiError::bad_request("Failed to read the submitted data."));
    }
    let fields = std::mem::take(&mut submission.fields);
    let files = std::mem::take(&mut submission.files);
    let mut prepared = Prepared {
        target,
        collection_id: collection.id.clone(),
        context: request.context(purpose),
        fields,
        uploads: Vec::new(),
        new_id: None,
        hashes: Vec::new(),
        old_hash: None,
        takes_files,
    };
    if prepared.target == (Target::Delete { id: String::new() }) {
        return Err(ApiError::not_found(""));
    }
    let files = prepared.name_files(collection, files);
    let stored = match !files.is_empty() || prepared.has_password(collection) {
        true => prepared.run_slow_parts(app, collection, files).await?,
        false => None,
    };
    Ok((prepared, stored))
}

/// The largest body that a write to `collection` may have: the general limit and what its fields
/// may hold. Source: PocketBase `CalculateMaxBodySize`.
fn body_bytes_max(app: &App, collection: &Collection) -> u64 {
    const EDITOR_BYTES: i64 = 5 << 20;
    const JSON_BYTES: i64 = 1 << 20;
    const FILE_BYTES: i64 = 5 << 20;
    let or = |size: i64, default: i64| if size > 0 { size } else { default };
    let sizes = collection.fields.iter().map(|field| match &field.kind {
        FieldKind::Editor { max_size, .. } => or(*max_size, EDITOR_BYTES),
        FieldKind::Json { max_size, .. } => or(*max_size, JSON_BYTES),
        FieldKind::File { max_size, max_select, .. } => {
            or(*max_size, FILE_BYTES).saturating_mul((*max_select).max(1))
        }
        _ => 0,
    });
    let fields = sizes.fold(0_i64, i64::saturating_add);
    app.config.body_max.bytes().saturating_add(u64::try_from(fields).unwrap_or(0))
}

impl Prepared {
    /// Gives the files for file fields the names that they will be stored under; drops others.
    fn name_files(
        &mut self,
        collection: &Collection,
        files: Vec<SubmittedFile>,
    ) -> Vec<(String, SubmittedFile)> {
        let mut named = Vec::new();
        for file in files {
            let plain = file.field.strip_suffix('+').or_else(|| file.field.strip_prefix('+'));
            let field = collection.field(plain.unwrap_or(&file.field));
            if !field.is_some_and(|field| matches!(field.kind, FieldKind::File { .. })) {
                continue;
            }
            let name = unique_name(&file.original_name, &file.content.head, &mut rand::rng());
            let new = NewFile {
                name: name.clone(),
                original_name: file.original_name.clone(),
                size_bytes: file.content.size_bytes,
                mime: file.content.mime.to_string(),
            };
            self.uploads.push((file.field.clone(), new));
            named.push((name, file));
        }
        named
    }

    fn has_password(&self, collection: &Collection) -> bool {
        let mut fields = collection.fields.iter();
        self.fields.contains_key("oldPassword")
            || fields.any(|field| {
                matches!(field.kind, FieldKind::Password { .. })
                    && self.fields.contains_key(&field.name)
            })
    }

    /// Tries the write on what is stored now, so as not to hash or store anything for a request
    /// that is bound to fail; then hashes and stores.
    async fn run_slow_parts(
        &mut self,
        app: &SharedApp,
        collection: &Arc<Collection>,
        files: Vec<(String, SubmittedFile)>,
    ) -> Result<Option<Stored>, ApiError> {
        let level = self.level();
        let mut trial = match &self.target {
            Target::Create => Upsert::create(Arc::clone(collection), level),
            Target::Update { id } | Target::Upsert { id } => {
                match app.store.read().await?.find(collection, id).await? {
                    Some(original) => Upsert::update(original, level),
                    // The transaction will see whether an earlier write of a batch makes it.
                    None => Upsert::create(Arc::clone(collection), level),
                }
            }
            Target::Delete { .. } => return Ok(None),
        };
        trial.load(&self.fields, self.uploads.clone(), &mut rand::rng());
        if trial.original.is_none() {
            trial.record.fill_new(&mut rand::rng());
        }
        if let Some((plain, hash)) = trial.old_password()
            && passwords::verify(plain.to_owned(), hash.to_owned()).await?
        {
            self.old_hash = Some(hash.to_owned());
        }
        let (problems, _) = validate(&trial.record, trial.original.as_ref());
        if !problems.is_empty() {
            // Refused for sure; the transaction finds the exact answer.
            return Ok(None);
        }
        for pending in trial.record.plain_passwords() {
            let name = collection.fields[pending.field_index].name.clone();
            self.hashes
                .push((name, passwords::hash(pending.plain.to_owned(), pending.cost).await?));
        }
        let id = match &self.target {
            Target::Update { id } | Target::Upsert { id } => id.clone(),
            Target::Create | Target::Delete { .. } => trial.record.id().to_owned(),
        };
        let stored = store_files(app, &trial.record, &id, files).await?;
        self.new_id = (self.target == Target::Create).then_some(id);
        Ok(stored)
    }

    /// Whether files that were stored before may have to be deleted after this write.
    fn may_leave_files(&self) -> bool {
        match self.target {
            Target::Create => false,
            Target::Update { .. } | Target::Upsert { .. } => self.takes_files,
            // Others go with it, whose collections may have files.
            Target::Delete { .. } => true,
        }
    }

    fn level(&self) -> Access {
        if self.context.superuser() { Access::Superuser } else { Access::User }
    }

    /// Writes, inside a transaction.
    pub(crate) async fn run(mut self, tx: &mut Tx) -> Result<Written, ApiError> {
        let schema = Arc::clone(tx.schema());
        let collection = schema.by_id(&self.collection_id);
        let collection =
            collection.ok_or_else(|| ApiError::not_found("Missing collection context."))?;
        match self.target.clone() {
            Target::Create => self.run_create(tx, collection).await,
            Target::Update { id } => self.run_update(tx, collection, &id).await,
            Target::Upsert { id } => match tx.find(collection, &id).await? {
                Some(_) => self.run_update(tx, collection, &id).await,
                None => {
                    "POST".clone_into(&mut self.context.method);
                    self.run_create(tx, collection).await
                }
            },
            Target::Delete { id } => self.run_delete(tx, collection, &id).await,
        }
    }

    async fn run_create(
        mut self,
        tx: &mut Tx,
        collection: &Arc<Collection>,
    ) -> Result<Written, ApiError> {
        const FAILED: &str = "Failed to create record.";
        let mut upsert = Upsert::create(Arc::clone(collection), self.level());
        self.load(&mut upsert);
        let rule = verdict(collection.rules.create.as_deref(), self.context.superuser());
        if !self.context.superuser() && upsert.record.password_too_long() {
            // PocketBase fails where it prepares the record for the rules.
            return Err(ApiError::bad_request(FAILED));
        }
        match rule {
            Verdict::Denied => return Err(superusers_only()),
            Verdict::Allowed => {}
            Verdict::Depends(rule) => {
                let given = rule_record(&upsert.record);
                if !self.passes_as_given(tx, &given, rule).await? {
                    return Err(ApiError::bad_request(FAILED));
                }
            }
        }
        if let Some(rule) = self.manage_rule(collection) {
            let given = rule_record(&upsert.record);
            if self.passes_as_given(tx, &given, rule).await? {
                upsert.access = Access::Manager;
            }
        }
        let problems = upsert.check(|_, _| false);
        problems.into_result().map_err(|problems| ApiError::invalid(FAILED, &problems))?;
        let mut record = upsert.record;
        if let Some(id) = self.new_id.take().filter(|_| record.id().is_empty()) {
            record.put("id", Value::Text(id));
        }
        record.fill_new(&mut rand::rng());
        self.judge(tx, &record, None, FAILED).await?;
        self.put_hashes(&mut record)?;
        let record = tx.insert(record).await.map_err(|error| refusal(error, FAILED))?;
        Ok(Written { record: Some(Arc::unwrap_or_clone(record)), obsolete: Vec::new() })
    }

    async fn run_update(
        mut self,
        tx: &mut Tx,
        collection: &Arc<Collection>,
        id: &str,
    ) -> Result<Written, ApiError> {
        const FAILED: &str = "Failed to update record.";
        let original = tx.find(collection, id).await?.ok_or_else(|| ApiError::not_found(""))?;
        let mut upsert = Upsert::update(original.clone(), self.level());
        self.load(&mut upsert);
        let rule = verdict(collection.rules.update.as_deref(), self.context.superuser());
        self.require(tx, &original, rule).await?;
        if let Some(rule) = self.manage_rule(collection) {
            let schema = Arc::clone(tx.schema());
            // Asked for the id after the change, under which there is no record yet.
            if upsert.record.id() == id
                && access::passes(tx, &schema, &original, rule, &self.context).await?
            {
                upsert.access = Access::Manager;
            }
        }
        let old_hash = self.old_hash.take();
        let problems = upsert.check(|_, hash| old_hash.as_deref() == Some(hash));
        problems.into_result().map_err(|problems| ApiError::invalid(FAILED, &problems))?;
        let mut record = upsert.record;
        self.judge(tx, &record, Some(&original), FAILED).await?;
        self.put_hashes(&mut record)?;
        let record = tx.update(record, &original).await.map_err(|error| refusal(error, FAILED))?;
        let obsolete = files_removed(&original, &record);
        let keys = obsolete.iter().map(|name| file_key(collection, id, name).map(Obsolete::File));
        let obsolete = keys.collect::<Result<Vec<_>, _>>()?;
        Ok(Written { record: Some(Arc::unwrap_or_clone(record)), obsolete })
    }

    async fn run_delete(
        self,
        tx: &mut Tx,
        collection: &Arc<Collection>,
        id: &str,
    ) -> Result<Written, ApiError> {
        const FAILED: &str = "Failed to delete record. Make sure that the record is not part of a \
                              required relation reference.";
        let record = tx.find(collection, id).await?.ok_or_else(|| ApiError::not_found(""))?;
        let rule = verdict(collection.rules.delete.as_deref(), self.context.superuser());
        self.require(tx, &record, rule).await?;
        let deleted = tx.delete(Arc::new(record)).await.map_err(|error| refusal(error, FAILED))?;
        Ok(Written { record: None, obsolete: files_of(&deleted) })
    }

    /// Loads the request into `upsert` and shows rules the outcome as `@request.body`.
    fn load(&mut self, upsert: &mut Upsert) {
        upsert.load(&self.fields, self.uploads.clone(), &mut rand::rng());
        let keys: Vec<&str> = self.uploads.iter().map(|(key, _)| key.as_str()).collect();
        self.context.body = upsert.resolved_body(&self.fields, &keys);
    }

    /// Fails as if there were no such record unless the stored record passes the rule.
    async fn require(
        &self,
        tx: &mut Tx,
        record: &Record,
        rule: Verdict<'_>,
    ) -> Result<(), ApiError> {
        let rule = match rule {
            Verdict::Allowed => return Ok(()),
            Verdict::Denied => return Err(superusers_only()),
            Verdict::Depends(rule) => rule,
        };
        let schema = Arc::clone(tx.schema());
        match access::passes(tx, &schema, record, rule, &self.context).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(ApiError::not_found("")),
            // A rule that cannot be used hides the record.
            Err(error) if error.status == StatusCode::BAD_REQUEST => {
                Err(ApiError { cause: error.cause, ..ApiError::not_found("") })
            }
            Err(error) => Err(error),
        }
    }

    async fn passes_as_given(
        &self,
        tx: &mut Tx,
        record: &Record,
        rule: &str,
    ) -> Result<bool, ApiError> {
        let schema = Arc::clone(tx.schema());
        access::passes_as_given(tx, &schema, record, Origin::Submitted, rule, &self.context).await
    }

    /// The manage rule, if it matters for who asks.
    fn manage_rule<'c>(&self, collection: &'c Collection) -> Option<&'c str> {
        let rule = collection.auth.as_ref()?.manage_rule.as_deref();
        let asked = self.context.auth.is_some() && !self.context.superuser();
        rule.filter(|rule| asked && !rule.is_empty())
    }

    /// Fails with all that is wrong with `record`.
    async fn judge(
        &self,
        tx: &mut Tx,
        record: &Record,
        original: Option<&Record>,
        failed: &str,
    ) -> Result<(), ApiError> {
        let (mut problems, checks) = validate(record, original);
        tx.check(record, &checks, &mut problems).await?;
        problems.into_result().map_err(|problems| ApiError::invalid(failed, &problems))
    }

    fn put_hashes(&mut self, record: &mut Record) -> Result<(), ApiError> {
        for (name, hash) in std::mem::take(&mut self.hashes) {
            if let Some(index) = record.collection.field_index(&name)
                && record.plain_password(index).is_some()
            {
                record.put_password_hash(index, hash);
            }
        }
        if record.plain_passwords().next().is_some() {
            // The record changed under our feet so that a hash is missing.
            return Err(ApiError::unavailable(anyhow::anyhow!("a password was not hashed")));
        }
        Ok(())
    }
}

/// Puts those of `files` that `record` names where they belong.
async fn store_files(
    app: &SharedApp,
    record: &Record,
    id: &str,
    files: Vec<(String, SubmittedFile)>,
) -> Result<Option<Stored>, ApiError> {
    let used = |name: &str| record.file_names().any(|used| used == name);
    let files = files.into_iter().filter(|(name, _)| used(name));
    let keyed = files.map(|(name, file)| Ok((file_key(&record.collection, id, &name)?, file)));
    let keyed = keyed.collect::<Result<Vec<_>, ApiError>>()?;
    match keyed.is_empty() {
        true => Ok(None),
        false => Ok(Some(files::store(app, keyed).await?)),
    }
}

/// The record as create rules see it: with some id, and not verified, so that a rule about
/// managers cannot be satisfied by the new record's own claim.
fn rule_record(record: &Record) -> Record {
    let mut given = record.clone();
    if given.id().is_empty() {
        given.put("id", Value::Text("__temp_id__".to_owned()));
    }
    given.put("verified", Value::Bool(false));
    given
}

/// Where a file of a record is stored.
pub(crate) fn file_key(collection: &Collection, id: &str, name: &str) -> Result<Key, ApiError> {
    Key::parse(format!("{}/{id}/{name}", collection.id))
        .map_err(|error| ApiError::not_found("").caused_by(error))
}

/// The files of records that were deleted.
pub(crate) fn files_of(records: &[Arc<Record>]) -> Vec<Obsolete> {
    let has_files = |record: &&Arc<Record>| record.file_names().next().is_some();
    let folders = records.iter().filter(has_files).filter_map(|record| {
        Prefix::parse(&format!("{}/{}/", record.collection.id, record.id())).ok()
    });
    folders.map(Obsolete::Folder).collect()
}

fn refusal(error: WriteError, failed: &str) -> ApiError {
    match error {
        WriteError::Invalid(problems) => ApiError::invalid(failed, &problems),
        WriteError::Required { .. } => ApiError::bad_request(failed).caused_by(error),
        WriteError::LastSuperuser => {
            ApiError::bad_request("You can't delete the only existing superuser.")
        }
        WriteError::Store(error) => error.into(),
    }
}
