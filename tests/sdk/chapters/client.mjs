// What the SDK does by itself: hooks, cancellation, headers, URLs, errors.

export async function run(t, world) {
    await hooks(t, world);
    await cancel(t, world);
    await requests(t, world);
    await errors(t, world);
}

async function hooks(t, { client, root }) {
    const hooked = client();
    const seen = [];
    hooked.beforeSend = (url, options) => {
        seen.push([options.method, url]);
        const headers = { ...options.headers, Authorization: root.authStore.token };
        return { url, options: { ...options, headers, query: { ...options.query, fields: "name" } } };
    };
    await t.does("beforeSend adds a token and a query", () => hooked.collections.getOne("authors"), {
        name: "authors",
        id: undefined,
    });
    hooked.afterSend = (response, data) => ({ status: response.status, data });
    await t.does("afterSend wraps the answer", () => hooked.collections.getOne("authors"), {
        status: 200,
        data: { name: "authors" },
    });
    hooked.beforeSend = (url) => ({ url: url.replace("authors", "missing") });
    hooked.afterSend = undefined;
    await t.fails("beforeSend leads elsewhere", () => hooked.collection("authors").getList(), 404);
    t.is("what the hook saw", seen, { length: 2 });
}

async function cancel(t, { client }) {
    const items = client().collection("items");
    const list = (options) => items.getList(1, 1, { sort: "id", fields: "id", ...options }).then(
        (page) => page.items.length,
        (error) => (error.isAbort ? "cancelled" : error),
    );
    await t.does("of two alike the first is cancelled", () => Promise.all([list(), list()]), ["cancelled", 1]);
    const keyed = () => Promise.all([list({ requestKey: "a" }), list({ requestKey: "b" })]);
    await t.does("own keys keep both", keyed, [1, 1]);
    const keyless = () => Promise.all([list({ requestKey: null }), list({ requestKey: null })]);
    await t.does("no key keeps both", keyless, [1, 1]);
    const free = client().autoCancellation(false);
    const both = () =>
        Promise.all([1, 2].map(() => free.collection("items").getList(1, 1).then((page) => page.items.length)));
    await t.does("switched off keeps both", both, [1, 1]);
    const manual = client();
    await t.fails("cancelled by its key", () => {
        const pending = manual.collection("items").getList(1, 1, { requestKey: "mine" });
        manual.cancelRequest("mine");
        return pending;
    }, 0);
    await t.fails("all cancelled", () => {
        const pending = manual.collection("items").getList();
        manual.cancelAllRequests();
        return pending;
    }, 0);
}

async function requests(t, { anon, root, baseUrl }) {
    t.is("URLs are joined with one slash", [anon.buildURL("a/b"), anon.buildURL("/a/b")], (urls) => urls[0] === urls[1]);
    const send = (path, options) => () => anon.send(path, options);
    await t.does("send with a query", send("/api/collections/items/records", { query: { perPage: 1, fields: "id", sort: "id" } }), {
        perPage: 1,
    });
    await t.does("unknown options are query parameters", send("/api/collections/items/records", { perPage: 2, fields: "id", sort: "id" }), {
        perPage: 2,
    });
    await t.does("a custom fetch", () =>
        anon.send("/api/health", { fetch: (url, options) => fetch(url, { ...options, method: "HEAD" }) }));
    const trailing = () => anon.send("/api/health/", {});
    await t.fails("a trailing slash is another route", trailing, 404);
    const bearer = { headers: { Authorization: `Bearer ${root.authStore.token}` }, fields: "name" };
    await t.does("a bearer token", () => anon.collections.getOne("authors", bearer), { name: "authors" });
    const lower = { headers: { authorization: root.authStore.token }, fields: "name" };
    await t.does("a bare token", () => anon.collections.getOne("authors", lower), { name: "authors" });
    await t.does("CORS for any origin", async () => {
        const response = await fetch(`${baseUrl}/api/health`, { headers: { Origin: "https://app.example.com" } });
        return response.headers.get("access-control-allow-origin");
    }, "*");
    await t.does("CORS before a write", async () => {
        const headers = {
            Origin: "https://app.example.com",
            "Access-Control-Request-Method": "PATCH",
            "Access-Control-Request-Headers": "authorization,content-type",
        };
        const response = await fetch(`${baseUrl}/api/collections/items/records`, { method: "OPTIONS", headers });
        const allowed = [...response.headers].filter(([name]) => name.startsWith("access-control-"));
        return { status: response.status, ...Object.fromEntries(allowed) };
    }, { status: 204, "access-control-allow-origin": "*" });
    await t.does("security headers", async () => {
        const { headers } = await fetch(`${baseUrl}/api/health`);
        return ["x-content-type-options", "x-frame-options", "x-xss-protection"].map((name) => headers.get(name));
    }, ["nosniff", "SAMEORIGIN", "1; mode=block"]);
}

async function errors(t, { anon, client }) {
    const error = await t.fails("an error in full", () => anon.collection("authors").getOne("missing"), 404);
    t.is("its parts", { ...error.toJSON(), name: error.name, message: error.message, same: error.data === error.response }, {
        url: /\/api\/collections\/authors\/records\/missing$/,
        status: 404,
        isAbort: false,
        name: "ClientResponseError 404",
        message: "The requested resource wasn't found.",
        same: true,
    });
    const lost = client();
    // Port 9 is "discard": nothing listens there, so the connection is refused.
    lost.baseURL = "http://127.0.0.1:9";
    await t.fails("a server that is not there", () => lost.health.check(), 0);
    await t.does("a body that is no JSON", () => anon.send("/api/health", {
        fetch: async () => new Response("plain words"),
    }), {});
}
