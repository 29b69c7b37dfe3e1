// The collections that the chapters work on.

const AUTODATES = [
    { name: "created", type: "autodate", onCreate: true },
    { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
];

export const AUTHORS = {
    name: "authors",
    type: "base",
    listRule: "",
    viewRule: "",
    fields: [
        { name: "name", type: "text", required: true, min: 2, max: 60, presentable: true },
        { name: "born", type: "number", onlyInt: true, min: 1000, max: 2100 },
        { name: "home", type: "geoPoint" },
    ],
    indexes: ["CREATE UNIQUE INDEX `idx_authors_name` ON `authors` (`name`)"],
};

export const MEMBERS = {
    name: "members",
    type: "auth",
    listRule: "@request.auth.id != ''",
    viewRule: "@request.auth.id != ''",
    createRule: "",
    updateRule: "id = @request.auth.id",
    deleteRule: "id = @request.auth.id",
    manageRule: "@request.auth.role = 'chief'",
    passwordAuth: { enabled: true, identityFields: ["email", "username"] },
    authAlert: { enabled: false },
    fields: [
        { name: "username", type: "text", required: true, pattern: "^[a-z]+$" },
        { name: "role", type: "select", values: ["reader", "writer", "chief"] },
        { name: "nickname", type: "text", hidden: true },
    ],
    indexes: ["CREATE UNIQUE INDEX `idx_members_username` ON `members` (`username`)"],
};

/// One collection with every field type; relations name their target by id.
export const articles = (authorsId, membersId) => ({
    name: "articles",
    type: "base",
    listRule: "",
    viewRule: "",
    fields: [
        { name: "title", type: "text", required: true, max: 80, presentable: true },
        { name: "slug", type: "text", pattern: "^[a-z0-9-]*$", autogeneratePattern: "" },
        { name: "body", type: "editor", maxSize: 2000 },
        { name: "views", type: "number", min: 0, max: 1000000 },
        { name: "published", type: "bool" },
        { name: "contact", type: "email", exceptDomains: ["spam.test"] },
        { name: "site", type: "url", onlyDomains: ["example.com", "example.org"] },
        { name: "at", type: "date", min: "2000-01-01 00:00:00.000Z" },
        { name: "kind", type: "select", values: ["news", "essay", "poem"] },
        { name: "tags", type: "select", maxSelect: 3, values: ["red", "green", "blue", "grey"] },
        { name: "meta", type: "json", maxSize: 500 },
        { name: "place", type: "geoPoint" },
        { name: "pin", type: "password", min: 4, max: 20, cost: 4 },
        { name: "secret", type: "text", hidden: true },
        {
            name: "cover",
            type: "file",
            maxSize: 100000,
            mimeTypes: ["image/png", "image/jpeg"],
            thumbs: ["20x10", "0x8"],
        },
        { name: "papers", type: "file", maxSelect: 3, maxSize: 2000 },
        { name: "author", type: "relation", collectionId: authorsId, cascadeDelete: true },
        { name: "readers", type: "relation", collectionId: membersId, maxSelect: 5 },
        ...AUTODATES,
    ],
    indexes: ["CREATE INDEX `idx_articles_views` ON `articles` (`views`, `title`)"],
});

export const NOTES = {
    name: "notes",
    type: "base",
    fields: [{ name: "text", type: "text" }, ...AUTODATES],
};
