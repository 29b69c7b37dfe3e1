// Health, and how a superuser signs in.

import { forgeToken } from "../token.mjs";

export async function run(t, { root, anon, superuser }) {
    await t.does("health for a visitor", () => anon.health.check(), {
        code: 200,
        message: "API is healthy.",
        data: {},
    });
    await t.fails("an unknown route", () => anon.send("/api/nope", {}), 404, {
        message: "File not found.",
    });
    await t.fails("an unknown method", () => anon.send("/api/health", { method: "DELETE" }), 404);

    const superusers = root.collection("_superusers");
    await t.does("auth methods of superusers", () => superusers.listAuthMethods(), {
        password: { enabled: true, identityFields: ["email"] },
        oauth2: { enabled: false },
    });
    const { email, password } = superuser;
    await t.fails(
        "a wrong superuser password",
        () => superusers.authWithPassword(email, `${password}!`),
        400,
        { message: "Failed to authenticate." },
    );
    await t.fails("an empty login", () => superusers.authWithPassword("", ""), 400, {
        data: {
            identity: { code: "validation_required" },
            password: { code: "validation_required" },
        },
    });
    t.is("the store is empty after a failed login", root.authStore.isValid, false);
    await t.does("superuser login", () => superusers.authWithPassword(email, password), {
        record: { email, collectionName: "_superusers" },
        token: /^eyJ/,
    });
    t.is("the store holds a valid token", root.authStore.isValid, true);
    t.is("the store knows a superuser", root.authStore.isSuperuser, true);
    await t.does("superuser refresh", () => superusers.authRefresh(), { record: { email } });
    await t.does("health for a superuser has more data", () => root.health.check(), {
        data: { canBackup: true },
    });

    anon.authStore.save(forgeToken(root.authStore.token), root.authStore.record);
    await t.fails("a forged token is nobody", () => anon.collections.getList(), 401, {
        message: "The request requires valid record authorization token.",
    });
    anon.authStore.clear();
    await t.fails("collections are for superusers", () => anon.collections.getList(), 401);
    await t.does("superusers are listed to superusers", () => superusers.getList(1, 10), {
        totalItems: 1,
        items: [{ email }],
    });
    await t.fails("but not to visitors", () => anon.collection("_superusers").getList(), 403, {
        message: "Only superusers can perform this action.",
    });
}
