// Batches: several writes in one transaction, or none of them.

import { ownId } from "../world.mjs";

const TASK = (n) => ownId("task", n);

export async function run(t, world) {
    await prepare(t, world);
    await mixed(t, world);
    await rollback(t, world);
    await rules(t, world);
    await limits(t, world);
}

async function prepare(t, { root, anon }) {
    const members = (await root.collections.getOne("members")).id;
    await t.does("a collection for batches", () =>
        root.collections.create({
            name: "tasks",
            listRule: "",
            viewRule: "",
            createRule: "@request.auth.id = @request.body.owner || owner = ''",
            updateRule: "owner = @request.auth.id",
            deleteRule: "owner = @request.auth.id",
            fields: [
                { name: "title", type: "text", required: true, max: 20 },
                { name: "rank", type: "number" },
                { name: "owner", type: "relation", collectionId: members },
                { name: "file", type: "file", maxSelect: 2 },
            ],
            indexes: ["CREATE UNIQUE INDEX `idx_tasks_title` ON `tasks` (`title`)"],
        }));
    const batch = anon.createBatch();
    batch.collection("tasks").create({ title: "too early" });
    await t.fails("batches are off at first", () => batch.send(), 403, {
        message: "Batch requests are not allowed.",
    });
    await t.does("switch them on", () => root.settings.update({ batch: { enabled: true, maxRequests: 8 } }), {
        batch: { enabled: true, maxRequests: 8 },
    });
}

async function mixed(t, { root }) {
    const first = root.createBatch();
    for (const n of [1, 2, 3]) first.collection("tasks").create({ id: TASK(n), title: `task ${n}`, rank: n });
    await t.does("three creates", () => first.send(), [
        { status: 200, body: { id: TASK(1), rank: 1 } },
        { status: 200, body: { id: TASK(2) } },
        { status: 200, body: { id: TASK(3) } },
    ]);
    const second = root.createBatch();
    const tasks = second.collection("tasks");
    tasks.update(TASK(1), { "rank+": 10 }, { fields: "rank" });
    tasks.upsert({ id: TASK(2), title: "task 2 again" });
    tasks.upsert({ id: TASK(4), title: "task 4 is new" });
    tasks.delete(TASK(3));
    second.collection("authors").create({ name: "By Batch" }, { fields: "name" });
    await t.does("one of each", () => second.send(), [
        { status: 200, body: { rank: 11 } },
        { status: 200, body: { id: TASK(2), title: "task 2 again", rank: 2 } },
        { status: 200, body: { id: TASK(4) } },
        { status: 204, body: null },
        { status: 200, body: { name: "By Batch" } },
    ]);
    await t.does("all of it happened", () => root.collection("tasks").getFullList({ sort: "id", fields: "id,title,rank" }), [
        { id: TASK(1), rank: 11 },
        { id: TASK(2), title: "task 2 again" },
        { id: TASK(4) },
    ]);
    const third = root.createBatch();
    const files = [new File(["one"], "one.txt"), new File(["two"], "two.txt")];
    third.collection("tasks").create({ id: TASK(5), title: "with files", file: files });
    third.collection("tasks").update(TASK(1), { file: new File(["three"], "three.txt"), rank: 1 });
    const sent = await t.does("with files", () => third.send(), [
        { body: { file: [/^one_\w+\.txt$/, /^two_\w+\.txt$/] } },
        { body: { file: [/^three_\w+\.txt$/], rank: 1 } },
    ]);
    const url = root.files.getURL(sent[0].body, sent[0].body.file[1]);
    await t.does("which can be fetched", async () => (await fetch(url)).text(), "two");
}

async function rollback(t, { root }) {
    const count = () => root.collection("tasks").getList(1, 1, { fields: "id" }).then((page) => page.totalItems);
    const before = await count();
    const refused = async (title, fill, status, expected) => {
        const batch = root.createBatch();
        batch.collection("tasks").create({ title: "must not stay" });
        fill(batch.collection("tasks"), batch);
        await t.fails(title, () => batch.send(), status, expected);
        await t.does("and nothing stays", count, before);
    };
    await refused("one is invalid", (tasks) => tasks.create({ title: "x".repeat(21) }), 400, {
        message: "Batch transaction failed.",
        data: { requests: { 1: { response: { data: { title: { code: "validation_max_text_constraint" } } } } } },
    });
    await refused("two are alike", (tasks) => tasks.create({ title: "must not stay" }), 400, {
        data: { requests: { 1: { response: { data: { title: { code: "validation_not_unique" } } } } } },
    });
    await refused("one is missing", (tasks) => tasks.update(TASK(9), { title: "x" }), 400, {
        data: { requests: { 1: { response: { status: 404 } } } },
    });
    await refused("a collection is missing", (_, batch) => batch.collection("missing").create({}), 400, {
        data: { requests: { 1: {} } },
    });
    await refused("a delete fails", (tasks) => tasks.delete(TASK(9)), 400, {
        data: { requests: { 1: { response: { status: 404 } } } },
    });
}

async function rules(t, { anon, users: { alice, bruno } }) {
    const a = alice.authStore.record.id;
    const mine = alice.createBatch();
    mine.collection("tasks").create({ id: TASK(6), title: "alice's", owner: a });
    mine.collection("tasks").update(TASK(6), { title: "alice's own" });
    await t.does("a later request sees the earlier ones", () => mine.send(), [
        { body: { title: "alice's" } },
        { body: { title: "alice's own" } },
    ]);
    const theirs = bruno.createBatch();
    theirs.collection("tasks").create({ title: "bruno's", owner: bruno.authStore.record.id });
    theirs.collection("tasks").delete(TASK(6));
    await t.fails("rules count in a batch", () => theirs.send(), 400, {
        data: { requests: { 1: { response: { status: 404 } } } },
    });
    const nobody = anon.createBatch();
    nobody.collection("tasks").create({ title: "visitor's" });
    await t.does("visitors as their rules allow", () => nobody.send(), [{ status: 200 }]);
    const locked = anon.createBatch();
    locked.collection("authors").create({ name: "Locked" });
    await t.fails("and no further", () => locked.send(), 400, {
        data: { requests: { 0: { response: { status: 403 } } } },
    });
}

async function limits(t, { root }) {
    const many = root.createBatch();
    for (let n = 0; n < 9; n++) many.collection("tasks").create({ title: `many ${n}` });
    await t.fails("too many requests", () => many.send(), 400, { data: { requests: {} } });
    await t.fails("no request", () => root.createBatch().send(), 400, { data: { requests: {} } });
    const send = (request) => () =>
        root.send("/api/batch", { method: "POST", body: { requests: [request] } });
    await t.fails("a route that is not for batches", send({ method: "GET", url: "/api/health" }), 400, {});
    await t.fails("an unknown method", send({ method: "FLY", url: "/api/collections/tasks/records" }), 400, {});
    const plain = { method: "POST", url: "/api/collections/tasks/records", body: { title: "plain JSON" } };
    await t.does("plain JSON", send(plain), [{ status: 200, body: { title: "plain JSON" } }]);
}
