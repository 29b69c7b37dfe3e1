// Logs and scheduled chores: what is written about requests, and who may see it.

/// Marks the requests of this chapter.
const MARK = "logged-by-the-script";
/// PocketBase writes entries after three seconds of silence, or when there are so many.
const BATCH = 200;
/// What is the same whenever a request is repeated.
const FIELDS = "id,created,level,message,data.auth,data.error,data.method,data.status,data.type,data.url";

export async function run(t, { baseUrl, root, anon, users: { alice } }) {
    const wanted = `data.url ~ '${MARK}'`;
    const list = (options) => root.logs.getList(1, 20, { filter: wanted, sort: "data.url,@rowid", fields: FIELDS, ...options });

    const path = (path) => `${path}?mark=${MARK}-${path.replaceAll("/", "-")}`;
    await anon.send(path("/api/health"), {});
    await alice.send(path("/api/collections/users/auth-methods"), {});
    await anon.send(path("/api/nowhere"), {}).catch(() => {});
    await root.send(path("/api/collections/nothing/records"), {}).catch(() => {});
    await root.send(path("/api/collections/users/records"), { method: "POST", body: {} }).catch(() => {});
    await anon.send(path("/api/settings"), {}).catch(() => {});
    await fetch(`${baseUrl}/api/health?mark=${MARK}-${encodeURIComponent("é'\"")}`, { method: "HEAD" });
    await written(anon, async () => (await list()).totalItems === 7);

    const { items } = await t.does("entries of requests", () => list(), { totalItems: 7, items: { length: 7 } });
    const failed = items.find((item) => item.data.status === 401);
    await t.does("one of them", () => root.logs.getOne(failed.id, { fields: `${FIELDS},data.details` }), {
        id: failed.id,
        level: 8,
        data: { auth: "", status: 401, details: null },
    });
    await t.does("failures only", () => list({ filter: `${wanted} && level > 0`, fields: "message" }), { totalItems: 4 });
    await t.does("by what is in them", () => list({ filter: `${wanted} && data.status = 404`, fields: "message,data.status" }), {
        totalItems: 2,
    });
    await t.does("the other way round", () => list({ sort: "-data.url", fields: "data.url" }), { totalItems: 7 });
    await t.does("how many", async () => {
        const hours = await root.logs.getStats({ filter: wanted });
        return hours.reduce((sum, hour) => sum + hour.total, 0);
    }, 7);
    await t.does("in which hours", async () => {
        const [hour] = await root.logs.getStats({ filter: wanted });
        return hour.date.slice(13);
    }, ":00:00.000Z");

    await t.fails("there is no such entry", () => root.logs.getOne("nothing"), 404);
    await t.fails("no such field", () => root.logs.getList(1, 1, { filter: "body = 1" }), 400);
    await t.fails("nor for statistics", () => root.logs.getStats({ filter: "body = 1" }), 400);
    await t.fails("no such sort", () => root.logs.getList(1, 1, { sort: "body" }), 400);
    await t.fails("not for visitors", () => anon.logs.getList(), 401);
    await t.fails("nor for members", () => alice.logs.getStats(), 403);
    await t.fails("nor one", () => alice.logs.getOne(failed.id), 403);

    await t.does("scheduled chores", () => root.crons.getFullList());
    await t.does("run one", () => root.crons.run("__pbOTPCleanup__"), true);
    await t.fails("there is no such chore", () => root.crons.run("nothing"), 404);
    await t.fails("not to be seen by members", () => alice.crons.getFullList(), 403);
    await t.fails("nor run by visitors", () => anon.crons.run("__pbOTPCleanup__"), 401);
}

/// Waits until `done`, in which other requests fill the batch.
async function written(client, done) {
    const fillers = Array.from({ length: BATCH }, () => client.health.check({ requestKey: null }));
    await Promise.all(fillers);
    const until = Date.now() + 15_000;
    while (!(await done()) && Date.now() < until) {
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
}
