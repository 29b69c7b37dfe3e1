// What each field type refuses, and with which code.

export async function run(t, { root }) {
    const cases = [
        ["text is required", { title: "" }, "title", "validation_required"],
        ["text too long", { title: "x".repeat(81) }, "title", "validation_max_text_constraint"],
        ["text against its pattern", { slug: "A B" }, "slug", "validation_invalid_format"],
        ["editor too long", { body: "x".repeat(2001) }, "body", undefined],
        ["number too small", { views: -1 }, "views", "validation_min_number_constraint"],
        ["number too big", { views: 1e6 + 1 }, "views", "validation_max_number_constraint"],
        ["no e-mail", { contact: "nobody" }, "contact", "validation_is_email"],
        ["e-mail of a banned domain", { contact: "a@spam.test" }, "contact", undefined],
        ["no URL", { site: "nowhere" }, "site", "validation_invalid_url"],
        ["URL of another domain", { site: "https://example.net" }, "site", undefined],
        ["date before the minimum", { at: "1999-12-31" }, "at", undefined],
        ["an unknown choice", { kind: "novel" }, "kind", "validation_invalid_value"],
        ["an unknown choice of several", { tags: ["red", "pink"] }, "tags", undefined],
        ["too many choices", { tags: ["red", "green", "blue", "grey"] }, "tags", undefined],
        ["JSON too long", { meta: "x".repeat(600) }, "meta", undefined],
        ["a place off the map", { place: { lon: 181, lat: 0 } }, "place", undefined],
        ["a password too short", { pin: "123" }, "pin", undefined],
        ["a relation to nobody", { author: "missing00000000" }, "author", undefined],
        ["several relations to nobody", { readers: ["missing00000000"] }, "readers", undefined],
        ["an id too short", { id: "short" }, "id", undefined],
        ["an id in capitals", { id: "ABCDEFGHIJKLMNO" }, "id", undefined],
    ];
    const articles = root.collection("articles");
    for (const [title, body, field, code] of cases) {
        const data = { [field]: code ? { code } : { message: /./ } };
        await t.fails(title, () => articles.create({ title: "Bad", ...body }), 400, {
            message: "Failed to create record.",
            data,
        });
    }
    const many = { title: "", views: -1, contact: "x", kind: "novel" };
    await t.fails("all problems at once", () => articles.create(many), 400, {
        data: { title: {}, views: {}, contact: {}, kind: {} },
    });
    const authors = root.collection("authors");
    await t.fails("text too short", () => authors.create({ name: "x" }), 400, {
        data: { name: { code: "validation_min_text_constraint" } },
    });
    await t.fails("a whole number", () => authors.create({ name: "Half", born: 1900.5 }), 400, {
        data: { born: { code: "validation_only_int_constraint" } },
    });
    const headers = { "Content-Type": "application/json" };
    const raw = (body) => () =>
        root.send("/api/collections/articles/records", { method: "POST", headers, body });
    await t.fails("broken JSON", raw('{"title": '), 400, {});
    await t.fails("JSON that is no object", raw("[1, 2]"), 400, {});
    await t.fails("an empty body", raw(""), 400, { data: { title: { code: "validation_required" } } });
}
