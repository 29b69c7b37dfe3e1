//! Where Pando answers otherwise on purpose; `docs/deviations.md` explains each.

use serde_json::Value;

use super::Engine;
use super::scenario::{Action, Step, encode};
use crate::http::Request;

/// One deliberate difference.
#[derive(Debug)]
pub struct Deviation {
    /// The heading, or the first cell of the row, in `docs/deviations.md`.
    pub name: &'static str,
    pub reason: &'static str,
    /// Whether this difference is that deviation and nothing else: step, PocketBase's answer, ours.
    pub covers: fn(&Step, &Value, &Value) -> bool,
}

/// Bytes that begin no HTTP request, or one whose length cannot be known.
pub(super) const NO_REQUESTS: [&[u8]; 6] = [
    b"NONSENSE\r\n\r\n",
    b"GET  /api/health HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET api/health HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /api/realtime HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n",
    b"POST /api/realtime HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"POST /api/realtime HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
];
pub(super) const UNKNOWN_VERSION: &[u8] = b"GET /api/health HTTP/9.9\r\nHost: x\r\n\r\n";
pub(super) const BAD_HEADER: &[u8] =
    b"GET /api/health HTTP/1.1\r\nHost: x\r\nBad Header: 1\r\n\r\n";

const PARSER: &str = "the HTTP parser answers before we see the request";

/// All deliberate differences.
pub const DEVIATIONS: &[Deviation] = &[
    Deviation {
        name: "A request line or a length that is none, or two lengths",
        reason: PARSER,
        covers: |step, left, right| {
            matches!(&step.action, Action::SendRaw(bytes) if NO_REQUESTS.contains(&&**bytes))
                && left["status"] == 400
                && bare_400(right)
        },
    },
    Deviation {
        name: "A header name that is none, such as `bad header:`",
        reason: PARSER,
        covers: |step, left, right| {
            matches!(&step.action, Action::SendRaw(bytes) if bytes == BAD_HEADER)
                && left["status"] == 400
                && bare_400(right)
        },
    },
    Deviation {
        name: "An unknown HTTP version",
        reason: PARSER,
        covers: |step, left, right| {
            matches!(&step.action, Action::SendRaw(bytes) if bytes == UNKNOWN_VERSION)
                && left["status"] == 505
                && bare_400(right)
        },
    },
    Deviation {
        name: "Batch item of `null` (`{\"requests\":[null]}`)",
        reason: "PocketBase fails with 500; a client's mistake is a 400 with what to change",
        covers: |step, left, right| {
            let nulls = |body: &Value| body["requests"].as_array()?.first().map(Value::is_null);
            sent(step, "POST", "/api/batch").is_some_and(|body| nulls(&body) == Some(true))
                && left["status"] == 500
                && right["status"] == 400
        },
    },
    Deviation {
        name: "The body `null` for a change of settings or of a collection, or for `confirm-password-reset`",
        reason: "PocketBase fails with 500; nothing to change is no fault of the server",
        covers: |step, left, right| {
            sent(step, "PATCH", "/api/settings").is_some_and(|body| body.is_null())
                && left["status"] == 500
                && right["status"] == 200
        },
    },
    Deviation {
        name: "A back relation over a field for several records that is called like a column of SQLite's `json_each`, such as `notes_via_parent`",
        reason: "PocketBase finds nothing, because its query means that column",
        covers: |step, left, right| {
            let Action::Send(request) = &step.action else { return false };
            let (mut left, mut right) = (left.clone(), right.clone());
            let shown = left != right && !drop_member(&mut left, "notes_via_parent");
            drop_member(&mut right, "notes_via_parent");
            shown && request.target.contains("notes_via_parent") && left == right
        },
    },
    Deviation {
        name: "An error of SQLite while collections are saved, such as for the name `sqlite_x` or for two new ones of one name in an import",
        reason: "the words of the database stay in the log",
        covers: |step, left, right| {
            let message = |answer: &Value| {
                answer["body"]["data"]["collections"]["message"].as_str().unwrap_or("").to_owned()
            };
            let import = sent(step, "PUT", "/api/collections/import").is_some()
                && message(left).ends_with("UNIQUE constraint failed: _collections.name (2067).")
                && message(right).ends_with("failed to save the collection.");
            let reserved = "object name reserved for internal use: sqlite_x (1).";
            let create = sent(step, "POST", "/api/collections").is_some()
                && left["body"]["message"].as_str().is_some_and(|words| words.ends_with(reserved))
                && right["body"]["message"] == "Failed to create collection.";
            (import || create) && left["status"] == 400 && right["status"] == 400
        },
    },
    Deviation {
        name: "The chore `__pbRateLimitersCleanup__` in `/api/crons`",
        reason: "all servers list the same, whichever of them has counted something",
        covers: |step, left, right| {
            const ID: &str = "__pbRateLimitersCleanup__";
            let Action::Send(request) = &step.action else { return false };
            let others = |answer: &Value| -> Option<Vec<Value>> {
                let jobs = answer["body"].as_array()?.iter();
                Some(jobs.filter(|job| job["id"] != ID).cloned().collect())
            };
            let list = request.target.starts_with("/api/crons") && request.method == "GET";
            let run = request.target == format!("/api/crons/{ID}") && request.method == "POST";
            let listed = left["status"] == 200
                && right["status"] == 200
                && others(left).is_some_and(|jobs| Some(jobs) == others(right));
            // Who lists it runs it, the other does not know it.
            let ran =
                [&left["status"], &right["status"]].iter().all(|it| **it == 204 || **it == 404);
            list && listed || run && ran
        },
    },
    Deviation {
        name: "A filter of logs that compares `data` as a whole with a text that is no JSON, such as `data = 'x' && data.status = 200`",
        reason: "SQLite reads the text in the place of `data` there, and PocketBase fails",
        covers: |step, left, right| {
            let Action::Send(request) = &step.action else { return false };
            let whole = ["data = ", "data ?= ", " = data ", " ?= data ", " = data)", " ?= data)"];
            request.target.starts_with("/api/logs")
                && whole.iter().any(|part| request.target.contains(&encode(part)))
                && left["status"] == 400
                && right["status"] == 200
        },
    },
];

/// Those of Pando on PostgreSQL.
pub const POSTGRES_DEVIATIONS: &[Deviation] = &[
    Deviation {
        name: "The order of records that no `sort` decides",
        reason: "SQLite takes the order of the index that it happens to use, or of what it joined last",
        covers: |step, left, right| {
            let Action::Send(request) = &step.action else { return false };
            let total = |answer: &Value| {
                let items = answer["body"]["items"].as_array().map(Vec::len);
                (answer["status"].clone(), answer["body"]["totalItems"].clone(), items)
            };
            let list = request.method == "GET" && total(left) == total(right);
            match request.target.split(['?', '&']).find_map(|pair| pair.strip_prefix("sort=")) {
                None => list && without_order(left) == without_order(right),
                // A record has several values there; any of them may count.
                Some(sort) if sort.contains("_via_") => list,
                // Records that refer to one of the list have no order of their own.
                Some(_) => {
                    list && request.target.contains("_via_")
                        && without_expand_order(left) == without_expand_order(right)
                }
            }
        },
    },
    Deviation {
        name: "What a view puts together of joined records (`group_concat`, `json_group_array`, \
               columns that are not the same in all of a group)",
        reason: "SQLite joins along an index that it may or may not make for the query",
        covers: |step, left, right| {
            let Action::Send(request) = &step.action else { return false };
            request.method == "GET"
                && request.target.contains("/collections/seen")
                && without_text_order(left) == without_text_order(right)
        },
    },
    Deviation {
        name: "A path into JSON with nothing between two dots, such as `data.a..b`",
        reason: "SQLite refuses it only in documents that reach so far",
        covers: |step, left, right| {
            let Action::Send(request) = &step.action else { return false };
            request.target.contains("data.a..b") && left["status"] == 200 && right["status"] == 400
        },
    },
    Deviation {
        name: "The query of a view that PostgreSQL cannot say",
        reason: "it is refused with the part that must be rewritten, rather than answered otherwise",
        covers: |step, _, _| {
            let Action::Send(request) = &step.action else { return false };
            // All that is done with the one view of what only SQLite has.
            let of_sqlite =
                |text: &str| text.contains("sqlite_master") || text.contains("seen_sqlite");
            of_sqlite(&request.target) || of_sqlite(&String::from_utf8_lossy(&request.body))
        },
    },
];

/// Those of Pando behind its load balancer.
pub const BALANCER_DEVIATIONS: &[Deviation] = &[Deviation {
    name: "A request that two programs could read in two ways, behind a balancer",
    reason: "the balancer says in JSON what is wrong with it, and lets it go no further",
    covers: |step, left, right| {
        matches!(&step.action, Action::SendRaw(_))
            && left["status"] == 400
            && right["status"] == 400
    },
}];

/// The deviation that explains a difference.
pub(super) fn find(
    (engine, balanced): (Engine, bool),
    step: &Step,
    left: &Value,
    right: &Value,
) -> Option<&'static Deviation> {
    let more = if engine == Engine::Postgres { POSTGRES_DEVIATIONS } else { &[] };
    let even_more = if balanced { BALANCER_DEVIATIONS } else { &[] };
    DEVIATIONS
        .iter()
        .chain(more)
        .chain(even_more)
        .find(|deviation| (deviation.covers)(step, left, right))
}

/// Whether a step sends a NUL character, which PostgreSQL cannot store.
pub(super) fn sends_nul(step: &Step) -> bool {
    let Action::Send(request) = &step.action else { return false };
    let nul = br"\u0000";
    request.body.contains(&0) || request.body.windows(nul.len()).any(|part| part == nul)
}

/// An answer with the records of its list as a set.
fn without_order(answer: &Value) -> Value {
    let mut answer = answer.clone();
    if let Some(Value::Array(items)) = answer.pointer_mut("/body/items") {
        items.sort_by_key(Value::to_string);
    }
    answer
}

/// An answer with the records that it expands as sets.
fn without_expand_order(answer: &Value) -> Value {
    fn sort(value: &mut Value, expanded: bool) {
        match value {
            Value::Array(items) => {
                items.iter_mut().for_each(|item| sort(item, false));
                if expanded {
                    items.sort_by_key(Value::to_string);
                }
            }
            Value::Object(members) => {
                for (name, member) in members {
                    match member {
                        Value::Object(expands) if name == "expand" => {
                            expands.values_mut().for_each(|expand| sort(expand, true));
                        }
                        member => sort(member, false),
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let mut answer = answer.clone();
    sort(&mut answer, false);
    answer
}

/// An answer with the parts of its texts, between commas, as sets.
fn without_text_order(answer: &Value) -> Value {
    match answer {
        Value::String(text) => {
            let mut parts: Vec<&str> = text.split(',').collect();
            parts.sort_unstable();
            Value::String(parts.join(","))
        }
        Value::Array(items) => items.iter().map(without_text_order).collect(),
        Value::Object(members) => Value::Object(
            members.iter().map(|(name, it)| (name.clone(), without_text_order(it))).collect(),
        ),
        Value::Null | Value::Bool(_) | Value::Number(_) => answer.clone(),
    }
}

fn bare_400(answer: &Value) -> bool {
    answer["status"] == 400 && answer["body"] == ""
}

/// The JSON body of `step` if it is a request of that method to that target.
fn sent(step: &Step, method: &str, target: &str) -> Option<Value> {
    let Action::Send(Request { method: of, target: to, body, .. }) = &step.action else {
        return None;
    };
    (of == method && to == target).then(|| serde_json::from_slice(body).ok()).flatten()
}

/// Removes a member from all objects in `value`; says whether there was one.
fn drop_member(value: &mut Value, name: &str) -> bool {
    match value {
        Value::Object(members) => {
            let found = members.shift_remove(name).is_some();
            members.values_mut().fold(found, |found, member| drop_member(member, name) | found)
        }
        Value::Array(items) => {
            items.iter_mut().fold(false, |found, item| drop_member(item, name) | found)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::compare::scenario::Actor;

    #[test]
    fn the_documentation_explains_each_deviation() {
        let document = include_str!("../../../../docs/deviations.md");
        for deviation in DEVIATIONS.iter().chain(POSTGRES_DEVIATIONS) {
            let name = deviation.name;
            let explains = |line: &str| {
                line.starts_with(&format!("| {name} | "))
                    || line.trim_start_matches('#').trim_start() == name && line.starts_with('#')
            };
            assert!(document.lines().any(explains), "docs/deviations.md does not have {name:?}");
        }
    }

    #[test]
    fn a_deviation_covers_nothing_else() {
        let name = |step: &Step, left: Value, right: Value| {
            find((Engine::Sqlite, false), step, &left, &right).map(|deviation| deviation.name)
        };
        let raw = |bytes: &[u8]| Step::of(Actor::Guest, Action::SendRaw(bytes.to_vec()));
        let (text, bare) = (
            json!({ "status": 400, "body": "400 Bad Request" }),
            json!({ "status": 400, "body": "" }),
        );
        assert!(name(&raw(NO_REQUESTS[0]), text.clone(), bare.clone()).is_some());
        assert!(name(&raw(b"GET /%zz HTTP/1.1\r\n\r\n"), text.clone(), bare.clone()).is_none());
        assert!(name(&raw(NO_REQUESTS[0]), bare, text).is_none());

        let view = Step::get(Actor::Guest, "/x?expand=notes_via_parent.owner");
        let (none, some) = (
            json!({ "id": 1, "expand": {} }),
            json!({ "id": 1, "expand": { "notes_via_parent": [] } }),
        );
        assert!(name(&view, none.clone(), some.clone()).is_some());
        assert!(name(&view, some.clone(), none.clone()).is_none());
        assert!(name(&view, json!({ "id": 2, "expand": {} }), some.clone()).is_none());
        assert!(name(&Step::get(Actor::Guest, "/x"), none, some).is_none());
    }

    #[test]
    fn only_the_order_of_a_list_without_a_sort_is_free() {
        let list = |ids: &[u32]| {
            let items: Vec<Value> = ids.iter().map(|id| json!({ "a": 1, "id": id })).collect();
            json!({ "status": 200, "body": { "totalItems": 2, "items": items } })
        };
        let covered = |engine: Engine, target: &str, left: &[u32], right: &[u32]| {
            let step = Step::get(Actor::Guest, target);
            find((engine, false), &step, &list(left), &list(right)).is_some()
        };
        assert!(covered(Engine::Postgres, "/x?filter=a", &[1, 2], &[2, 1]));
        assert!(!covered(Engine::Sqlite, "/x?filter=a", &[1, 2], &[2, 1]));
        assert!(!covered(Engine::Postgres, "/x?filter=a", &[1, 2], &[1, 3]));
        assert!(!covered(Engine::Postgres, "/x?sort=a", &[1, 2], &[2, 1]));
        assert!(!covered(Engine::Postgres, "/x?sort=a_via_b", &[1, 2], &[1]));

        let expanded = |back: &[u32], items: &[u32]| {
            let item = json!({ "expand": { "a_via_b": back }, "list": items });
            json!({ "status": 200, "body": { "totalItems": 1, "items": [item] } })
        };
        let covered = |left: Value, right: Value| {
            let step = Step::get(Actor::Guest, "/x?sort=id&expand=a_via_b");
            find((Engine::Postgres, false), &step, &left, &right).is_some()
        };
        assert!(covered(expanded(&[1, 2], &[1, 2]), expanded(&[2, 1], &[1, 2])));
        assert!(!covered(expanded(&[1, 2], &[1, 2]), expanded(&[1, 2], &[2, 1])));
        assert!(!covered(expanded(&[1, 2], &[1, 2]), expanded(&[1, 3], &[1, 2])));

        let joined = |text: &str| json!({ "status": 200, "body": { "items": [{ "g": text }] } });
        let covered = |left: &str, right: &str| {
            let step = Step::get(Actor::Guest, "/api/collections/seen7/records?sort=id");
            find((Engine::Postgres, false), &step, &joined(left), &joined(right)).is_some()
        };
        assert!(covered("a,b", "b,a"));
        assert!(!covered("a,b", "a,c"));
    }
}
