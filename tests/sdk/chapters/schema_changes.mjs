// Changes to a collection that holds records, import, truncate, and what a delete refuses.

export async function run(t, { root }) {
    await fields(t, root);
    await convert(t, root);
    await collection(t, root);
    await bulk(t, root);
}

async function fields(t, root) {
    const draft = {
        name: "drafts",
        fields: [
            { name: "title", type: "text" },
            { name: "rank", type: "number" },
            { name: "label", type: "select", values: ["a", "b", "c"] },
        ],
    };
    const created = await t.does("a collection to change", () => root.collections.create(draft));
    const drafts = root.collection("drafts");
    const change = (body) => () => root.collections.update("drafts", body);
    const look = () => drafts.getFullList({ sort: "rank" });
    for (const [rank, label] of [[1, "a"], [2, "b"], [3, ""]]) {
        await t.does(`draft ${rank}`, () => drafts.create({ title: `draft ${rank}`, rank, label }));
    }

    const [id, title, ...others] = created.fields;
    const renamed = [id, { ...title, name: "heading" }, ...others];
    await t.does("rename a field", change({ fields: renamed }), { fields: { 1: { name: "heading" } } });
    await t.does("its values moved along", look, [
        { heading: "draft 1", title: undefined },
        { heading: "draft 2" },
        { heading: "draft 3" },
    ]);
    const more = [...renamed, { name: "done", type: "bool" }, { name: "extra", type: "json" }];
    await t.does("add two fields", change({ fields: more }), { fields: { 5: { name: "extra" } } });
    await t.does("they start empty", look, { 0: { done: false, extra: null } });
    const fewer = (await root.collections.getOne("drafts")).fields;
    const kept = fewer.filter((field) => field.name !== "extra");
    await t.does("remove a field", change({ fields: kept }), { fields: { length: 5 } });
    await t.does("its values are gone", look, { 0: { extra: undefined, done: false } });
    const recast = kept.map((field) => (field.name === "done" ? { ...field, type: "text" } : field));
    await t.fails("a field cannot change its type", change({ fields: recast }), 400);
    const headless = kept.filter((field) => field.name !== "id");
    await t.does("the id field cannot be left out", change({ fields: headless }), {
        fields: { 0: { name: "id" } },
    });
}

async function convert(t, root) {
    const label = (changes) => async () => {
        const { fields } = await root.collections.getOne("drafts");
        const changed = fields.map((field) => (field.name === "label" ? { ...field, ...changes } : field));
        return root.collections.update("drafts", { fields: changed });
    };
    const look = () => root.collection("drafts").getFullList({ sort: "rank", fields: "label" });
    await t.does("a single choice becomes several", label({ maxSelect: 2 }));
    await t.does("each value became a list", look, [{ label: ["a"] }, { label: ["b"] }, { label: [] }]);
    await t.does("several become a single choice again", label({ maxSelect: 1 }));
    await t.does("each list became a value", look, [{ label: "a" }, { label: "b" }, { label: "" }]);
    await t.does("a value is no longer allowed", label({ values: ["a", "c"] }));
    await t.does("records that hold it keep it", look, { 1: { label: "b" } });
}

async function collection(t, root) {
    const change = (name, body) => () => root.collections.update(name, body);
    const unique = "CREATE UNIQUE INDEX `idx_drafts_rank` ON `drafts` (`rank`)";
    await t.does("add an index", change("drafts", { indexes: [unique] }), { indexes: [unique] });
    const again = () => root.collection("drafts").create({ rank: 1 });
    await t.fails("it is enforced", again, 400, { data: { rank: { code: "validation_not_unique" } } });
    await t.does("rename the collection", change("drafts", { name: "sketches" }), {
        name: "sketches",
        indexes: ["CREATE UNIQUE INDEX `idx_drafts_rank` ON `sketches` (`rank`)"],
    });
    const list = (name) => () => root.collection(name).getList(1, 1, { fields: "collectionName" });
    await t.does("records answer to the new name", list("sketches"), {
        totalItems: 3,
        items: [{ collectionName: "sketches" }],
    });
    await t.fails("and no more to the old", list("drafts"), 404);
    await t.does("remove the index", change("sketches", { indexes: [] }), { indexes: [] });
    await t.does("now it is free", () => root.collection("sketches").create({ rank: 1 }), { rank: 1 });
    await t.does("set a rule", change("sketches", { listRule: "rank > 1" }), { listRule: "rank > 1" });
    await t.does("unset a rule", change("sketches", { listRule: null }), { listRule: null });
    await t.fails("a broken rule", change("sketches", { updateRule: "rank >" }), 400, {
        data: { updateRule: { code: "validation_invalid_rule" } },
    });
    await t.fails("the type is fixed", change("sketches", { type: "auth" }), 400, {
        data: { type: { code: "validation_collection_type_change" } },
    });
    await t.fails("a collection that is referred to stays", () => root.collections.delete("authors"), 400);
    await t.fails("update of a missing collection", change("missing", { name: "x" }), 404);
    await t.fails("delete of a missing collection", () => root.collections.delete("missing"), 404);
}

async function bulk(t, root) {
    await t.does("truncate", () => root.collections.truncate("sketches"), true);
    const count = () => root.collection("sketches").getList(1, 1);
    await t.does("no record is left", count, { totalItems: 0, items: [] });
    await t.fails("truncate a missing collection", () => root.collections.truncate("missing"), 404);

    const sketches = await root.collections.getOne("sketches");
    const wider = {
        ...sketches,
        viewRule: "",
        fields: [...sketches.fields, { name: "note", type: "text", id: "text9999999999" }],
    };
    const fresh = { name: "imported", fields: [{ name: "word", type: "text", max: 9 }] };
    await t.does("import a change and a new one", () => root.collections.import([wider, fresh]), true);
    await t.does("the change is there", () => root.collections.getOne("sketches"), {
        viewRule: "",
        fields: { 5: { name: "note", id: "text9999999999" } },
    });
    const word = () => root.collection("imported").create({ word: "hello" });
    await t.does("the new one takes records", word, { word: "hello" });
    const broken = { name: "broken", fields: [{ name: "x", type: "text", min: 9, max: 1 }] };
    await t.fails("an import is all or nothing", () => root.collections.import([fresh, broken]), 400, {
        data: { collections: {} },
    });
    await t.fails("nothing to import", () => root.collections.import([]), 400, {
        data: { collections: { code: "validation_required" } },
    });
    for (const name of ["sketches", "imported"]) {
        await t.does(`delete ${name}`, () => root.collections.delete(name), true);
    }
}
