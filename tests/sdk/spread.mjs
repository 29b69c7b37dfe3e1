// Sends each request that is meant for the first of several servers to any of them.

export function spread(urls) {
    const [first] = urls;
    const pick = (url) => {
        const text = String(url);
        const server = urls[Math.floor(Math.random() * urls.length)];
        return text.startsWith(first) ? server + text.slice(first.length) : text;
    };
    const { fetch: plainFetch, EventSource: PlainEventSource } = globalThis;
    globalThis.fetch = (url, options) => plainFetch(pick(url), options);
    globalThis.EventSource = class extends PlainEventSource {
        constructor(url, options) {
            super(pick(url), options);
        }
    };
}
