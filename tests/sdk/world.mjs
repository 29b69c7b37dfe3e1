// The clients that act in the chapters, and small makers of test data.

import PocketBase, { BaseAuthStore } from "pocketbase";

/// Marks the ids that the script chooses; no random id has this run of zeros in practice.
export const OWN_ID_MARK = "000000";

/// A record id that reads as what it names: `name`, zeros, `number`; 15 characters.
export function ownId(name, number) {
    const id = name + String(number).padStart(15 - name.length, "0");
    if (id.length !== 15 || !id.includes(OWN_ID_MARK)) throw new Error(`bad own id ${id}`);
    return id;
}

/// The superuser, a visitor without a token, and as many more as the chapters ask for.
export function startWorld(baseUrl, superuser) {
    const clients = [];
    const client = () => {
        const fresh = new PocketBase(baseUrl, new BaseAuthStore());
        clients.push(fresh);
        return fresh;
    };
    const close = () => Promise.all(clients.map((one) => one.realtime.unsubscribe()));
    return { baseUrl, superuser, client, close, root: client(), anon: client(), users: {} };
}

/// Events of one subscription, to be awaited one by one.
export class Inbox {
    #events = [];
    #waiting = [];

    /// The callback to hand to `subscribe`.
    accept = (event) => {
        const waiting = this.#waiting.shift();
        if (waiting) waiting(event);
        else this.#events.push(event);
    };

    /// The oldest event that nobody has taken; the caller's deadline ends the wait.
    next() {
        if (this.#events.length > 0) return Promise.resolve(this.#events.shift());
        return new Promise((resolve) => this.#waiting.push(resolve));
    }

    get size() {
        return this.#events.length;
    }
}

/// A small answer of `fetch` for the transcript: what a browser would act upon.
export async function download(url, init) {
    const response = await fetch(url, init);
    const body = Buffer.from(await response.arrayBuffer());
    const headers = {};
    for (const name of DOWNLOAD_HEADERS) {
        if (response.headers.has(name)) headers[name] = response.headers.get(name);
    }
    return { status: response.status, headers, body };
}

const DOWNLOAD_HEADERS = [
    "content-type",
    "content-disposition",
    "content-length",
    "content-range",
    "accept-ranges",
    "cache-control",
    "content-security-policy",
];
