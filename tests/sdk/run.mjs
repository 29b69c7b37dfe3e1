// Drives one server with PocketBase's own JavaScript SDK and prints what it saw.
//
//     node run.mjs BASE_URL SUPERUSER_EMAIL SUPERUSER_PASSWORD
//
// Several URLs, parted by commas, are servers of one database: each request goes to any of them,
// while the SDK believes that there is one.
//
// The server must hold a fresh data directory with that one superuser. Every line of the
// output is one step: its title and its normalised result. Two servers that behave alike
// print the same text. The exit code is 1 when a step did not meet its expectation.

import { EventSource } from "eventsource";

import { spread } from "./spread.mjs";
import { Transcript } from "./transcript.mjs";
import { startWorld } from "./world.mjs";

// Node has no EventSource of its own before version 22, and File only since 20 (Debian 12 has 18).
globalThis.EventSource = EventSource;
globalThis.File ??= (await import("node:buffer")).File;

const CHAPTERS = [
    "start",
    "collections",
    "schema_changes",
    "records",
    "validation",
    "lists",
    "filters",
    "relations",
    "auth",
    "rules",
    "files",
    "realtime",
    "batch",
    "settings",
    "client",
];

const [baseUrls, email, password] = process.argv.slice(2);
if (!baseUrls || !email || !password) {
    console.error("usage: node run.mjs BASE_URL SUPERUSER_EMAIL SUPERUSER_PASSWORD");
    process.exit(64);
}

const [baseUrl, ...otherUrls] = baseUrls.split(",");
if (otherUrls.length > 0) {
    spread([baseUrl, ...otherUrls]);
}

const transcript = new Transcript([baseUrl, ...otherUrls], (line) => console.log(line));
const world = startWorld(baseUrl, { email, password });
for (const name of CHAPTERS) {
    const chapter = await import(`./chapters/${name}.mjs`);
    transcript.chapter(name);
    try {
        await chapter.run(transcript, world);
    } catch (error) {
        // A chapter that cannot go on is a failure, but the others still have something to say.
        transcript.broken(error);
    }
}
await world.close();
process.exitCode = transcript.finish();
