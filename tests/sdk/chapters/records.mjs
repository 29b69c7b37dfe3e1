// Records: create, view, update, delete, modifiers, and text from all over the world.

import { ownId } from "../world.mjs";

export const ADA = ownId("ada", 1);
export const BOB = ownId("bob", 1);
export const EVE = ownId("eve", 1);

export async function run(t, { root, anon }) {
    await people(t, root, anon);
    await create(t, root, anon);
    await update(t, root);
    await modifiers(t, root);
    await unicode(t, root);
    await remove(t, root);
}

async function people(t, root, anon) {
    const authors = root.collection("authors");
    const home = { lon: -0.1276, lat: 51.5072 };
    const ada = { id: ADA, name: "Ada Lovelace", born: 1815, home };
    await t.does("create with an own id", () => authors.create(ada), ada);
    await t.does("view it", () => anon.collection("authors").getOne(ADA), {
        ...ada,
        collectionName: "authors",
        created: undefined,
    });
    await t.does("another", () => authors.create({ id: BOB, name: "Bob Dylan", born: 1941 }), {
        home: { lon: 0, lat: 0 },
    });
    await t.does("a third", () => authors.create({ id: EVE, name: "Ève Curie", born: 1904 }));
    await t.fails("an id twice", () => authors.create({ id: ADA, name: "Other" }), 400, {
        data: { id: { code: "validation_not_unique" } },
    });
    await t.fails("a unique name twice", () => authors.create({ name: "Ada Lovelace" }), 400, {
        data: { name: { code: "validation_not_unique" } },
    });
    await t.does("an id of the server's", () => authors.create({ name: "Nobody" }), {
        id: /^[a-z0-9]{15}$/,
    });
    await t.fails("visitors may not create", () => anon.collection("authors").create({}), 403, {
        message: "Only superusers can perform this action.",
    });
    await t.fails("visitors may not update", () => anon.collection("authors").update(ADA, {}), 403);
    await t.fails("visitors may not delete", () => anon.collection("authors").delete(ADA), 403);
}

async function create(t, root, anon) {
    const full = {
        id: ownId("full", 1),
        title: "A first article",
        slug: "a-first-article",
        body: "<p>Hello <strong>world</strong></p>",
        views: 12.5,
        published: true,
        contact: "desk@example.com",
        site: "https://example.com/a?b=c#d",
        at: "2024-02-29 12:34:56.789Z",
        kind: "essay",
        tags: ["red", "blue"],
        meta: { deep: { list: [1, "two", null, true] }, "key with space": 1.5 },
        place: { lon: 23.32, lat: 42.69 },
        author: ADA,
    };
    const articles = root.collection("articles");
    await t.does("every field at once", () => articles.create({ ...full, pin: "1234", secret: "s" }), {
        ...full,
        pin: "",
        readers: [],
        papers: [],
        cover: "",
    });
    await t.does("visitors do not see hidden fields", () => anon.collection("articles").getOne(full.id), {
        title: full.title,
        secret: undefined,
    });
    await t.does("superusers do", () => articles.getOne(full.id), { secret: "s", pin: "" });
    await t.does("the least that is allowed", () => articles.create({ title: "Empty" }), {
        slug: "",
        views: 0,
        published: false,
        at: "",
        kind: "",
        tags: [],
        meta: null,
        place: { lon: 0, lat: 0 },
        author: "",
    });
    const loose = {
        title: 42,
        views: "17",
        published: "true",
        at: "2024-05-06",
        tags: "green",
        meta: '{"a":1}',
        place: '{"lon":1,"lat":2}',
        unknown: "ignored",
    };
    await t.does("values are cast to their field", () => articles.create(loose), {
        title: "42",
        views: 17,
        published: true,
        at: "2024-05-06 00:00:00.000Z",
        tags: ["green"],
        meta: { a: 1 },
        place: { lon: 1, lat: 2 },
        unknown: undefined,
    });
    const form = new FormData();
    form.append("title", "From a form");
    form.append("views", "3");
    form.append("tags", "red");
    form.append("tags", "grey");
    form.append("@jsonPayload", JSON.stringify({ meta: { from: "payload" }, published: true }));
    await t.does("a form", () => articles.create(form), {
        views: 3,
        tags: ["red", "grey"],
        meta: { from: "payload" },
        published: true,
    });
    const tidy = { fields: "title,collectionName" };
    await t.does("create with fields", () => articles.create({ title: "Short" }, tidy), {
        title: "Short",
        id: undefined,
    });
    const related = { expand: "author", fields: "title,expand.author.name" };
    const ofBob = { title: "With expand", author: BOB };
    await t.does("create with expand", () => articles.create(ofBob, related), {
        expand: { author: { name: "Bob Dylan" } },
    });
}

async function update(t, root) {
    const articles = root.collection("articles");
    const id = ownId("full", 1);
    await t.does("update one field", () => articles.update(id, { title: "Renamed" }), {
        title: "Renamed",
        views: 12.5,
        updated: (time) => time !== "",
    });
    await t.does("update with nothing", () => articles.update(id, {}), { title: "Renamed" });
    const cleared = { views: 0, tags: [], meta: null, at: "", kind: "", site: "", place: null };
    await t.does("clear values", () => articles.update(id, cleared), {
        ...cleared,
        place: { lon: 0, lat: 0 },
    });
    await t.does("created is the server's", () => articles.update(id, { created: "2001-01-01" }), {
        created: (time) => !time.startsWith("2001"),
    });
    await t.fails("an id cannot change", () => articles.update(id, { id: ownId("other", 1) }), 400, {
        data: { id: {} },
    });
    await t.fails("update a missing record", () => articles.update(ownId("none", 1), {}), 404);
}

async function modifiers(t, root) {
    const articles = root.collection("articles");
    const start = { id: ownId("mods", 1), title: "Modifiers", views: 10, tags: ["red"] };
    await t.does("a record to modify", () => articles.create(start), start);
    const change = (body) => () => articles.update(start.id, body);
    await t.does("number plus", change({ "views+": 5 }), { views: 15 });
    await t.does("number minus", change({ "views-": 2.5 }), { views: 12.5 });
    await t.does("append a choice", change({ "tags+": "blue" }), { tags: ["red", "blue"] });
    await t.does("prepend a choice", change({ "+tags": "grey" }), { tags: ["grey", "red", "blue"] });
    await t.does("remove choices", change({ "tags-": ["red", "blue"] }), { tags: ["grey"] });
    await t.does("append what is there", change({ "tags+": ["grey"] }), { tags: ["grey"] });
    await t.fails("append past the limit", change({ "tags+": ["red", "blue", "green"] }), 400, {
        data: { tags: { code: "validation_too_many_values" } },
    });
    await t.fails("below the minimum", change({ "views-": 100 }), 400, {
        data: { views: { code: "validation_min_number_constraint" } },
    });
    await t.does("several at once", change({ "views+": 1, "tags-": "grey", title: "Done" }), {
        views: 13.5,
        tags: [],
        title: "Done",
    });
}

async function unicode(t, root) {
    const articles = root.collection("articles");
    const texts = ["Žluťoučký kůň", "日本語のタイトル", "مرحبا بالعالم", "👩‍👩‍👧‍👦 family", "a\u0301 = á", "tab\tquote\"slash\\"];
    for (const title of texts) {
        const keep = { fields: "title,meta,body" };
        const body = { title, meta: { [title]: title }, body: `<p>${title}</p>` };
        await t.does(`text: ${title}`, () => articles.create(body, keep), { title, meta: { [title]: title } });
        const find = root.filter("title = {:title}", { title });
        await t.does("and found again", () => articles.getFirstListItem(find, { fields: "title" }), { title });
    }
    const wide = "é".repeat(80);
    await t.does("80 characters are 80", () => articles.create({ title: wide }, { fields: "title" }), {
        title: wide,
    });
    await t.fails("81 are too many", () => articles.create({ title: `${wide}é` }), 400, {
        data: { title: { code: "validation_max_text_constraint" } },
    });
}

async function remove(t, root) {
    const articles = root.collection("articles");
    const { id } = await t.does("a record to delete", () => articles.create({ title: "Delete me" }));
    await t.does("delete it", () => articles.delete(id), true);
    await t.fails("view it", () => articles.getOne(id), 404);
    await t.fails("delete it again", () => articles.delete(id), 404);
    await t.fails("an unknown collection", () => root.collection("missing").getOne(id), 404, {
        message: "Missing collection context.",
    });
    await t.fails("an id with a slash", () => articles.getOne("a/b"), 404);
}
