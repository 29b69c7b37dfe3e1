// Auth records: sign-up, login, the SDK's auth store, refresh, impersonation, revocation.

import { BaseAuthStore } from "pocketbase";

import { decodeToken, forgeToken } from "../token.mjs";
import { ownId } from "../world.mjs";

const PASSWORD = "correct horse";
const ALICE = ownId("alice", 1);
const BRUNO = ownId("bruno", 1);
const CARLA = ownId("carla", 1);

export async function run(t, world) {
    await signUp(t, world);
    await login(t, world);
    await store(t, world);
    await manage(t, world);
    await impersonate(t, world);
    await revoke(t, world);
    await switches(t, world);
}

async function signUp(t, { anon }) {
    const members = anon.collection("members");
    const join = (id, username, more) => () =>
        members.create({
            id,
            username,
            email: `${username}@example.com`,
            password: PASSWORD,
            passwordConfirm: PASSWORD,
            ...more,
        });
    await t.does("sign up", join(ALICE, "alice", { role: "writer", emailVisibility: true }), {
        id: ALICE,
        username: "alice",
        email: "alice@example.com",
        verified: false,
        nickname: undefined,
        password: undefined,
        tokenKey: undefined,
    });
    await t.does("the e-mail address is hidden", join(BRUNO, "bruno", { role: "reader" }), {
        email: undefined,
        emailVisibility: false,
    });
    await t.does("a third member", join(CARLA, "carla", { role: "chief", nickname: "cc" }));
    const refused = [
        ["a taken address", { username: "other", email: "alice@example.com" }, "email"],
        ["a taken name", { username: "alice", email: "new@example.com" }, "username"],
        ["no address", { email: "" }, "email"],
        ["a bad address", { email: "nobody" }, "email"],
        ["a short password", { password: "short", passwordConfirm: "short" }, "password"],
        ["two passwords", { passwordConfirm: "something else" }, "passwordConfirm"],
        ["no password", { password: "", passwordConfirm: "" }, "password"],
        ["a bad name", { username: "Not Good" }, "username"],
    ];
    for (const [title, more, field] of refused) {
        await t.fails(`refused: ${title}`, join(ownId("none", 1), "nobody", more), 400, {
            data: { [field]: { message: /./ } },
        });
    }
    await t.fails("nobody verifies themselves", join(ownId("none", 1), "nobody", { verified: true }), 400);
}

async function login(t, world) {
    const alice = (world.users.alice = world.client());
    const members = alice.collection("members");
    await t.does("auth methods", () => members.listAuthMethods(), {
        password: { enabled: true, identityFields: ["email", "username"] },
        otp: { enabled: false },
        mfa: { enabled: false },
        oauth2: { enabled: false, providers: [] },
    });
    const refuse = (identity, password) => () => members.authWithPassword(identity, password);
    await t.fails("a wrong password", refuse("alice", "wrong horse"), 400, {
        message: "Failed to authenticate.",
    });
    await t.fails("an unknown identity", refuse("zoe", PASSWORD), 400, {
        message: "Failed to authenticate.",
    });
    await t.fails("an id is no identity", refuse(ALICE, PASSWORD), 400);
    await t.does("login by e-mail address", () => members.authWithPassword("alice@example.com", PASSWORD), {
        record: { id: ALICE, email: "alice@example.com", tokenKey: undefined },
        token: /^eyJ/,
    });
    await t.does("login by name", () => members.authWithPassword("alice", PASSWORD), {
        record: { id: ALICE },
    });
    const byField = (field, value) => () =>
        members.authWithPassword(value, PASSWORD, { body: { identity: value, password: PASSWORD, identityField: field } });
    await t.does("login by a named field", byField("username", "alice"), { record: { id: ALICE } });
    await t.fails("the wrong named field", byField("email", "alice"), 400);
    await t.fails("a field that is no identity", byField("role", "writer"), 400, {
        data: { identityField: {} },
    });
    const narrow = { fields: "token,record.username" };
    await t.does("login with fields", () => members.authWithPassword("alice", PASSWORD, narrow), {
        record: { username: "alice", id: undefined },
    });
    await t.fails("base collections have no login", () =>
        alice.collection("authors").authWithPassword("alice", PASSWORD), 404);
    await t.fails("nor an unknown one", () =>
        alice.collection("missing").authWithPassword("alice", PASSWORD), 404);
    await members.authWithPassword("alice", PASSWORD);
    for (const name of ["bruno", "carla"]) {
        const client = (world.users[name] = world.client());
        await t.does(`login of ${name}`, () => client.collection("members").authWithPassword(name, PASSWORD), {
            record: { username: name, email: `${name}@example.com` },
        });
    }
}

async function store(t, { users: { alice }, client }) {
    t.is("the store is valid", alice.authStore.isValid, true);
    t.is("and no superuser's", alice.authStore.isSuperuser, false);
    const { exp, ...claims } = decodeToken(alice.authStore.token);
    t.is("its claims", { ...claims, days: Math.round((exp - Date.now() / 1000) / 86400) }, {
        id: ALICE,
        type: "auth",
        refreshable: true,
        days: 5,
    });
    const seen = [];
    const stop = alice.authStore.onChange((token, record) => seen.push([token !== "", record?.username]));
    await t.does("refresh", () => alice.collection("members").authRefresh(), { record: { id: ALICE } });
    await t.does("refresh with expand and fields", () =>
        alice.collection("members").authRefresh({ fields: "token,record.id,record.username,record.collectionName" }), {
        token: /^eyJ/,
        record: { verified: undefined },
    });
    await t.does("an update of oneself", () => alice.collection("members").update(ALICE, { role: "writer" }), {
        id: ALICE,
    });
    t.is("changes were told", seen, { length: 3 });
    stop();
    const cookie = alice.authStore.exportToCookie();
    t.is("a cookie", /^pb_auth=.*; Path=\/; Expires=.*; HttpOnly; Secure; SameSite=Strict$/.test(cookie), true);
    const other = client();
    other.authStore.loadFromCookie(cookie);
    t.is("which another client loads", other.authStore.record.id, ALICE);
    await t.does("and acts with", () => other.collection("members").authRefresh(), { record: { id: ALICE } });
    other.authStore.save(forgeToken(alice.authStore.token), alice.authStore.record);
    await t.fails("a forged token", () => other.collection("members").authRefresh(), 401);
    await t.fails("a token for another collection", () => alice.collection("users").authRefresh(), 403);
    const empty = new BaseAuthStore();
    t.is("an empty store", [empty.token, empty.record, empty.isValid], ["", null, false]);
}

async function manage(t, { root, users: { alice, bruno, carla } }) {
    const update = (client, id, body) => () => client.collection("members").update(id, body);
    await t.fails("of others nobody sees the door", update(bruno, ALICE, { role: "reader" }), 404);
    await t.does("addresses are hidden from other members", () =>
        alice.collection("members").getOne(BRUNO), { email: undefined });
    await t.does("unless shown", () => bruno.collection("members").getOne(ALICE), {
        email: "alice@example.com",
    });
    await t.fails("the own address needs a confirmation", update(alice, ALICE, { email: "x@example.com" }), 400);
    await t.fails("a password needs the old one", update(alice, ALICE, { password: "new password", passwordConfirm: "new password" }), 400, {
        data: { oldPassword: { code: "validation_required" } },
    });
    const wrong = { oldPassword: "wrong", password: "new password", passwordConfirm: "new password" };
    await t.fails("and the right one", update(alice, ALICE, wrong), 400, { data: { oldPassword: {} } });
    await t.fails("a manager needs the update rule too", update(carla, BRUNO, { role: "writer" }), 404);
    await t.does("open the update rule", () =>
        root.collections.update("members", { updateRule: "id = @request.auth.id || @request.auth.role = 'chief'" }));
    const managed = { email: "bruno2@example.com", verified: true };
    await t.does("now a manager may change it all", update(carla, BRUNO, managed), {
        email: "bruno2@example.com",
        verified: true,
    });
    await t.does("superusers as well", update(root, BRUNO, { email: "bruno@example.com", nickname: "b" }), {
        email: "bruno@example.com",
        nickname: "b",
    });
    await t.fails("another address revokes the token", () => bruno.collection("members").authRefresh(), 401);
    await t.does("bruno comes back", () => bruno.collection("members").authWithPassword("bruno", PASSWORD), {
        record: { email: "bruno@example.com", verified: true },
    });
}

async function impersonate(t, { root, users: { alice } }) {
    const members = root.collection("members");
    const twin = await t.does("impersonate", async () => {
        const client = await members.impersonate(BRUNO, 600);
        return { token: client.authStore.token, record: client.authStore.record, valid: client.authStore.isValid };
    }, { valid: true, record: { id: BRUNO }, token: (token) => decodeToken(token).refreshable === false });
    const acting = await members.impersonate(BRUNO, 0);
    t.is("without a duration it is the collection's", acting.authStore.token, /^eyJ/);
    await t.does("it may act", () => acting.collection("members").getOne(ALICE), { id: ALICE });
    await t.does("but its refresh gives the same token", async () => {
        const before = acting.authStore.token;
        await acting.collection("members").authRefresh();
        return acting.authStore.token === before;
    }, true);
    t.is("it is a token of its own", twin.token !== acting.authStore.token, true);
    await t.fails("members may not", () => alice.collection("members").impersonate(BRUNO, 60), 403);
    await t.fails("impersonate nobody", () => members.impersonate(ownId("none", 1), 60), 404);
    await t.fails("a negative duration", () => members.impersonate(BRUNO, -1), 400, { data: { duration: {} } });
}

async function revoke(t, world) {
    const { users: { bruno }, root } = world;
    const before = bruno.authStore.token;
    const changed = { oldPassword: PASSWORD, password: "battery staple", passwordConfirm: "battery staple" };
    await t.does("a new password", () => bruno.collection("members").update(BRUNO, changed), { id: BRUNO });
    await t.fails("revokes the token", () => bruno.collection("members").authRefresh(), 401);
    await t.does("so one is a visitor now", () => bruno.collection("members").getList(), { totalItems: 0 });
    await t.fails("the old password is void", () =>
        bruno.collection("members").authWithPassword("bruno", PASSWORD), 400);
    await t.does("the new one counts", () =>
        bruno.collection("members").authWithPassword("bruno", "battery staple"), { record: { id: BRUNO } });
    t.is("with a new token", bruno.authStore.token !== before, true);
    const reset = { password: PASSWORD, passwordConfirm: PASSWORD };
    await t.does("superusers need no old password", () => root.collection("members").update(BRUNO, reset));
    await t.fails("that revokes as well", () => bruno.collection("members").authRefresh(), 401);
    await bruno.collection("members").authWithPassword("bruno", PASSWORD);

    const gone = world.client();
    const form = { username: "shortlived", email: "gone@example.com", password: PASSWORD, passwordConfirm: PASSWORD };
    const { id } = await t.does("a member who leaves", () => gone.collection("members").create(form));
    await gone.collection("members").authWithPassword("shortlived", PASSWORD);
    await t.does("deletes the account", () => gone.collection("members").delete(id), true);
    t.is("and the store is empty", gone.authStore.token, "");
}

async function switches(t, { root, client, users }) {
    const members = (body) => () => root.collections.update("members", body);
    const login = () => client().collection("members").authWithPassword("alice", PASSWORD);
    await t.does("an auth rule", members({ authRule: "verified = true" }), { authRule: "verified = true" });
    await t.fails("keeps the others out", login, 403, {});
    await t.fails("and revokes every token", () => users.alice.collection("members").authRefresh(), 401);
    await t.does("verify", () => root.collection("members").update(ALICE, { verified: true }), { verified: true });
    await t.does("now it lets in", login, { record: { id: ALICE } });
    const off = { authRule: "", passwordAuth: { enabled: false, identityFields: ["email"] } };
    await t.does("no password login", members(off), { passwordAuth: { enabled: false } });
    await t.fails("is refused", login, 403, {});
    const on = { passwordAuth: { enabled: true, identityFields: ["email", "username"] } };
    await t.does("open it again", members(on), { passwordAuth: { enabled: true } });
    await t.fails("an identity needs a unique index", members({
        passwordAuth: { enabled: true, identityFields: ["role"] },
    }), 400, { data: { passwordAuth: {} } });
    for (const [name, user] of Object.entries(users)) {
        await t.does(`${name} signs in again`, () =>
            user.collection("members").authWithPassword(name, PASSWORD), { record: { username: name } });
    }
}
