//! `pando superuser`: the accounts that may do everything.
//!
//! Source: PocketBase `cmd/superuser.go`, whose words are kept.

use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail, ensure};
use pando_runtime::host;
use pando_schema::{
    Collection, Problem, ProblemTree, Problems, Record, random_text_of, single_column_unique_index,
    validate,
};
use pando_store::{Store, StoreError, WriteError};
use serde_json::json;

use crate::{
    cli::{Cli, SuperuserAction},
    config::Config,
    control, output,
    output::{green, yellow},
};

const COLLECTION: &str = "_superusers";

/// The account that PocketBase makes for its set-up page; it does not count as one.
const INSTALLER_EMAIL: &str = "__pbinstaller@example.com";

/// What bcrypt takes into account. PocketBase refuses longer ones rather than cut them off.
const BCRYPT_BYTES_MAX: usize = 72;

pub(crate) fn run(cli: &Cli, action: &SuperuserAction) -> anyhow::Result<()> {
    let (verb, words) = match action {
        SuperuserAction::Create(words) => ("create", &words.words),
        SuperuserAction::Upsert(words) => ("upsert", &words.words),
        SuperuserAction::Update(words) => ("update", &words.words),
        SuperuserAction::Delete(words) => ("delete", &words.words),
        SuperuserAction::Otp(words) => ("otp", &words.words),
    };
    let config = Config::read(&cli.sources())?;
    let text = host::async_runtime()?.block_on(perform_somewhere(&config, verb, words))?;
    Ok(output::print(&text)?)
}

/// Performs a command here, or by the server that has the data directory open.
async fn perform_somewhere(
    config: &Config,
    verb: &str,
    words: &[String],
) -> anyhow::Result<String> {
    match Store::open(&config.store_options()).await {
        Ok(store) => {
            let outcome = perform(&store, verb, words).await;
            store.close().await;
            outcome
        }
        Err(in_use @ StoreError::InUse(_)) => {
            control::ask(&config.store.dir, verb, words).await?.ok_or_else(|| in_use.into())
        }
        Err(error) => Err(error.into()),
    }
}

/// Performs a command and returns what to tell.
pub(crate) async fn perform(store: &Store, verb: &str, words: &[String]) -> anyhow::Result<String> {
    let accounts = Accounts::of(store)?;
    match (verb, words) {
        ("create" | "upsert" | "update", [email, password]) => {
            ensure!(accounts.email_valid(email), "missing or invalid email address");
            match verb {
                "create" => accounts.create(email, password).await,
                "upsert" => accounts.upsert(email, password).await,
                _ => accounts.update(email, password).await,
            }
        }
        ("create" | "upsert" | "update", _) => bail!("missing email and password arguments"),
        ("delete" | "otp", [email, ..]) if accounts.email_valid(email) => match verb {
            "delete" => accounts.delete(email).await,
            _ => accounts.create_otp(email).await,
        },
        ("delete" | "otp", _) => bail!("invalid or missing email address"),
        _ => bail!("unknown command {verb:?}"),
    }
}

/// Whether somebody can administer this store.
pub(crate) async fn any(store: &Store) -> Result<bool, StoreError> {
    let mut conn = store.read().await?;
    let mut sql = conn.sql();
    sql.push("SELECT 1 FROM ").quoted("_superusers");
    sql.push(" WHERE ").quoted("email").push(" <> ").bind(INSTALLER_EMAIL).push(" LIMIT 1");
    conn.exists(&sql).await
}

struct Accounts<'a> {
    store: &'a Store,
    collection: Arc<Collection>,
}

impl Accounts<'_> {
    fn of(store: &Store) -> anyhow::Result<Accounts<'_>> {
        let collection = collection(store, COLLECTION)?;
        Ok(Accounts { store, collection })
    }

    async fn create(&self, email: &str, password: &str) -> anyhow::Result<String> {
        let saved = self.save(None, email, password).await;
        saved.context("failed to create new superuser account")?;
        Ok(line(&green(&format!("Successfully created new superuser {email:?}!"))))
    }

    async fn upsert(&self, email: &str, password: &str) -> anyhow::Result<String> {
        let known = self.find(email).await?;
        let saved = self.save(known, email, password).await;
        saved.context("failed to upsert superuser account")?;
        Ok(line(&green(&format!("Successfully saved superuser {email:?}!"))))
    }

    async fn update(&self, email: &str, password: &str) -> anyhow::Result<String> {
        let known = self.existing(email).await?;
        let email = known.text("email").to_owned();
        let saved = self.save(Some(known), &email, password).await;
        saved.with_context(|| format!("failed to change superuser {email:?} password"))?;
        Ok(line(&green(&format!("Successfully changed superuser {email:?} password!"))))
    }

    async fn delete(&self, email: &str) -> anyhow::Result<String> {
        let Some(known) = self.find(email).await? else {
            let text = format!("superuser {email:?} is missing or already deleted");
            return Ok(line(&yellow(&text)));
        };
        let email = known.text("email").to_owned();
        let deleted = self.store.write(|tx| Box::pin(tx.delete(Arc::new(known)))).await;
        deleted.map_err(told).with_context(|| format!("failed to delete superuser {email:?}"))?;
        Ok(line(&green(&format!("Successfully deleted superuser {email:?}!"))))
    }

    async fn create_otp(&self, email: &str) -> anyhow::Result<String> {
        let known = self.existing(email).await?;
        let options = self.collection.auth.as_ref().map(|auth| &auth.otp);
        let options = options
            .filter(|otp| otp.enabled)
            .context("OTP auth is not enabled for the _superusers collection")?;
        let length = usize::try_from(options.length).unwrap_or_default();
        let pass = random_text_of(&mut rand::rng(), length, "1234567890");
        let mut otp = Record::new(collection(self.store, "_otps")?);
        set(&mut otp, "collectionRef", &self.collection.id);
        set(&mut otp, "recordRef", known.id());
        set(&mut otp, "password", &pass);
        let otp = save(self.store, otp, None).await.context("failed to create OTP")?;
        Ok(format!(
            "{}\n{}\n{}\n{}\n\n",
            green(&format!("Successfully created OTP for superuser {:?}:", known.text("email"))),
            green(&format!("├─ Id:    {}", otp.id())),
            green(&format!("├─ Pass:  {pass}")),
            green(&format!("└─ Valid: {}s", options.duration)),
        ))
    }

    async fn existing(&self, email: &str) -> anyhow::Result<Record> {
        let found = self.find(email).await?;
        found.with_context(|| format!("superuser with email {email:?} doesn't exist"))
    }

    /// Letter case counts unless the index on the addresses says otherwise.
    async fn find(&self, email: &str) -> Result<Option<Record>, StoreError> {
        let index = single_column_unique_index(&self.collection.indexes, "email");
        let any_case = index.is_some_and(|index| {
            index.columns.iter().any(|column| column.collate.eq_ignore_ascii_case("nocase"))
        });
        let mut conn = self.store.read().await?;
        conn.find_by(&self.collection, "email", email, any_case).await
    }

    async fn save(
        &self,
        known: Option<Record>,
        email: &str,
        password: &str,
    ) -> anyhow::Result<Arc<Record>> {
        if password.len() > BCRYPT_BYTES_MAX {
            bail!("password: bcrypt: password length exceeds {BCRYPT_BYTES_MAX} bytes.");
        }
        let empty = || Record::new(Arc::clone(&self.collection));
        let mut record = known.clone().unwrap_or_else(empty);
        set(&mut record, "email", email);
        set(&mut record, "password", password);
        save(self.store, record, known).await
    }

    /// Judged as the field `email` judges it, whatever domains it may be limited to.
    fn email_valid(&self, email: &str) -> bool {
        let mut probe = Record::new(Arc::clone(&self.collection));
        set(&mut probe, "email", email);
        let (problems, _) = validate(&probe, None);
        match problems.0.get("email") {
            Some(ProblemTree::One(Problem { code, .. })) => {
                !matches!(*code, "validation_is_email" | "validation_required")
            }
            Some(ProblemTree::Parts(_)) | None => !email.is_empty(),
        }
    }
}

/// Validates, hashes and writes a record; `known` is how it is stored, if it is.
async fn save(
    store: &Store,
    mut record: Record,
    known: Option<Record>,
) -> anyhow::Result<Arc<Record>> {
    if known.is_none() {
        record.fill_new(&mut rand::rng());
    }
    let (mut problems, checks) = validate(&record, known.as_ref());
    if !problems.is_empty() {
        return Err(told(WriteError::Invalid(problems)));
    }
    // Before the transaction, which other writers wait for.
    let record = tokio::task::spawn_blocking(move || hashed(record)).await??;
    let written = store.write(move |tx| {
        Box::pin(async move {
            tx.check(&record, &checks, &mut problems).await?;
            problems.into_result().map_err(WriteError::Invalid)?;
            match &known {
                Some(known) => tx.update(record, known).await,
                None => tx.insert(record).await,
            }
        })
    });
    written.await.map_err(told)
}

fn hashed(mut record: Record) -> anyhow::Result<Record> {
    let plain: Vec<(usize, String, u32)> = record
        .plain_passwords()
        .map(|pending| (pending.field_index, pending.plain.to_owned(), pending.cost))
        .collect();
    for (field_index, plain, cost) in plain {
        record.put_password_hash(field_index, bcrypt::hash(plain, cost)?);
    }
    Ok(record)
}

fn collection(store: &Store, name: &str) -> anyhow::Result<Arc<Collection>> {
    let schema = store.schema();
    schema.by_name(name).cloned().with_context(|| format!("failed to fetch {name:?} collection"))
}

fn set(record: &mut Record, name: &str, text: &str) {
    record.set(name, &json!(text), &mut rand::rng());
}

/// The error in PocketBase's words.
fn told(error: WriteError) -> anyhow::Error {
    match error {
        WriteError::Invalid(problems) => anyhow!(listed(&problems)),
        WriteError::LastSuperuser => anyhow!("You can't delete the only existing superuser."),
        WriteError::Required { .. } | WriteError::Store(_) => error.into(),
    }
}

/// `email: cannot be blank; password: Must be at least 8 character(s).`
fn listed(problems: &Problems) -> String {
    let mut parts = Vec::new();
    for (name, tree) in &problems.0 {
        parts.push(match tree {
            ProblemTree::One(problem) => {
                format!("{name}: {}", problem.message.trim_end_matches('.'))
            }
            ProblemTree::Parts(inner) => format!("{name}: ({})", listed(inner)),
        });
    }
    parts.join("; ") + "."
}

fn line(text: &str) -> String {
    format!("{text}\n")
}
