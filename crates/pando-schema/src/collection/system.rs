//! The collections that a new data directory starts with.
//!
//! Source: PocketBase `migrations/1640988000_init.go`.

use rand::RngCore;

use crate::field::list::add_field;
use crate::{AuthOptions, Collection, CollectionKind, Field, FieldKind};

/// Only the record that an entry belongs to may see (or delete) it.
const OWNER_RULE: &str = "@request.auth.id != '' && recordRef = @request.auth.id && \
                          collectionRef = @request.auth.collectionId";
const SELF_RULE: &str = "id = @request.auth.id";
/// One-time passwords live for minutes, so a cheap hash is enough.
const OTP_PASSWORD_COST: i64 = 8;
const SUPERUSER_TOKEN_SECONDS: i64 = 86_400;

/// The collections of a new data directory, in the order in which they are created. `now` is in
/// PocketBase's date format.
pub fn system_collections(rng: &mut dyn RngCore, now: &str) -> Vec<Collection> {
    let mut collections = vec![
        mfas(rng),
        otps(rng),
        external_auths(rng),
        auth_origins(rng),
        superusers(rng),
        users(rng),
    ];
    for collection in &mut collections {
        now.clone_into(&mut collection.created);
        now.clone_into(&mut collection.updated);
    }
    collections
}

fn mfas(rng: &mut dyn RngCore) -> Collection {
    let mut collection = owned("_mfas", rng);
    add_field(&mut collection.fields, required_text("method"));
    add_dates(&mut collection, Origin::System);
    collection.indexes = vec![
        "CREATE INDEX `idx_mfas_collectionRef_recordRef` ON `_mfas` (collectionRef,recordRef)"
            .to_owned(),
    ];
    collection
}

fn otps(rng: &mut dyn RngCore) -> Collection {
    let mut collection = owned("_otps", rng);
    let password = FieldKind::Password {
        pattern: String::new(),
        min: 0,
        max: 0,
        cost: OTP_PASSWORD_COST,
        required: true,
    };
    let password = Field { system: true, hidden: true, ..Field::new("password", password) };
    add_field(&mut collection.fields, password);
    let sent_to = Field { system: true, hidden: true, ..text("sentTo", 0, Need::Optional) };
    add_field(&mut collection.fields, sent_to);
    add_dates(&mut collection, Origin::System);
    collection.indexes = vec![
        "CREATE INDEX `idx_otps_collectionRef_recordRef` ON `_otps` (collectionRef, recordRef)"
            .to_owned(),
    ];
    collection
}

fn external_auths(rng: &mut dyn RngCore) -> Collection {
    let mut collection = owned("_externalAuths", rng);
    collection.rules.delete = Some(OWNER_RULE.to_owned());
    add_field(&mut collection.fields, required_text("provider"));
    add_field(&mut collection.fields, required_text("providerId"));
    add_dates(&mut collection, Origin::System);
    collection.indexes = vec![
        "CREATE UNIQUE INDEX `idx_externalAuths_record_provider` ON `_externalAuths` \
         (collectionRef, recordRef, provider)"
            .to_owned(),
        "CREATE UNIQUE INDEX `idx_externalAuths_collection_provider` ON `_externalAuths` \
         (collectionRef, provider, providerId)"
            .to_owned(),
    ];
    collection
}

fn auth_origins(rng: &mut dyn RngCore) -> Collection {
    let mut collection = owned("_authOrigins", rng);
    collection.rules.delete = Some(OWNER_RULE.to_owned());
    add_field(&mut collection.fields, required_text("fingerprint"));
    add_dates(&mut collection, Origin::System);
    collection.indexes = vec![
        "CREATE UNIQUE INDEX `idx_authOrigins_unique_pairs` ON `_authOrigins` \
         (collectionRef, recordRef, fingerprint)"
            .to_owned(),
    ];
    collection
}

fn superusers(rng: &mut dyn RngCore) -> Collection {
    let mut collection = Collection::new(CollectionKind::Auth, "_superusers", "", rng);
    collection.system = true;
    add_dates(&mut collection, Origin::System);
    let auth = collection.auth.get_or_insert_with(AuthOptions::default);
    auth.auth_token.duration = SUPERUSER_TOKEN_SECONDS;
    collection
}

fn users(rng: &mut dyn RngCore) -> Collection {
    let mut collection = Collection::new(CollectionKind::Auth, "users", "_pb_users_auth_", rng);
    let own = || Some(SELF_RULE.to_owned());
    collection.rules.list = own();
    collection.rules.view = own();
    collection.rules.create = Some(String::new());
    collection.rules.update = own();
    collection.rules.delete = own();
    add_field(&mut collection.fields, text("name", 255, Need::Optional));
    let types = ["image/jpeg", "image/png", "image/svg+xml", "image/gif", "image/webp"];
    let avatar = FieldKind::File {
        max_size: 0,
        max_select: 1,
        mime_types: types.map(str::to_owned).to_vec(),
        thumbs: Vec::new(),
        protected: false,
        required: false,
    };
    add_field(&mut collection.fields, Field::new("avatar", avatar));
    add_dates(&mut collection, Origin::Example);
    let auth = collection.auth.get_or_insert_with(AuthOptions::default);
    "name".clone_into(&mut auth.oauth2.mapped_fields.name);
    "avatar".clone_into(&mut auth.oauth2.mapped_fields.avatar_url);
    collection
}

/// A system collection whose entries belong to records of other collections.
fn owned(name: &str, rng: &mut dyn RngCore) -> Collection {
    let mut collection = Collection::new(CollectionKind::Base, name, "", rng);
    collection.system = true;
    collection.rules.list = Some(OWNER_RULE.to_owned());
    collection.rules.view = Some(OWNER_RULE.to_owned());
    add_field(&mut collection.fields, required_text("collectionRef"));
    add_field(&mut collection.fields, required_text("recordRef"));
    collection
}

#[derive(PartialEq, Eq)]
enum Need {
    Required,
    Optional,
}

fn text(name: &str, max: i64, need: Need) -> Field {
    let kind = FieldKind::Text {
        min: 0,
        max,
        pattern: String::new(),
        autogenerate_pattern: String::new(),
        primary_key: false,
        required: need == Need::Required,
    };
    Field::new(name, kind)
}

fn required_text(name: &str) -> Field {
    Field { system: true, ..text(name, 0, Need::Required) }
}

/// Whether a field belongs to the system or is a start that the owner may change.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    System,
    Example,
}

fn add_dates(collection: &mut Collection, origin: Origin) {
    for (name, on_update) in [("created", false), ("updated", true)] {
        let kind = FieldKind::Autodate { on_create: true, on_update };
        let field = Field { system: origin == Origin::System, ..Field::new(name, kind) };
        add_field(&mut collection.fields, field);
    }
}

#[cfg(test)]
mod tests;
