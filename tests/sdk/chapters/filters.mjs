// The filter language through `filter()` binding and raw text.

export async function run(t, { root, anon }) {
    await operators(t, anon);
    await request(t, root);
    await binding(t, anon);
    await functions(t, anon);
    await refusals(t, anon, root);
}

/// Expects `filter` on the collection `items` to find the items with these letters.
async function finds(t, client, filter, letters) {
    const names = async () => {
        const found = await client.collection("items").getFullList({ filter, sort: "name", fields: "name" });
        return found.map((item) => item.name.replace("Item ", "")).join("");
    };
    await t.does(filter, names, letters);
}

async function operators(t, anon) {
    const cases = [
        ["size = 7", "A"],
        ["size != 7", "BCDEFGHIJKL"],
        ["size > 9", "EJ"],
        ["size >= 9", "CEJ"],
        ["size < 2", "GL"],
        ["size <= 2", "BGL"],
        ["name ~ 'item b'", "B"],
        ["name ~ 'Item%'", "ABCDEFGHIJKL"],
        ["name !~ '%b'", "ACDEFGHIJKL"],
        ["name ~ '_tem A'", ""],
        ["on = true", "BDFHJL"],
        ["on != true", "ACEGIK"],
        ["day = ''", "EJ"],
        ["day = null", "EJ"],
        ["day != null && on = true", "BDFHL"],
        ["day > '2024-03-01'", "BHK"],
        ["group = 'x' || group = 'y'", "ACDFGIJL"],
        ["group = 'x' && (size = 3 || size = 9)", "CI"],
        ["(size > 3 && size < 6) || name = 'Item A'", "ADK"],
        ["flags ?= 'hot'", ""],
        ["flags = 'hot'", ""],
        ["flags:length = 0", "CGK"],
        ["flags:length > 1", "AEI"],
        ["flags:each = 'hot'", "DHL"],
        ["flags:each ?= 'new'", "AEI"],
        ["flags ~ 'new'", "AEI"],
        ["name:lower = 'item a'", "A"],
        ["info.n = 5", "E"],
        ["info.inner.even = true && info.n > 6", "HJL"],
        ["info.tags ?= 't4'", ""],
        ["info.tags ~ 't4'", "D"],
        ["info.nope = null", "ABCDEFGHIJKL"],
        ["spot.lon > 10", "KL"],
        ["1 = 1 && size = 7", "A"],
        ["'Item A' = name", "A"],
        ["size = 7 // a comment", "A"],
        ["id = 'item00000000004'", "D"],
    ];
    for (const [filter, letters] of cases) await finds(t, anon, filter, letters);
}

async function request(t, root) {
    const cases = [
        ["@request.auth.id != '' && size = 7", "A"],
        ["@request.auth.collectionName = '_superusers' && size = 7", "A"],
        ["@request.method = 'GET' && size = 7", "A"],
        ["@request.context = 'default' && size = 7", "A"],
        ["@request.query.sort = 'name' && size = 7", "A"],
        ["@request.query.nope:isset = false && size = 7", "A"],
        ["@request.headers.accept_language = 'en-US' && size = 7", "A"],
        ["@collection.authors.name ?= 'Ada Lovelace' && size = 7", "A"],
        ["@collection.authors.name = 'Ada Lovelace' && size = 7", ""],
        ["@collection.authors:one.name ?= 'Ada Lovelace' && @collection.authors:one.born ?= 1941", ""],
    ];
    for (const [filter, letters] of cases) await finds(t, root, filter, letters);
    const list = (filter) => () => root.collection("items").getList(1, 1, { filter });
    await t.fails("an unknown part of the request", list("@request.nope = 1"), 400);
    await t.fails("an unknown collection", list("@collection.missing.id = 1"), 400);
}

async function binding(t, anon) {
    const cases = [
        ["name = {:name}", { name: "Item A" }, "A"],
        ["name = {:name}", { name: "x' || size > 0 || name = 'y" }, ""],
        ["name = {:name}", { name: 'a "quoted" name' }, ""],
        ["size > {:min} && size < {:max}", { min: 2, max: 5.5 }, "DIK"],
        ["on = {:on}", { on: true }, "BDFHJL"],
        ["day >= {:day} && day != ''", { day: new Date("2024-03-01T00:00:00Z") }, "BHK"],
        ["day = {:day}", { day: null }, "EJ"],
        ["flags = {:flags}", { flags: ["hot", "new"] }, "AEI"],
    ];
    for (const [raw, params, letters] of cases) await finds(t, anon, anon.filter(raw, params), letters);
    t.is("binding quotes", anon.filter("a = {:a}", { a: 'it\'s "x"' }), 'a = "it\'s \\"x\\""');
}

async function functions(t, anon) {
    const cases = [
        ["geoDistance(spot.lon, spot.lat, 1, 2) < 300", "AB"],
        ["strftime('%m', day) = '03'", "BHK"],
        ["day < @now && size = 7", "A"],
        ["day > @yearStart", ""],
        ["@todayStart < @todayEnd && size = 7", "A"],
        ["@year >= 2024 && size = 7", "A"],
    ];
    for (const [filter, letters] of cases) await finds(t, anon, filter, letters);
}

async function refusals(t, anon, root) {
    const items = anon.collection("items");
    const list = (filter) => () => items.getList(1, 1, { filter });
    const cases = [
        "nope = 1",
        "size",
        "size =",
        "size = 1 &&",
        "(size = 1",
        "size === 1",
        "size = 'unclosed",
        "name:shout = 'x'",
        "nope(1) = 1",
        "geoDistance(1, 2) < 1",
    ];
    for (const filter of cases) {
        await t.fails(`refused: ${filter}`, list(filter), 400, { data: {} });
    }
    for (const filter of ["@request.auth.id = ''", "@collection.authors.id != ''"]) {
        await t.fails(`for superusers only: ${filter}`, list(filter), 403, { data: {} });
    }
    await t.fails("a hidden field is no filter for visitors", () =>
        anon.collection("articles").getList(1, 1, { filter: "secret = 's'" }), 400);
    await t.does("but one for superusers", () =>
        root.collection("articles").getList(1, 1, { filter: "secret = 's'", fields: "title" }), {
        totalItems: 1,
    });
}
