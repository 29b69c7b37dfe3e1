// Relations: expand forwards, nested and backwards, filters through them, and deletes.

import { ownId } from "../world.mjs";
import { ADA, BOB, EVE } from "./records.mjs";

const TEAM = ownId("team", 1);
const PART = (n) => ownId("part", n);

export async function run(t, { root, anon }) {
    await prepare(t, root);
    await expand(t, root, anon);
    await filter(t, anon);
    await change(t, root);
    await remove(t, root);
}

async function prepare(t, root) {
    const authors = (await root.collections.getOne("authors")).id;
    const rules = { listRule: "", viewRule: "" };
    const teams = await t.does("teams have many authors", () =>
        root.collections.create({
            name: "teams",
            ...rules,
            fields: [
                { name: "name", type: "text" },
                { name: "lead", type: "relation", collectionId: authors, required: true },
                { name: "crew", type: "relation", collectionId: authors, maxSelect: 4 },
            ],
        }));
    await t.does("parts belong to a team", () =>
        root.collections.create({
            name: "parts",
            ...rules,
            fields: [
                { name: "name", type: "text" },
                { name: "team", type: "relation", collectionId: teams.id, cascadeDelete: true },
            ],
        }));
    const team = { id: TEAM, name: "Blue", lead: ADA, crew: [BOB, EVE] };
    await t.does("a team", () => root.collection("teams").create(team), team);
    for (const n of [1, 2, 3]) {
        const part = { id: PART(n), name: `Part ${n}`, team: TEAM };
        await t.does(`part ${n}`, () => root.collection("parts").create(part), part);
    }
    const none = { name: "Nobody's" };
    await t.fails("a required relation", () => root.collection("teams").create(none), 400, {
        data: { lead: { code: "validation_required" } },
    });
}

async function expand(t, root, anon) {
    const team = (options) => () => anon.collection("teams").getOne(TEAM, options);
    await t.does("no expand", team({}), { expand: undefined, crew: [BOB, EVE] });
    await t.does("one relation", team({ expand: "lead" }), { expand: { lead: { name: "Ada Lovelace" } } });
    await t.does("several records", team({ expand: "crew" }), {
        expand: { crew: [{ id: BOB }, { id: EVE }] },
    });
    await t.does("two at once", team({ expand: "lead,crew" }), { expand: { lead: {}, crew: {} } });
    await t.does("an unknown one is left out", team({ expand: "nope,name,lead" }), {
        expand: { lead: { id: ADA } },
    });
    const part = (options) => () => anon.collection("parts").getOne(PART(1), options);
    await t.does("nested", part({ expand: "team.lead,team.crew" }), {
        expand: { team: { expand: { lead: { id: ADA }, crew: [{ id: BOB }, { id: EVE }] } } },
    });
    const narrow = { expand: "team.lead", fields: "name,expand.team.expand.lead.name" };
    await t.does("nested with fields", part(narrow), {
        name: "Part 1",
        expand: { team: { expand: { lead: { name: "Ada Lovelace" } } } },
    });
    await t.does("backwards", team({ expand: "parts_via_team" }), {
        expand: { parts_via_team: { length: 3 } },
    });
    const ada = (options) => () => anon.collection("authors").getOne(ADA, options);
    await t.does("backwards twice", ada({ expand: "teams_via_lead.parts_via_team" }), {
        expand: { teams_via_lead: [{ expand: { parts_via_team: { length: 3 } } }] },
    });
    const eve = { expand: "teams_via_crew.lead" };
    await t.does("back and forth", () => anon.collection("authors").getOne(EVE, eve), {
        expand: { teams_via_crew: [{ expand: { lead: { id: ADA } } }] },
    });
    const list = { sort: "name", expand: "team", fields: "name,expand.team.name" };
    await t.does("in a list", () => anon.collection("parts").getList(1, 2, list), {
        items: [{ expand: { team: { name: "Blue" } } }, {}],
    });
    await t.does("only what its own rule lets one see", () =>
        anon.collection("authors").getOne(ADA, { expand: "notes_via_author,articles_via_author" }));
    await t.does("superusers see all", () =>
        root.collection("authors").getOne(ADA, { expand: "articles_via_author", fields: "expand" }), {
        expand: { articles_via_author: [{ secret: "s" }] },
    });
}

async function filter(t, anon) {
    const names = (collection, text, sort = "name") => async () => {
        const found = await anon.collection(collection).getFullList({ filter: text, sort, fields: "name" });
        return found.map((record) => record.name);
    };
    await t.does("filter through one", names("parts", "team.lead.name = 'Ada Lovelace'"), { length: 3 });
    await t.does("filter through many, any", names("teams", "crew.name ?= 'Bob Dylan'"), ["Blue"]);
    await t.does("filter through many, all", names("teams", "crew.name = 'Bob Dylan'"), []);
    await t.does("filter backwards", names("authors", "teams_via_crew.name ?= 'Blue'"), [
        "Bob Dylan",
        "Ève Curie",
    ]);
    await t.does("filter on length", names("teams", "crew:length = 2"), ["Blue"]);
    await t.does("sort through one", names("parts", "team.name != ''", "-team.name,-name"), [
        "Part 3",
        "Part 2",
        "Part 1",
    ]);
}

async function change(t, root) {
    const team = (body) => () => root.collection("teams").update(TEAM, body);
    await t.does("append a relation", team({ "crew+": ADA }), { crew: [BOB, EVE, ADA] });
    await t.does("remove one", team({ "crew-": BOB }), { crew: [EVE, ADA] });
    await t.does("prepend one", team({ "+crew": [BOB] }), { crew: [BOB, EVE, ADA] });
    await t.does("one of them twice", team({ crew: [BOB, BOB, EVE] }), { crew: [BOB, EVE] });
    await t.fails("too many", team({ crew: [ADA, BOB, EVE, ADA + "x", "y"] }), 400, { data: { crew: {} } });
    await t.fails("nobody", team({ "crew+": "missing00000000" }), 400, { data: { crew: {} } });
}

async function remove(t, root) {
    await t.fails("a required one cannot go", () => root.collection("authors").delete(ADA), 400, {});
    await t.does("an optional one is unset", () => root.collection("authors").delete(BOB), true);
    await t.does("in all that refer to it", () => root.collection("teams").getOne(TEAM), { crew: [EVE] });
    const articles = { filter: "title = 'With expand'", fields: "title" };
    await t.does("articles of it went too", () => root.collection("articles").getFullList(articles), []);
    await t.does("delete the team", () => root.collection("teams").delete(TEAM), true);
    await t.does("its parts went too", () => root.collection("parts").getFullList(), []);
    await t.does("its authors stayed", () => root.collection("authors").getOne(EVE), { id: EVE });
}
