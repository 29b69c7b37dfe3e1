// Replaces what differs from run to run by stable placeholders.
//
// Ids are numbered in the order of their first appearance, so that "the same id again" and
// "another id" still read differently. Values that the script itself chose stay as they are.

import { decodeToken } from "./token.mjs";
import { OWN_ID_MARK } from "./world.mjs";

const TOKEN = /eyJ[\w-]+\.[\w-]+\.[\w-]+/g;
const RANDOM_ID = /^[a-z0-9]{15}$/;
const TIME = /\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?Z/g;
/// The random end that the server gives to the name of an uploaded file; a batch gives two.
const FILE_SUFFIXES = /((?:_[a-z0-9]{10})+)\.[a-z0-9]+/gi;
/// Scaffolds of auth collections come with indexes that have a random name.
const SCAFFOLD_INDEX = /`(idx_(?:tokenKey|email))_[a-z0-9]{10}`/g;
/// Times this near to the run are the server's clock, others are test data.
const CLOCK_WINDOW_MS = 24 * 3600 * 1000;

export class Normaliser {
    #baseUrls;
    #startedAt = Date.now();
    #ids = new Map();
    #suffixes = new Map();
    #chapter = "";
    #count = 0;

    constructor(baseUrls) {
        this.#baseUrls = baseUrls.map((url) => url.replace(/\/+$/, ""));
    }

    /// Counts anew, so that one id more or less in a chapter does not change all later ones.
    chapter(name) {
        this.#chapter = name;
        this.#count = 0;
    }

    /// One line of JSON for `value`. Keys are sorted: PocketBase itself gives those of an
    /// answer cut down by `fields` in another order every time.
    text(value) {
        this.#learn(value);
        return this.plain(JSON.stringify(sorted(value)) ?? `(${typeof value})`);
    }

    /// `text` with its placeholders filled in, nothing learned from it.
    plain(text) {
        for (const url of this.#baseUrls) {
            text = text.replaceAll(url, "<base>");
        }
        text = text.replace(TOKEN, describeToken).replace(SCAFFOLD_INDEX, "`$1_<random>`");
        for (const [id, placeholder] of this.#ids) text = text.replaceAll(id, placeholder);
        for (const [suffix, placeholder] of this.#suffixes) {
            text = text.replaceAll(`_${suffix}`, `_${placeholder}`);
        }
        return text.replace(TIME, (time) => this.#time(time));
    }

    #time(time) {
        const distance_ms = Math.abs(Date.parse(time) - this.#startedAt);
        return distance_ms < CLOCK_WINDOW_MS ? `<now${shape(time)}>` : time;
    }

    #learn(value) {
        if (typeof value === "string") {
            for (const [, suffixes] of value.matchAll(FILE_SUFFIXES)) {
                for (const suffix of suffixes.slice(1).split("_")) this.#number(this.#suffixes, suffix, "end");
            }
        } else if (Array.isArray(value)) {
            value.forEach((item) => this.#learn(item));
        } else if (value !== null && typeof value === "object") {
            // The ids of collection fields follow from their names and stay as they are.
            const id = "presentable" in value ? undefined : value.id;
            if (typeof id === "string" && RANDOM_ID.test(id) && !id.includes(OWN_ID_MARK)) {
                this.#number(this.#ids, id, "id");
            }
            Object.values(value).forEach((item) => this.#learn(item));
        }
    }

    #number(known, text, kind) {
        if (known.has(text)) return;
        this.#count += 1;
        known.set(text, `<${kind} ${this.#chapter}.${this.#count}>`);
    }
}

function sorted(value) {
    if (Array.isArray(value)) return value.map(sorted);
    if (value === null || typeof value !== "object" || value.toJSON) return value;
    return Object.fromEntries(
        Object.keys(value).sort().map((key) => [key, sorted(value[key])]),
    );
}

/// How a time was written, so that a difference in format shows although the value is hidden.
function shape(time) {
    return time.replace(/\d/g, "0") === "0000-00-00 00:00:00.000Z" ? "" : ` as ${time.replace(/\d/g, "0")}`;
}

/// A token shows the claims that PocketBase defines; more claims are allowed.
function describeToken(token) {
    const { type, collectionId, refreshable, exp } = decodeToken(token) ?? {};
    // To the minute, as the clock moves between signing and printing.
    const minutes = Math.round((exp * 1000 - Date.now()) / 60_000);
    const kind = refreshable === undefined ? "" : refreshable ? " refreshable" : " fixed";
    return `<${type} token of ${collectionId}${kind}, ${minutes} min>`;
}
