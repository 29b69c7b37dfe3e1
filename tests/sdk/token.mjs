// Reads JSON Web Tokens without checking them.

/// The claims of `token`, or `undefined` if it is none.
export function decodeToken(token) {
    try {
        return JSON.parse(Buffer.from(token.split(".")[1], "base64url").toString("utf8"));
    } catch {
        return undefined;
    }
}

/// `token` with another character in its signature.
export function forgeToken(token) {
    const at = token.lastIndexOf(".") + 1;
    const other = token[at] === "A" ? "B" : "A";
    return token.slice(0, at) + other + token.slice(at + 1);
}
