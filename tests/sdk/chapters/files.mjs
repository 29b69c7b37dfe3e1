// Files: upload by File, Blob and form, replace, append, remove, download, thumbs, protection.

import { png, pngSize } from "../png.mjs";
import { download, ownId } from "../world.mjs";

const DOC = ownId("doc", 1);

export async function run(t, world) {
    await prepare(t, world);
    await upload(t, world);
    await change(t, world);
    await refuse(t, world);
    await fetchOpen(t, world);
    await fetchProtected(t, world);
    await cleanUp(t, world);
}

const FOUR = ["alpha", "beta", "gamma", "delta"];
const text = (name, content, type = "text/plain") => new File([content], name, { type });

async function prepare(t, { root }) {
    await t.does("a collection with files", () =>
        root.collections.create({
            name: "docs",
            listRule: "",
            viewRule: "",
            fields: [
                { name: "title", type: "text" },
                { name: "one", type: "file", maxSize: 20000, thumbs: ["20x10", "0x8"] },
                { name: "many", type: "file", maxSelect: 3, maxSize: 100 },
                { name: "image", type: "file", mimeTypes: ["image/png"], thumbs: ["16x16"] },
                { name: "vault", type: "file", protected: true },
            ],
        }));
}

async function upload(t, { root }) {
    const docs = root.collection("docs");
    const body = {
        id: DOC,
        title: "By File",
        one: text("Größe & Maß (1).TXT", "hello file"),
        many: [text("alpha.txt", "aaa"), new Blob(["blob"], { type: "text/plain" })],
        image: new File([png(64, 32)], "picture.png", { type: "image/png" }),
        vault: text("secret.txt", "top secret"),
    };
    await t.does("create with files", () => docs.create(body), {
        title: "By File",
        one: /^gr.*_\w{10}\.txt$/i,
        many: [/^alpha_\w{10}\.txt$/, /_\w{10}\.txt$/],
        image: /^picture_\w{10}\.png$/,
    });
    const form = new FormData();
    form.append("title", "By form");
    form.append("one", text("notes.md", "# notes"));
    form.append("many", text("object.json", "{}", "application/json"));
    form.append("many", text("table.csv", "a,b\n1,2\n", "text/csv"));
    const formed = await t.does("create with a form", () => docs.create(form), {
        one: /^notes_\w{10}\.md$/,
        many: [/^object_\w{10}\.json$/, /^table_\w{10}\.csv$/],
    });
    await t.does("delete it with its files", () => docs.delete(formed.id), true);
    await t.does("no file, no name", () => docs.create({ title: "Bare" }), { one: "", many: [] });
    const bare = text("no extension", "plain words");
    await t.does("the extension is guessed", () => docs.create({ one: bare }, { fields: "one" }), {
        one: /\.txt$/,
    });
}

async function change(t, { root }) {
    const docs = root.collection("docs");
    const before = await docs.getOne(DOC);
    const replace = { one: text("second.txt", "second") };
    await t.does("replace a file", () => docs.update(DOC, replace), { one: /^second_/ });
    const old = await download(root.files.getURL(before, before.one));
    t.is("the old one is gone", old.status, 404);
    await t.does("update without files keeps them", () => docs.update(DOC, { title: "Still" }), {
        one: /^second_/,
        many: before.many,
    });
    await t.does("append one", () => docs.update(DOC, { "many+": text("gamma.txt", "ccc") }), {
        many: [before.many[0], before.many[1], /^gamma_/],
    });
    await t.does("remove one by name", () => docs.update(DOC, { "many-": before.many[1] }), {
        many: [before.many[0], /^gamma_/],
    });
    await t.does("prepend one", () => docs.update(DOC, { "+many": [text("zeta.txt", "zzz")] }), {
        many: [/^zeta_/, before.many[0], /^gamma_/],
    });
    const { many } = await docs.getOne(DOC);
    await t.does("change the order", () => docs.update(DOC, { many: [many[2], many[0]] }), {
        many: [many[2], many[0]],
    });
    await t.does("names and new files mixed", () => docs.update(DOC, { many: [many[0], text("new.txt", "new")] }), {
        many: [many[0], /^new_/],
    });
    await t.does("remove all", () => docs.update(DOC, { many: [] }), { many: [] });
    await t.does("remove the single one", () => docs.update(DOC, { one: null }), { one: "" });
    await t.does("and put one back", () => docs.update(DOC, { one: text("back.txt", "I am back") }), {
        one: /^back_/,
    });
}

async function refuse(t, { root }) {
    const docs = root.collection("docs");
    const cases = [
        ["too big", { many: text("big.txt", "x".repeat(101)) }, "many", "validation_file_size_limit"],
        ["too many", { many: FOUR.map((name) => text(`${name}.txt`, name)) }, "many", "validation_too_many_files"],
        ["another type", { image: text("words.txt", "words") }, "image", "validation_invalid_mime_type"],
        ["another type in disguise", { image: text("words.png", "words", "image/png") }, "image", "validation_invalid_mime_type"],
        ["a name that was never uploaded", { one: "stranger.txt" }, "one", undefined],
    ];
    for (const [title, body, field, code] of cases) {
        const data = { [field]: code ? { code } : { message: /./ } };
        await t.fails(`refused: ${title}`, () => docs.create({ title: "Bad", ...body }), 400, { data });
    }
    await t.fails("appending too many", () =>
        docs.update(DOC, { "many+": FOUR.map((name) => text(`${name}.txt`, name)) }), 400, {
        data: { many: { code: "validation_too_many_files" } },
    });
}

async function fetchOpen(t, { anon, root }) {
    const doc = await root.collection("docs").getOne(DOC);
    const show = ({ status, headers, body }) => ({ status, headers, text: body.toString("utf8") });
    const url = anon.files.getURL(doc, doc.one);
    t.is("the URL of a file", url, /\/api\/files\/pbc_\d+\/doc000000000001\/back_\w{10}\.txt$/);
    t.is("the URL of no file", anon.files.getURL(doc, ""), "");
    await t.does("download", async () => show(await download(url)), { status: 200, text: "I am back" });
    const byName = { id: doc.id, collectionName: "docs" };
    await t.does("by the collection's name", async () => show(await download(anon.files.getURL(byName, doc.one))), {
        status: 200,
    });
    await t.does("as an attachment", async () => show(await download(anon.files.getURL(doc, doc.one, { download: true }))), {
        headers: { "content-disposition": /^attachment/ },
    });
    await t.does("a range", async () => show(await download(url, { headers: { Range: "bytes=2-4" } })), {
        status: 206,
        text: "am ",
    });
    await t.does("a range past the end", async () => (await download(url, { headers: { Range: "bytes=99-" } })).status, 416);
    await t.does("only the head", async () => (await download(url, { method: "HEAD" })).headers, {
        "content-length": "9",
    });
    await t.does("a wrong name", async () => show(await download(anon.files.getURL(doc, "other.txt"))), { status: 404 });
    await t.does("a name with a path", async () => (await download(anon.files.getURL(doc, "../../data.db"))).status, 404);
    await t.does("a wrong record", async () => (await download(url.replace(DOC, ownId("none", 1)))).status, 404);

    const active = [
        text("drawing.svg", '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', "image/svg+xml"),
        text("page.html", "<!doctype html><html><body><script>alert(1)</script></body></html>", "text/html"),
    ];
    for (const file of active) {
        const { one, ...rest } = await root.collection("docs").create({ one: file });
        await t.does(`nothing runs from ${file.name}`, async () => show(await download(anon.files.getURL(rest, one))), {
            headers: { "content-security-policy": /sandbox/ },
        });
    }

    const image = anon.files.getURL(doc, doc.image);
    const picture = async (query) => {
        const { status, headers, body } = await download(image + query);
        return { status, type: headers["content-type"], ...pngSize(body) };
    };
    const original = { status: 200, type: "image/png", width: 64, height: 32 };
    await t.does("an image", () => picture(""), original);
    await t.does("a thumb that the field lists", () => picture("?thumb=16x16"), { width: 16, height: 16 });
    await t.does("the default thumb", () => picture("?thumb=100x100"), { status: 200 });
    await t.does("a size that it does not list", () => picture("?thumb=33x33"), original);
    t.is("the URL of a thumb", anon.files.getURL(doc, doc.image, { thumb: "16x16" }), /\?thumb=16x16$/);
}

async function fetchProtected(t, { anon, root, users: { alice } }) {
    const doc = await root.collection("docs").getOne(DOC);
    const status = async (url) => (await download(url)).status;
    const url = (token) => anon.files.getURL(doc, doc.vault, token ? { token } : {});
    await t.does("the view rule is open, so the vault too", () => status(url()), 200);
    await t.does("members only", () =>
        root.collections.update("docs", { viewRule: "@request.auth.collectionName = 'members'" }));
    await t.does("not without a token", () => status(url()), 404);
    await t.does("not with an auth token", () => status(url(alice.authStore.token)), 404);
    await t.fails("visitors get no token", () => anon.files.getToken(), 401);
    const token = await t.does("a file token", () => alice.files.getToken(), /^eyJ/);
    await t.does("opens it", () => status(url(token)), 200);
    await t.does("superusers' tokens too", async () => status(url(await root.files.getToken())), 200);
    await t.does("what is not protected stays open", () => status(anon.files.getURL(doc, doc.one)), 200);
    await t.fails("a file token is no auth token", () =>
        anon.collection("members").authRefresh({ headers: { Authorization: token } }), 401);
    await t.does("locked", () => root.collections.update("docs", { viewRule: null }));
    await t.does("members stay out", () => status(url(token)), 404);
}

async function cleanUp(t, { root, anon }) {
    const doc = await root.collection("docs").getOne(DOC);
    await t.does("delete the record", () => root.collection("docs").delete(DOC), true);
    await t.does("its files went too", async () => (await download(anon.files.getURL(doc, doc.one))).status, 404);
}
