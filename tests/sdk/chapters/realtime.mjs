// Realtime: who hears what, and in which form. Events are awaited, never slept for; that a
// client hears nothing shows by the next event that it does hear. Every event is taken before the
// next write, because PocketBase may deliver those of two writes in either order.

import { Inbox, ownId } from "../world.mjs";

const PASSWORD = "correct horse";
const NEWS = (n) => ownId("news", n);

export async function run(t, world) {
    await prepare(t, world);
    await wildcard(t, world);
    await single(t, world);
    await options(t, world);
    await rules(t, world);
    await authChange(t, world);
    await custom(t, world);
}

async function prepare(t, { root }) {
    const authors = (await root.collections.getOne("authors")).id;
    await t.does("a collection to watch", () =>
        root.collections.create({
            name: "news",
            listRule:
                "secret = false || @request.auth.role = 'chief' || (@request.headers.x_key = 'k' && @request.query.key = 'q')",
            viewRule: "secret = false || @request.auth.id != ''",
            fields: [
                { name: "title", type: "text" },
                { name: "secret", type: "bool" },
                { name: "note", type: "text", hidden: true },
                { name: "author", type: "relation", collectionId: authors },
            ],
        }));
}

async function wildcard(t, { root, anon }) {
    const inbox = new Inbox();
    const news = root.collection("news");
    await t.does("subscribe to all", () => anon.collection("news").subscribe("*", inbox.accept));
    t.is("connected", [anon.realtime.isConnected, anon.realtime.clientId !== ""], [true, true]);
    const body = { id: NEWS(1), title: "first", note: "hidden" };
    await t.does("create", () => news.create(body));
    await t.does("is heard", () => inbox.next(), {
        action: "create",
        record: { id: NEWS(1), title: "first", note: undefined },
    });
    await t.does("update", () => news.update(NEWS(1), { title: "second" }));
    await t.does("is heard", () => inbox.next(), { action: "update", record: { title: "second" } });
    await t.does("delete", () => news.delete(NEWS(1)), true);
    await t.does("is heard", () => inbox.next(), { action: "delete", record: { id: NEWS(1) } });
    await t.does("unsubscribe", () => anon.collection("news").unsubscribe("*"));
    t.is("the last one closes the connection", anon.realtime.isConnected, false);
    await t.does("create unheard", () => news.create({ id: NEWS(2), title: "unheard" }));
    await t.does("subscribe again", () => anon.collection("news").subscribe("*", inbox.accept));
    await t.does("create again", () => news.create({ id: NEWS(3), title: "heard" }));
    await t.does("is heard, and only that", () => inbox.next(), { record: { title: "heard" } });
    await anon.realtime.unsubscribe();
}

async function single(t, { root, anon }) {
    const [one, other, byId] = [new Inbox(), new Inbox(), new Inbox()];
    const news = root.collection("news");
    const { collectionId } = await news.getOne(NEWS(2));
    const stop = await t.does("subscribe to a record", () =>
        anon.collection("news").subscribe(NEWS(2), one.accept), (stop) => typeof stop === "function");
    await t.does("to another", () => anon.collection("news").subscribe(NEWS(3), other.accept));
    await t.does("to all, by the collection's id", () => anon.collection(collectionId).subscribe("*", byId.accept));
    await t.does("update the one", () => news.update(NEWS(2), { title: "one" }));
    await t.does("it is heard", () => one.next(), { action: "update", record: { id: NEWS(2), title: "one" } });
    await t.does("by the third as well", () => byId.next(), { record: { id: NEWS(2), title: "one" } });
    await t.does("update the other", () => news.update(NEWS(3), { title: "other" }));
    await t.does("it is heard by its own", () => other.next(), { record: { id: NEWS(3), title: "other" } });
    t.is("and not by the first", one.size, 0);
    await t.does("and by the third", () => byId.next(), { record: { title: "other" } });
    await t.does("stop the first", () => stop());
    await t.does("update the one again", () => news.update(NEWS(2), { title: "again" }));
    await t.does("the third hears", () => byId.next(), { record: { title: "again" } });
    t.is("the first does not", one.size, 0);
    await t.does("delete the other", () => news.delete(NEWS(3)), true);
    await t.does("its own hears the end", () => other.next(), { action: "delete" });
    await anon.realtime.unsubscribe();
    t.is("all is closed", anon.realtime.isConnected, false);
}

async function options(t, { root, anon }) {
    const [narrow, filtered, keyed, requested, plain] = Array.from({ length: 5 }, () => new Inbox());
    const news = root.collection("news");
    const watch = (inbox, options) => () => anon.collection("news").subscribe("*", inbox.accept, options);
    await t.does("with fields and expand", watch(narrow, { expand: "author", fields: "title,expand.author.name" }));
    await t.does("with a filter", watch(filtered, { filter: "title ~ 'big'" }));
    await t.does("with headers and query", watch(keyed, { headers: { "X-Key": "k" }, query: { key: "q" } }));
    await t.does("with a filter by request", watch(requested, { filter: "@request.method = 'GET'" }));
    await t.does("without", watch(plain));
    const author = ownId("eve", 1);
    await t.does("create a small one", () => news.create({ title: "small", author }));
    await t.does("narrow hears", () => narrow.next(), {
        record: { title: "small", id: undefined, expand: { author: { name: "Ève Curie" } } },
    });
    await t.does("plain hears", () => plain.next(), { record: { title: "small", expand: undefined } });
    await t.does("keyed hears", () => keyed.next(), { record: { title: "small" } });
    await t.does("create a big one", () => news.create({ title: "big", author }));
    await t.does("filtered hears that alone", () => filtered.next(), { record: { title: "big" } });
    for (const [name, inbox] of Object.entries({ narrow, plain, keyed })) {
        await t.does(`${name} hears it too`, () => inbox.next(), { record: { title: "big" } });
    }
    t.is("a filter by request is for superusers", requested.size, 0);
    await t.does("create a secret one", () => news.create({ title: "hush", author, secret: true }));
    await t.does("the rule saw headers and query", () => keyed.next(), { record: { title: "hush" } });
    t.is("of the others none heard it", [narrow.size, filtered.size, plain.size], [0, 0, 0]);
    await anon.realtime.unsubscribe();
}

async function rules(t, { root, anon, users: { alice, carla } }) {
    const news = root.collection("news");
    const inboxes = { anon: new Inbox(), alice: new Inbox(), carla: new Inbox(), root: new Inbox() };
    const clients = { anon, alice, carla, root };
    for (const [name, client] of Object.entries(clients)) {
        await t.does(`${name} subscribes`, () => client.collection("news").subscribe("*", inboxes[name].accept));
    }
    await t.does("create a secret", () => news.create({ id: NEWS(4), title: "secret", secret: true }));
    const next = (name) => () => inboxes[name].next();
    await t.does("a chief hears the secret", next("carla"), { record: { title: "secret" } });
    await t.does("a superuser sees hidden fields", next("root"), { record: { title: "secret", note: "" } });
    await t.does("create a public one", () => news.create({ id: NEWS(5), title: "public" }));
    for (const name of Object.keys(clients)) {
        await t.does(`${name} hears the public one`, next(name), { record: { title: "public" } });
    }

    const one = new Inbox();
    await t.does("the view rule counts for one record", () => alice.collection("news").subscribe(NEWS(4), one.accept));
    await t.does("update the secret", () => news.update(NEWS(4), { title: "still secret" }));
    await t.does("the member hears it", () => one.next(), { record: { title: "still secret" } });
    await t.does("make it public", () => news.update(NEWS(4), { secret: false }));
    await t.does("now the visitor hears", next("anon"), { record: { id: NEWS(4), secret: false } });
    for (const client of Object.values(clients)) await client.realtime.unsubscribe();
}

async function authChange(t, { root, client }) {
    const late = client();
    const [before, after] = [new Inbox(), new Inbox()];
    const news = root.collection("news");
    await t.does("a visitor subscribes", () => late.collection("news").subscribe("*", before.accept));
    await t.does("signs in", () => late.collection("members").authWithPassword("carla", PASSWORD));
    await t.does("and subscribes once more", () => late.collection("news").subscribe(NEWS(6), after.accept));
    await t.does("create a secret", () => news.create({ id: NEWS(6), title: "for chiefs", secret: true }));
    await t.does("both subscriptions act for the member", async () => [await before.next(), await after.next()], [
        { record: { title: "for chiefs" } },
        { record: { title: "for chiefs" } },
    ]);
    const carla = late.authStore.record.id;
    await t.does("the role changes", () => root.collection("members").update(carla, { role: "reader" }));
    await t.does("create another secret", () => news.create({ title: "for chiefs only", secret: true }));
    await t.does("create a public one", () => news.create({ title: "for all" }));
    await t.does("the old role hears no more", () => before.next(), { record: { title: "for all" } });
    await t.does("the role comes back", () => root.collection("members").update(carla, { role: "chief" }));
    late.authStore.clear();
    await t.fails("the connection belongs to the member", () =>
        late.send("/api/realtime", {
            method: "POST",
            body: { clientId: late.realtime.clientId, subscriptions: [] },
        }), 403, {});
    await late.realtime.unsubscribe();
}

async function custom(t, { anon, root }) {
    const submit = (clientId, subscriptions) => () =>
        anon.send("/api/realtime", { method: "POST", body: { clientId, subscriptions } });
    await t.fails("an unknown connection", submit("nobody", ["news/*"]), 404, {});
    await t.fails("no connection", submit("", []), 400, { data: { clientId: { code: "validation_required" } } });
    const inbox = new Inbox();
    const connected = new Inbox();
    await t.does("the first event tells the id", () => anon.realtime.subscribe("PB_CONNECT", connected.accept));
    await t.does("it is the client's", async () => (await connected.next()).clientId === anon.realtime.clientId, true);
    const { clientId } = anon.realtime;
    await t.fails("too many topics", submit(clientId, Array(1001).fill("news/*")), 400, { data: { subscriptions: {} } });
    await t.fails("too long a topic", submit(clientId, ["x".repeat(2501)]), 400, { data: { subscriptions: {} } });
    await t.does("a topic of one's own", () => anon.realtime.subscribe("own/topic", inbox.accept));
    await t.does("an unknown collection", () => anon.collection("missing").subscribe("*", inbox.accept));
    await t.does("both are silent", () => root.collection("news").create({ title: "no one listens" }));
    t.is("nothing came", inbox.size, 0);
    await anon.realtime.unsubscribe();
}
