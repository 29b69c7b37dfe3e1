// The five rules of a base collection, per kind of user, with the request in view.

import { ownId } from "../world.mjs";

export async function run(t, world) {
    await prepare(t, world);
    await visibility(t, world);
    await create(t, world);
    await update(t, world);
    await remove(t, world);
    await locked(t, world);
}

async function prepare(t, { root }) {
    const members = (await root.collections.getOne("members")).id;
    await t.does("a collection with all rules", () =>
        root.collections.create({
            name: "posts",
            fields: [
                { name: "title", type: "text" },
                { name: "open", type: "bool" },
                { name: "owner", type: "relation", collectionId: members },
                { name: "editors", type: "relation", collectionId: members, maxSelect: 9 },
                { name: "stars", type: "number" },
            ],
            listRule:
                "open = true || owner = @request.auth.id || (@request.auth.id != '' && editors.id ?= @request.auth.id)",
            viewRule: "open = true || owner = @request.auth.id || @request.query.key = 'letmein'",
            createRule: "@request.auth.id != '' && @request.body.owner = @request.auth.id && stars = 0",
            updateRule:
                "owner = @request.auth.id && @request.body.stars:isset = false && @request.body.owner:changed = false",
            deleteRule: "owner = @request.auth.id || @request.auth.role = 'chief'",
        }));
}

const POST = (n) => ownId("post", n);

async function visibility(t, { root, anon, users: { alice, bruno, carla } }) {
    const [a, b] = [alice.authStore.record.id, bruno.authStore.record.id];
    const posts = [
        { title: "open", open: true, owner: a, editors: [] },
        { title: "closed", open: false, owner: a, editors: [b] },
        { title: "private", open: false, owner: b, editors: [] },
    ];
    for (const [at, post] of posts.entries()) {
        const body = { id: POST(at + 1), ...post };
        await t.does(`a post: ${post.title}`, () => root.collection("posts").create(body), body);
    }
    const list = (client) => () =>
        client.collection("posts").getList(1, 9, { sort: "id", fields: "title" }).then((page) => [
            page.totalItems,
            ...page.items.map((post) => post.title),
        ]);
    await t.does("a visitor lists", list(anon), [1, "open"]);
    await t.does("alice lists", list(alice), [2, "open", "closed"]);
    await t.does("bruno lists", list(bruno), [3, "open", "closed", "private"]);
    await t.does("carla lists", list(carla), [1, "open"]);
    await t.does("a superuser lists", list(root), [3, "open", "closed", "private"]);
    const view = (client, n, options) => () => client.collection("posts").getOne(POST(n), options);
    await t.does("a visitor views the open one", view(anon, 1), { title: "open" });
    await t.fails("but not the closed one", view(anon, 2), 404);
    await t.does("except with the key", view(anon, 2, { key: "letmein" }), { title: "closed" });
    await t.fails("an editor is no viewer", view(bruno, 2), 404);
    await t.does("the owner is", view(alice, 2), { title: "closed" });
    await t.does("a filter cannot widen the rule", () =>
        anon.collection("posts").getList(1, 9, { filter: "id != '' || open = false", fields: "title" }), {
        totalItems: 1,
    });
    await t.does("nor can it probe what is hidden", () =>
        anon.collection("posts").getList(1, 9, { filter: "owner.email ~ '%'", fields: "title" }));
}

async function create(t, { anon, users: { alice, bruno } }) {
    const make = (client, body) => () => client.collection("posts").create(body);
    const [a, b] = [alice.authStore.record.id, bruno.authStore.record.id];
    await t.does("create an own one", make(alice, { title: "mine", owner: a }), { owner: a });
    await t.fails("not for another", make(alice, { title: "yours", owner: b }), 400, {
        message: "Failed to create record.",
    });
    await t.fails("not with stars", make(alice, { title: "stars", owner: a, stars: 5 }), 400);
    await t.fails("not as a visitor", make(anon, { title: "nobody's", owner: a }), 400);
    await t.fails("not without an owner", make(bruno, { title: "nobody's" }), 400);
}

async function update(t, { anon, users: { alice, bruno } }) {
    const change = (client, n, body) => () => client.collection("posts").update(POST(n), body);
    const [a, b] = [alice.authStore.record.id, bruno.authStore.record.id];
    await t.does("update an own one", change(alice, 2, { title: "still closed" }), { title: "still closed" });
    await t.does("with the owner unchanged", change(alice, 2, { owner: a }), { owner: a });
    await t.fails("not giving it away", change(alice, 2, { owner: b }), 404);
    await t.fails("not with stars", change(alice, 2, { stars: 5 }), 404);
    await t.fails("not another's", change(bruno, 2, { title: "taken" }), 404);
    await t.fails("not as a visitor", change(anon, 1, { title: "taken" }), 404);
    await t.fails("not what is missing", change(alice, 9, { title: "x" }), 404);
}

async function remove(t, { anon, users: { alice, bruno, carla } }) {
    const drop = (client, n) => () => client.collection("posts").delete(POST(n));
    await t.fails("a visitor deletes nothing", drop(anon, 1), 404);
    await t.fails("bruno nothing of alice's", drop(bruno, 1), 404);
    await t.does("alice her own", drop(alice, 1), true);
    await t.does("a chief any", drop(carla, 3), true);
}

async function locked(t, { root, anon, users: { alice } }) {
    const rule = (body) => () => root.collections.update("posts", body);
    const list = (client) => () => client.collection("posts").getList(1, 1, { sort: "id", fields: "open" });
    await t.does("lock the list", rule({ listRule: null }), { listRule: null });
    await t.fails("for visitors", list(anon), 403, {});
    await t.fails("for members", list(alice), 403, {});
    await t.does("not for superusers", list(root), { totalItems: 2 });
    await t.does("open it to all", rule({ listRule: "" }), { listRule: "" });
    await t.does("to visitors as well", list(anon), { totalItems: 2 });
    await t.does("a rule over another collection", rule({
        listRule: "@collection.members.id ?= @request.auth.id && @collection.members.role ?= 'writer'",
    }));
    await t.does("holds for members", list(alice), { totalItems: 2 });
    await t.does("not for visitors", list(anon), { totalItems: 0 });
    await t.does("a rule over headers", rule({ listRule: "@request.headers.x_pass = 'yes'" }));
    await t.does("without the header", list(anon), { totalItems: 0 });
    await t.does("with it", () =>
        anon.collection("posts").getList(1, 1, { headers: { "X-Pass": "yes" }, fields: "collectionName" }), {
        totalItems: 2,
    });
}
