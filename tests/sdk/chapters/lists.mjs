// Lists: pages, sort, fields, totals, and the SDK's three ways to ask for them.

import { ownId } from "../world.mjs";

/// A collection of its own, so that every list here is known in full.
const ITEMS = {
    name: "items",
    listRule: "",
    viewRule: "",
    fields: [
        { name: "name", type: "text" },
        { name: "size", type: "number" },
        { name: "group", type: "select", values: ["x", "y", "z"] },
        { name: "flags", type: "select", maxSelect: 3, values: ["hot", "new", "old"] },
        { name: "on", type: "bool" },
        { name: "day", type: "date" },
        { name: "info", type: "json" },
        { name: "text", type: "editor" },
        { name: "spot", type: "geoPoint" },
    ],
};

export const COUNT = 12;

export async function run(t, { root, anon }) {
    await t.does("a collection to list", () => root.collections.create(ITEMS), { name: "items" });
    for (let n = 1; n <= COUNT; n++) {
        await root.collection("items").create(item(n));
    }
    const items = anon.collection("items");
    await pages(t, items);
    await order(t, items);
    await shape(t, items);
}

/// Values differ in every field, with ties in `group`, `on` and `flags`.
function item(n) {
    return {
        id: ownId("item", n),
        name: `Item ${String.fromCharCode(64 + n)}`,
        size: (n * 7) % 12,
        group: ["x", "y", "z"][n % 3],
        flags: [["hot"], ["hot", "new"], ["old"], []][n % 4],
        on: n % 2 === 0,
        day: n % 5 === 0 ? "" : `2024-0${1 + (n % 3)}-1${n % 10} 10:00:00.000Z`,
        info: { n, tags: [`t${n}`, "all"], inner: { even: n % 2 === 0 } },
        text: `<p>The <em>story</em> of item ${n}, told at some length &amp; with markup.</p>`,
        spot: { lon: n, lat: n * 2 },
    };
}

async function pages(t, items) {
    const brief = { sort: "size", fields: "name,size" };
    await t.does("the first page", () => items.getList(1, 5, brief), {
        page: 1,
        perPage: 5,
        totalItems: 12,
        totalPages: 3,
        items: [{ size: 0 }, { size: 1 }, { size: 2 }, { size: 3 }, { size: 4 }],
    });
    await t.does("the last page", () => items.getList(3, 5, brief), { items: [{ size: 10 }, { size: 11 }] });
    await t.does("past the last page", () => items.getList(9, 5, brief), { page: 9, items: [] });
    await t.does("page zero is the first", () => items.getList(0, 2, brief), { page: 1 });
    await t.does("a negative page size", () => items.getList(1, -1, brief), { perPage: 30 });
    await t.does("too big a page size", () => items.getList(1, 100000, brief), { perPage: 1000 });
    await t.does("without totals", () => items.getList(1, 5, { ...brief, skipTotal: true }), {
        totalItems: -1,
        totalPages: -1,
    });
    await t.does("no options", () => items.getList(), { perPage: 30, items: { length: COUNT } });
    const small = () => items.getFullList({ batch: 5, sort: "-size", fields: "size" });
    await t.does("the full list in batches of 5", small, { length: COUNT, 0: { size: 11 } });
    const numeric = () => items.getFullList(4, { sort: "size", fields: "size" });
    await t.does("the full list, batch as argument", numeric, { length: COUNT, 0: { size: 0 } });
    const first = (filter) => () => items.getFirstListItem(filter, { sort: "-size", fields: "name,size" });
    await t.does("the first that matches", first("on = true"), { size: 10 });
    await t.fails("the first when none matches", first("size > 100"), 404);
    await t.does("one with fields", () => items.getOne(ownId("item", 3), { fields: "name" }), {
        name: "Item C",
        id: undefined,
    });
}

async function order(t, items) {
    const sorted = (sort) => () => items.getFullList({ sort, fields: "id" });
    const starts = (...numbers) => Object.fromEntries(numbers.map((n, at) => [at, { id: ownId("item", n) }]));
    await t.does("by text down", sorted("-name"), starts(12, 11, 10));
    await t.does("by two fields", sorted("group,-size"), starts(3, 6, 9, 12));
    await t.does("by bool then text", sorted("-on,+name"), starts(2, 4, 6));
    await t.does("by date, empty first", sorted("day,name"), starts(5, 10));
    await t.does("by a place inside JSON", sorted("-info.n"), starts(12, 11, 10));
    await t.does("by row id down", sorted("-@rowid"), starts(12, 11, 10));
    await t.does("by id", sorted("id"), starts(1, 2, 3));
    const random = () => items.getFullList({ sort: "@random", fields: "id" }).then((all) => all.length);
    await t.does("in any order", random, COUNT);
    await t.fails("by a missing field", sorted("nope"), 400);
}

async function shape(t, items) {
    const one = (fields) => () => items.getOne(ownId("item", 2), { fields });
    await t.does("fields: inside JSON", one("info.tags,info.inner.even"), {
        info: { tags: ["t2", "all"], inner: { even: true } },
    });
    await t.does("fields: everything", one("*"), { name: "Item B" });
    await t.does("fields: an excerpt", one("text:excerpt(12)"), { text: "The story of" });
    await t.does("fields: an excerpt with dots", one("text:excerpt(12,true)"), { text: "The story of..." });
    await t.does("fields: a longer excerpt", one("text:excerpt(200,true)"), { text: /& with markup\.$/ });
    await t.does("fields: unknown ones", one("nope"), {});
    await t.fails("fields: an unknown modifier", one("text:shout()"), 400);
    const list = () => items.getList(1, 2, { sort: "id", fields: "name,spot.lat" });
    await t.does("fields of a list", list, { items: [{ name: "Item A", spot: { lat: 2 } }, {}] });
}
