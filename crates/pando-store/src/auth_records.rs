//! What follows from a change to a record that people log in with.
//!
//! Source: PocketBase `core/record_model.go`, `core/record_model_superusers.go`, and the hooks of
//! `core/{mfa,otp,auth_origin,external_auth}_model.go`.

use std::sync::Arc;

use pando_filter::{Dialect, Sql};
use pando_schema::{Collection, Record};

use crate::records::WriteError;
use crate::{StoreError, Tx};

const SUPERUSERS: &str = "_superusers";

/// What those wait for in PostgreSQL who delete superusers: "sups" in ASCII.
const DELETE_LOCK: i64 = 0x7375_7073;

/// The superuser that PocketBase makes for its own set-up page, gone once a real one exists.
const INSTALLER_EMAIL: &str = "__pbinstaller@example.com";

/// System collections whose records belong to one auth record, named by two columns.
const DEPENDENTS: [&str; 4] = ["_mfas", "_otps", "_externalAuths", "_authOrigins"];

/// Of those, the ones that a new password makes void.
const VOID_BY_PASSWORD: [&str; 2] = ["_mfas", "_authOrigins"];

impl Tx {
    /// A real superuser makes the installer's one superfluous.
    pub(crate) async fn after_auth_insert(&mut self, record: &Record) -> Result<(), WriteError> {
        if record.collection.name != SUPERUSERS || record.text("email") == INSTALLER_EMAIL {
            return Ok(());
        }
        let mut sql = self.sql();
        sql.push("DELETE FROM ").quoted(SUPERUSERS);
        sql.push(" WHERE ").quoted("email").push(" = ").bind(INSTALLER_EMAIL);
        self.execute(&sql).await?;
        Ok(())
    }

    /// Voids the tokens and pending logins that a change of password, address or verification
    /// makes doubtful.
    pub(crate) async fn prepare_auth_update(
        &mut self,
        record: &mut Record,
        original: &Record,
    ) -> Result<(), WriteError> {
        if record.text("password") != original.text("password") {
            self.delete_dependents(record, &VOID_BY_PASSWORD).await?;
        }
        record.renew_token_key(original, &mut rand::rng());
        if record.bool("verified") && !original.bool("verified") {
            // Whoever linked an account before the address was proven may be someone else.
            let deleted = self.delete_dependents(record, &["_externalAuths"]).await?;
            if deleted > 0 && record.text("tokenKey") == original.text("tokenKey") {
                record.refresh_token_key(&mut rand::rng());
            }
        }
        if record.text("tokenKey") != original.text("tokenKey") {
            // Else a code mailed to the old address would still log in.
            self.delete_dependents(record, &["_otps"]).await?;
        }
        Ok(())
    }

    /// Refuses to delete the only superuser.
    pub(crate) async fn check_superuser_left(&mut self, record: &Record) -> Result<(), WriteError> {
        if record.collection.name != SUPERUSERS {
            return Ok(());
        }
        if self.dialect() == Dialect::Postgres {
            // Else two requests could each delete one of the last two. Not by locking the rows:
            // each has one of them locked already, and would wait for the other's.
            let mut lock = self.sql();
            lock.push("SELECT pg_advisory_xact_lock(").bind(DELETE_LOCK).push(")::text");
            self.rows(&lock).await?;
        }
        let mut sql = self.sql();
        sql.push("SELECT ").quoted("id").push(" FROM ").quoted(SUPERUSERS).push(" LIMIT 2");
        match self.rows(&sql).await?.len() {
            1 => Err(WriteError::LastSuperuser),
            _ => Ok(()),
        }
    }

    pub(crate) async fn after_auth_delete(&mut self, record: &Record) -> Result<(), WriteError> {
        self.delete_dependents(record, &DEPENDENTS).await?;
        Ok(())
    }

    async fn delete_dependents(
        &mut self,
        record: &Record,
        tables: &[&str],
    ) -> Result<usize, StoreError> {
        let mut deleted = 0;
        for table in tables {
            let mut sql = self.sql();
            sql.push("DELETE FROM ").quoted(table).push(" WHERE ");
            push_owner(&mut sql, record);
            deleted += self.execute(&sql).await?;
        }
        Ok(deleted)
    }

    /// What belongs to the records of a deleted auth collection goes with it.
    pub(crate) async fn delete_collection_dependents(
        &mut self,
        collection: &Collection,
    ) -> Result<(), StoreError> {
        for table in DEPENDENTS {
            let mut sql = self.sql();
            sql.push("DELETE FROM ").quoted(table);
            sql.push(" WHERE ").quoted("collectionRef").push(" = ").bind(collection.id.as_str());
            self.execute(&sql).await?;
        }
        Ok(())
    }

    /// Whether no record of another auth collection has `id`, so that a rule which forgets the
    /// collection does not take one person for another.
    pub(crate) async fn auth_id_free(
        &mut self,
        collection: &Collection,
        id: &str,
    ) -> Result<bool, StoreError> {
        let schema = Arc::clone(&self.schema);
        for other in schema.iter() {
            if other.auth.is_none() || other.id == collection.id {
                continue;
            }
            let mut sql = self.sql();
            sql.push("SELECT 1 FROM ").quoted(&other.name);
            sql.push(" WHERE ").quoted("id").push(" = ").bind(id);
            if self.exists(&sql).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Appends that a row of a dependent collection belongs to `record`.
pub fn push_owner(sql: &mut Sql, record: &Record) {
    sql.quoted("collectionRef").push(" = ").bind(record.collection.id.as_str());
    sql.push(" AND ").quoted("recordRef").push(" = ").bind(record.id());
}
