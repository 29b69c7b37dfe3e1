use expect_test::{Expect, expect};

use crate::collection::fixture::{create, shown, system, update};

#[track_caller]
fn check_create(json: &str, expected: Expect) {
    let shown = shown(create(json, &[]));
    expected.assert_eq(&codes(&shown));
}

#[track_caller]
fn check_update(name: &str, json: &str, expected: Expect) {
    let shown = shown(update(&system(name), json));
    expected.assert_eq(&codes(&shown));
}

/// One line per problem: where, code, message.
fn codes(shown: &str) -> String {
    let Ok(json) = serde_json::from_str::<serde_json::Value>(shown) else {
        return shown.to_owned();
    };
    let mut lines = Vec::new();
    collect(&json, String::new(), &mut lines);
    lines.join("\n")
}

fn collect(json: &serde_json::Value, path: String, lines: &mut Vec<String>) {
    if let (Some(code), Some(message)) = (json["code"].as_str(), json["message"].as_str()) {
        let params = json.get("params").map(|params| format!(" {params}")).unwrap_or_default();
        lines.push(format!("{path} {code}: {message}{params}"));
        return;
    }
    for (key, value) in json.as_object().unwrap() {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        collect(value, path, lines);
    }
}

#[test]
fn names() {
    check_create("{}", expect!["name validation_required: Cannot be blank."]);
    check_create(
        r#"{"name":"bad name!"}"#,
        expect!["name validation_match_invalid: Must be in a valid format."],
    );
    check_create(
        r#"{"name":"a_VIA_b"}"#,
        expect![[r#"name validation_found_via: The value cannot contain "_via_"."#]],
    );
    check_create(
        r#"{"name":"USERS"}"#,
        expect![
            "name validation_collection_name_exists: Collection name must be unique (case insensitive)."
        ],
    );
    check_create(
        r#"{"name":"pbc_2279338944"}"#,
        expect![
            "name validation_collection_name_id_duplicate: The name must not match an existing collection id."
        ],
    );
    check_create(
        r#"{"name":"_params"}"#,
        expect![
            "name validation_collection_name_invalid: The name shouldn't match with an existing internal table."
        ],
    );
}

#[test]
fn several_mistakes_are_reported_at_once() {
    let json = format!(
        r#"{{"name":"{}","type":"zzz","id":"a b","listRule":"bad","indexes":["x"]}}"#,
        "x".repeat(256)
    );
    check_create(
        &json,
        expect![[r#"
            id validation_match_invalid: Must be in a valid format.
            indexes.0 validation_invalid_index_expression: Invalid CREATE INDEX expression.
            listRule validation_invalid_rule: Invalid rule. Raw error: unknown field "bad".
            name validation_length_out_of_range: The length must be between 1 and 255. {"max":255,"min":1}
            type validation_in_invalid: Must be a valid value."#]],
    );
}

#[test]
fn fields_as_a_list() {
    check_create(
        r#"{"name":"tt","fields":[{"type":"text","name":"a","id":"q"},{"type":"text","name":"A"}]}"#,
        expect![[r#"
            fields.2.name validation_duplicated_field_name: Duplicated or invalid field name A. {"fieldName":"A"}"#]],
    );
    check_create(
        r#"{"name":"tt","fields":[{"type":"text","name":"x","id":"text3208210256"}]}"#,
        expect![[r#"fields validation_missing_primary_key: Missing or invalid "id" PK field."#]],
    );
    check_create(
        r#"{"name":"tt","type":"auth","fields":[{"type":"text","name":"oldPassword"}]}"#,
        expect![
            "fields.1.name validation_reserved_field_name: The field name is reserved and cannot be used."
        ],
    );
}

#[test]
fn options_of_fields() {
    check_create(
        r#"{"name":"tt","fields":[
            {"type":"text","name":"null"},
            {"type":"text","name":"q","min":-1,"max":-5,"pattern":"(","autogeneratePattern":"["},
            {"type":"number","name":"n","min":1000000.5,"max":0,"onlyInt":true},
            {"type":"email","name":"e","onlyDomains":["a.b"],"exceptDomains":["c.d"]},
            {"type":"url","name":"u","onlyDomains":["a_b!","ok.com"]},
            {"type":"autodate","name":"ad"},
            {"type":"select","name":"s","values":[],"maxSelect":3},
            {"type":"file","name":"f","maxSelect":-1,"maxSize":-3,"thumbs":["0x0","aa","10x10"]},
            {"type":"relation","name":"r"},
            {"type":"relation","name":"r2","collectionId":"users","minSelect":3},
            {"type":"relation","name":"r3","collectionId":"_pb_users_auth_","minSelect":3,"maxSelect":2},
            {"type":"json","name":"j","maxSize":-1},
            {"type":"password","name":"p","min":72,"max":80,"cost":1,"pattern":"["},
            {"type":"text","name":"ag","autogeneratePattern":"xyz","min":5}]}"#,
        expect![[r#"
            fields.1.name validation_not_in_invalid: Must not be in list.
            fields.10.collectionId validation_field_relation_missing_collection: The relation collection doesn't exist.
            fields.10.maxSelect validation_required: Cannot be blank.
            fields.11.maxSelect validation_min_greater_equal_than_required: Must be no less than 3. {"threshold":3}
            fields.12.maxSize validation_min_greater_equal_than_required: Must be no less than 0. {"threshold":0}
            fields.13.cost validation_min_greater_equal_than_required: Must be no less than 4. {"threshold":4}
            fields.13.max validation_max_less_equal_than_required: Must be no greater than 71. {"threshold":71}
            fields.13.min validation_max_less_equal_than_required: Must be no greater than 71. {"threshold":71}
            fields.13.pattern validation_invalid_regex: Error parsing regexp: missing closing ]: `[`.
            fields.14.autogeneratePattern validation_invalid_autogenerate_pattern_value: The provided autogenerate pattern could produce invalid field values, ex.: "xyz".
            fields.2.autogeneratePattern validation_invalid_regex: Error parsing regexp: missing closing ]: `[`.
            fields.2.max validation_min_greater_equal_than_required: Must be no less than -1. {"threshold":-1}
            fields.2.min validation_min_greater_equal_than_required: Must be no less than 0. {"threshold":0}
            fields.2.pattern validation_invalid_regex: Error parsing regexp: missing closing ): `(`.
            fields.3.max validation_min_number_constraint: Must be greater or equal than 1.0000005e+06. {"min":1000000.5}
            fields.3.min validation_only_int_constraint: Decimal numbers are not allowed.
            fields.4.exceptDomains validation_empty: Must be blank.
            fields.4.onlyDomains validation_empty: Must be blank.
            fields.5.onlyDomains.0 validation_is_domain: Must be a valid domain.
            fields.6.onCreate validation_required: Either onCreate or onUpdate must be enabled.
            fields.6.onUpdate validation_required: Either onCreate or onUpdate must be enabled.
            fields.7.maxSelect validation_max_less_equal_than_required: Must be no greater than 1. {"threshold":1}
            fields.7.values validation_required: Cannot be blank.
            fields.8.maxSelect validation_min_greater_equal_than_required: Must be no less than 0. {"threshold":0}
            fields.8.maxSize validation_min_greater_equal_than_required: Must be no less than 0. {"threshold":0}
            fields.8.thumbs.0 validation_not_in_invalid: Must not be in list.
            fields.8.thumbs.1 validation_match_invalid: Must be in a valid format.
            fields.9.collectionId validation_required: Cannot be blank."#]],
    );
}

#[test]
fn a_second_primary_key() {
    check_create(
        r#"{"name":"tt","fields":[{"type":"text","name":"pk","primaryKey":true,"hidden":true}]}"#,
        expect![[r#"
            fields.0.primaryKey validation_unsupported_composite_pk: Composite PKs are not supported and the collection must have only 1 PK.
            fields.1.hidden validation_empty: Must be blank.
            fields.1.name validation_in_invalid: The primary key must be named "id".
            fields.1.pattern validation_required: Cannot be blank.
            fields.1.primaryKey validation_unsupported_composite_pk: Composite PKs are not supported and the collection must have only 1 PK.
            fields.1.required validation_required: Cannot be blank."#]],
    );
}

#[test]
fn indexes() {
    let taken = r#"{"name":"tt","indexes":["create index TAKEN on x (id)"]}"#;
    check_create(
        taken,
        expect![[r#"
            indexes.0 validation_existing_index_name: The index name is already used in users collection. {"usedTableName":"users"}"#]],
    );
    check_create(
        r#"{"name":"tt","indexes":["create index a on x (id)","create index A on x (created)"]}"#,
        expect!["indexes.1 validation_duplicated_index_name: The index name already exists."],
    );
    check_create(
        r#"{"name":"tt","indexes":["create index a on x (id)","create index b on y (`id`)"]}"#,
        expect![
            "indexes.1 validation_duplicated_index_definition: The index definition already exists."
        ],
    );
    check_update(
        "_authOrigins",
        r#"{"indexes":[]}"#,
        expect![[r#"
            indexes validation_invalid_unique_system_field_index: Unique index definition on system fields (collectionRef) is invalid or missing. {"fieldName":"collectionRef"}"#]],
    );
    check_update(
        "users",
        r#"{"indexes":["create unique index a1 on x (email)","create unique index a2 on x (tokenKey desc)"]}"#,
        expect!["ok"],
    );
}

#[test]
fn views() {
    check_create(
        r#"{"name":"tt","type":"view","createRule":"","updateRule":"a","indexes":["x"]}"#,
        expect![[r#"
            createRule validation_nil: Must be blank.
            fields validation_required: Cannot be blank.
            indexes validation_indexes_not_supported: View collections don't support indexes.
            updateRule validation_nil: Must be blank.
            viewQuery validation_required: Cannot be blank."#]],
    );
}

#[test]
fn system_collections_stay_as_they_are() {
    check_update(
        "_superusers",
        r#"{"listRule":"","name":"x","system":false,"authRule":"id='a'","manageRule":"id='a'"}"#,
        expect![[r#"
            authRule validation_collection_system_rule_change: System collection API rule cannot be changed.
            listRule validation_collection_system_rule_change: System collection API rule cannot be changed.
            manageRule validation_collection_system_rule_change: System collection API rule cannot be changed.
            name validation_collection_system_name_change: System collection name cannot be changed.
            system validation_collection_system_flag_change: System collection state cannot be changed."#]],
    );
    check_update(
        "_superusers",
        r#"{"fields":[]}"#,
        expect![
            "fields validation_system_field_change: System fields cannot be deleted or renamed."
        ],
    );
}

#[test]
fn kinds_stay() {
    check_update(
        "users",
        r#"{"type":"base","fields":[{"type":"url","name":"a","id":"text1579384326"},
            {"type":"password","name":"password","id":"password901924565","system":true}]}"#,
        expect![[r#"
            fields validation_system_field_change: System fields cannot be deleted or renamed.
            type validation_collection_type_change: Collection type cannot be changed."#]],
    );
    let name = system("users").field("name").unwrap().id.clone();
    check_update(
        "users",
        &format!(r#"{{"fields":[{{"type":"url","name":"name","id":"{name}"}}]}}"#),
        expect!["fields.1 validation_field_type_change: Field type cannot be changed."],
    );
}

#[test]
fn login_options_by_themselves() {
    check_create(
        r#"{"name":"tt","type":"auth","manageRule":"","authRule":"bad",
            "authToken":{"secret":"a","duration":1},
            "otp":{"enabled":true,"duration":1,"length":1,"emailTemplate":{"subject":""}},
            "mfa":{"enabled":true,"duration":1},"passwordAuth":{"identityFields":[]},
            "oauth2":{"enabled":true,"providers":[{"name":"nope"},
                {"name":"google","clientId":"a","clientSecret":"b","authURL":"x y"}]},
            "authAlert":{"emailTemplate":{"body":""}}}"#,
        expect![[r#"
            authAlert.emailTemplate.body validation_required: Cannot be blank.
            authRule validation_invalid_rule: Invalid rule. Raw error: unknown field "bad".
            authToken.duration validation_min_greater_equal_than_required: Must be no less than 10. {"threshold":10}
            authToken.secret validation_length_out_of_range: The length must be between 30 and 255. {"max":255,"min":30}
            manageRule validation_nil_or_not_empty_required: Cannot be blank.
            mfa.duration validation_min_greater_equal_than_required: Must be no less than 10. {"threshold":10}
            oauth2.providers.0.clientId validation_required: Cannot be blank.
            oauth2.providers.0.clientSecret validation_required: Cannot be blank.
            oauth2.providers.0.name validation_missing_provider: Invalid or missing provider with name nope. {"name":"nope"}
            oauth2.providers.1.authURL validation_is_url: Must be a valid URL.
            otp.duration validation_min_greater_equal_than_required: Must be no less than 10. {"threshold":10}
            otp.emailTemplate.subject validation_required: Cannot be blank.
            otp.length validation_min_greater_equal_than_required: Must be no less than 4. {"threshold":4}
            passwordAuth.identityFields validation_required: Cannot be blank."#]],
    );
}

#[test]
fn login_options_together() {
    check_update(
        "users",
        r#"{"mfa":{"enabled":true}}"#,
        expect![
            "mfa.enabled validation_mfa_not_enough_auths: MFA requires at least 2 auth methods to be enabled."
        ],
    );
    check_update(
        "users",
        r#"{"mfa":{"enabled":true,"rule":"bad"},"otp":{"enabled":true}}"#,
        expect![[
            r#"mfa.rule validation_invalid_rule: Invalid rule. Raw error: unknown field "bad"."#
        ]],
    );
    check_update(
        "users",
        r#"{"passwordAuth":{"identityFields":["email","nope"]}}"#,
        expect![[r#"
            passwordAuth.identityFields validation_missing_field: Invalid or missing field nope. {"fieldName":"nope"}"#]],
    );
    check_update(
        "users",
        r#"{"passwordAuth":{"identityFields":["email","verified"]}}"#,
        expect![[r#"
            passwordAuth.identityFields validation_missing_unique_constraint: The field verified doesn't have a UNIQUE constraint. {"fieldName":"verified"}"#]],
    );
    check_update(
        "users",
        r#"{"oauth2":{"enabled":true,"providers":[{"name":"google"},{"name":"google"}]}}"#,
        expect![[r#"
            oauth2.providers.1.name validation_duplicated_provider: The provider google is already registered. {"name":"google"}"#]],
    );
}

#[test]
fn a_relation_keeps_its_collection_and_points_to_no_view() {
    let posts = create(
        r#"{"name":"p","fields":[{"type":"relation","name":"r","collectionId":"_pb_users_auth_"}]}"#,
        &[],
    )
    .unwrap();
    let id = posts.field("r").unwrap().id.clone();
    let changed = update(
        &posts,
        &format!(
            r#"{{"fields":[{{"type":"relation","name":"r","id":"{id}","collectionId":"pbc_2279338944"}}]}}"#
        ),
    );
    expect![
        "fields.1.collectionId validation_field_relation_change: The relation collection cannot be changed."
    ]
    .assert_eq(&codes(&shown(changed)));
    let view = crate::Collection {
        kind: crate::CollectionKind::View,
        id: "a_view".to_owned(),
        name: "v".to_owned(),
        ..posts
    };
    let related = create(
        r#"{"name":"q","fields":[{"type":"relation","name":"r","collectionId":"a_view"}]}"#,
        &[view],
    );
    expect![
        "fields.1.collectionId validation_relation_field_non_view_base_collection: Only view collections are allowed to have relations to other views."
    ]
    .assert_eq(&codes(&shown(related)));
}
