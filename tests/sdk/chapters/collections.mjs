// Collections: the built-in ones, scaffolds, create with every field type, and refusals.

import { articles, AUTHORS, MEMBERS, NOTES } from "../schema.mjs";

export async function run(t, { root, anon }) {
    await builtIn(t, root, anon);
    await create(t, root);
    await refuse(t, root);
}

async function builtIn(t, root, anon) {
    const briefly = { sort: "name", fields: "id,name,type,system" };
    await t.does("a fresh directory's collections", () => root.collections.getFullList(briefly), {
        5: { id: "_pb_users_auth_", name: "users", type: "auth", system: false },
    });
    await t.does("the users collection in full", () => root.collections.getOne("users"), {
        id: "_pb_users_auth_",
        listRule: "id = @request.auth.id",
        passwordAuth: { enabled: true, identityFields: ["email"] },
    });
    await t.does("the same by id", () => root.collections.getOne("_pb_users_auth_"), {
        name: "users",
    });
    await t.does("the superusers collection", () => root.collections.getOne("_superusers"), {
        system: true,
    });
    await t.does("names are found in any case", () => root.collections.getOne("USERS"), {
        name: "users",
    });
    await t.fails("an unknown collection", () => root.collections.getOne("missing"), 404, {});
    await t.fails("an empty id never leaves the SDK", () => root.collections.getOne(""), 404, {
        message: "Missing required record id.",
    });
    await t.does("scaffolds", () => root.collections.getScaffolds(), {
        base: { type: "base", listRule: null },
        auth: { type: "auth", passwordAuth: { enabled: true } },
        view: { type: "view" },
    });
    await t.fails("scaffolds are for superusers", () => anon.collections.getScaffolds(), 401);
    const page = { sort: "-name", filter: "system = false" };
    await t.does("a page of collections", () => root.collections.getList(1, 2, page), {
        page: 1,
        perPage: 2,
        totalItems: 1,
        totalPages: 1,
    });
    const first = () => root.collections.getFirstListItem("name = '_otps'", { fields: "name" });
    await t.does("the first collection that matches", first, { name: "_otps" });
}

async function create(t, root) {
    const authors = await t.does("create a base collection", () => root.collections.create(AUTHORS), {
        name: "authors",
        type: "base",
        system: false,
        indexes: ["CREATE UNIQUE INDEX `idx_authors_name` ON `authors` (`name`)"],
    });
    const members = await t.does("create an auth collection", () => root.collections.create(MEMBERS), {
        name: "members",
        type: "auth",
        passwordAuth: { identityFields: ["email", "username"] },
    });
    const every = articles(authors.id, members.id);
    await t.does("create one with every field type", () => root.collections.create(every), {
        name: "articles",
        fields: (fields) => new Set(fields.map((field) => field.type)).size === 14,
    });
    await t.does("create a collection for superusers only", () => root.collections.create(NOTES), {
        name: "notes",
    });
    const own = { id: "pbc_own00000000", name: "plain" };
    await t.does("create with an own id and defaults only", () => root.collections.create(own), {
        id: "pbc_own00000000",
        type: "base",
        listRule: null,
        fields: [{ name: "id", primaryKey: true }],
    });
    await t.does("delete it", () => root.collections.delete("plain"), true);
    await t.fails("it is gone", () => root.collections.getOne("plain"), 404, {});
    const twice = { name: "_twins", fields: [1, 2].map((max) => ({ name: "a", type: "text", max })) };
    await t.does("of two fields with one name one is kept", () => root.collections.create(twice), {
        fields: [{ name: "id" }, { name: "a" }],
    });
    await t.does("a name may look like a system one's", () => root.collections.delete("_twins"));
}

async function refuse(t, root) {
    const creating = (body) => () => root.collections.create(body);
    const field = (more) => ({ name: "bad", fields: [more] });
    const text = (more) => ({ name: "a", type: "text", ...more });
    const cases = [
        ["no name", {}, { name: { code: "validation_required" } }],
        ["a name with a space", { name: "a b" }, { name: { code: "validation_match_invalid" } }],
        ["a taken name", { name: "authors" }, { name: {} }],
        ["a taken name in capitals", { name: "AUTHORS" }, { name: {} }],
        ["an unknown type", { name: "bad", type: "odd" }, {}],
        ["an unknown field type", field({ name: "a", type: "odd" }), {}],
        ["a field without a name", field({ type: "text" }), { fields: { 1: {} } }],
        ["a field with a reserved name", field(text({ name: "expand" })), { fields: { 1: {} } }],
        ["a field with a bad name", field(text({ name: "a-b" })), { fields: { 1: {} } }],
        ["max below min", field(text({ min: 5, max: 2 })), { fields: { 1: {} } }],
        ["a select without values", field({ name: "a", type: "select" }), { fields: { 1: {} } }],
        ["a relation to nowhere", field({ name: "a", type: "relation", collectionId: "x" }), {}],
        ["a rule that does not parse", { name: "bad", listRule: "id =" }, { listRule: {} }],
        ["a rule on a missing field", { name: "bad", viewRule: "nope = 1" }, { viewRule: {} }],
        ["an index that does not parse", { name: "bad", indexes: ["CREATE X"] }, { indexes: {} }],
        [
            "an index on a missing column",
            { name: "bad", indexes: ["CREATE INDEX `i` ON `bad` (`nope`)"] },
            {},
        ],
        [
            "an index name that is taken",
            { name: "bad", indexes: ["CREATE INDEX `idx_authors_name` ON `bad` (`id`)"] },
            {},
        ],
    ];
    for (const [title, body, data] of cases) {
        await t.fails(`refused: ${title}`, creating(body), 400, { data });
    }
    const none = { filter: "name = 'bad'" };
    await t.does("nothing of that was kept", () => root.collections.getList(1, 1, none), {
        totalItems: 0,
    });
    await t.fails("a system collection stays", () => root.collections.delete("_mfas"), 400, {});
    const rename = () => root.collections.update("_superusers", { name: "bosses" });
    await t.fails("a system collection keeps its name", rename, 400, { data: { name: {} } });
}
