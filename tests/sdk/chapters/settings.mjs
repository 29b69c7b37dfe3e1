// Settings: who may see and change them, what they refuse.

export async function run(t, { root, anon, users: { alice } }) {
    await t.does("all settings", () => root.settings.getAll(), {
        meta: { appName: "Acme" },
        batch: { enabled: true, maxRequests: 8 },
        smtp: { enabled: false, password: undefined },
    });
    await t.does("some of them", () => root.settings.getAll({ fields: "meta.appName,logs.maxDays" }), {
        meta: { appName: "Acme" },
        logs: { maxDays: 5 },
    });
    await t.fails("not for visitors", () => anon.settings.getAll(), 401);
    await t.fails("nor for members", () => alice.settings.getAll(), 403);
    await t.fails("nor to change", () => alice.settings.update({ meta: { appName: "Mine" } }), 403);
    const change = (body) => () => root.settings.update(body);
    await t.does("change one", change({ meta: { appName: "Transcript" } }), {
        meta: { appName: "Transcript", appURL: /^http/ },
    });
    await t.does("it stays", () => root.settings.getAll({ fields: "meta.appName" }), {
        meta: { appName: "Transcript" },
    });
    await t.does("secrets are taken and never shown", change({ smtp: { username: "u", password: "hidden" } }), {
        smtp: { username: "u", password: undefined },
    });
    const refused = [
        ["no name", { meta: { appName: "" } }, { meta: { appName: { code: "validation_required" } } }],
        ["a bad URL", { meta: { appURL: "nowhere" } }, { meta: { appURL: {} } }],
        ["a bad sender", { meta: { senderAddress: "nobody" } }, { meta: { senderAddress: {} } }],
        ["SMTP without a host", { smtp: { enabled: true, host: "" } }, { smtp: { host: {} } }],
        ["S3 without a bucket", { s3: { enabled: true } }, { s3: { bucket: {}, endpoint: {} } }],
        ["negative log days", { logs: { maxDays: -1 } }, { logs: { maxDays: {} } }],
        ["batches of none", { batch: { enabled: true, maxRequests: 0 } }, { batch: { maxRequests: {} } }],
        ["a bad schedule", { backups: { cron: "soon", cronMaxKeep: 1 } }, { backups: { cron: {} } }],
        [
            "a limit without a label",
            { rateLimits: { enabled: true, rules: [{ label: "", duration: 1, maxRequests: 1 }] } },
            { rateLimits: { rules: { 0: { label: {} } } } },
        ],
    ];
    for (const [title, body, data] of refused) {
        await t.fails(`refused: ${title}`, change(body), 400, { data });
    }
    await t.does("none of that stayed", () => root.settings.getAll({ fields: "meta,logs,batch" }), {
        meta: { appName: "Transcript" },
        logs: { maxDays: 5 },
        batch: { maxRequests: 8 },
    });
    await t.does("back as it was", change({ meta: { appName: "Acme" } }), { meta: { appName: "Acme" } });
}
