// Prints one line per step, `chapter.number title => result`, and counts the expectations met.
//
// A step's result is normalised first, so that two runs of the same behaviour read alike,
// and then printed whole: what a step does not expect by name still shows in a comparison.

import { Normaliser } from "./normalise.mjs";

/// Longest that a single step may take, so that a lost answer ends in a message.
const STEP_TIMEOUT_MS = 20_000;
/// Matches every result: the step only has to succeed.
const ANYTHING = () => true;

export class Transcript {
    #normaliser;
    #print;
    #chapter = "";
    #chapterSteps = 0;
    #steps = 0;
    #failures = 0;

    constructor(baseUrls, print) {
        this.#normaliser = new Normaliser(baseUrls);
        this.#print = print;
    }

    chapter(name) {
        this.#chapter = name;
        this.#chapterSteps = 0;
        this.#normaliser.chapter(name);
        this.#print(`# ${name}`);
    }

    /// Runs `action`, expects it to resolve to something that matches `expected`, and returns it.
    async does(title, action, expected = ANYTHING) {
        let result;
        try {
            result = await withTimeout(action());
        } catch (error) {
            this.#record(title, describe(error), "did not expect an error");
            return undefined;
        }
        this.#record(title, result, mismatch(result, expected, "result"));
        return result;
    }

    /// Runs `action` and expects it to be refused with `status` and, in `data`, these problems.
    async fails(title, action, status, expected = {}) {
        let result;
        try {
            result = await withTimeout(action());
        } catch (error) {
            const refusal = describe(error);
            const wanted = { refused: status, response: expected };
            this.#record(title, refusal, mismatch(refusal, wanted, "error"));
            return error;
        }
        this.#record(title, result, `expected an error with status ${status}`);
        return undefined;
    }

    /// Records something already at hand.
    is(title, actual, expected) {
        this.#record(title, actual, mismatch(actual, expected, "value"));
        return actual;
    }

    broken(error) {
        this.#record("the chapter ended early", String(error?.stack ?? error), "broken");
    }

    /// Prints the sum and returns the exit code.
    finish() {
        this.#print(`# ${this.#steps} assertions, ${this.#failures} failed`);
        return this.#failures === 0 ? 0 : 1;
    }

    #record(title, result, problem) {
        this.#steps += 1;
        this.#chapterSteps += 1;
        const step = `${this.#chapter}.${this.#chapterSteps} ${title}`;
        this.#print(`${step} => ${this.#normaliser.text(result)}`);
        if (problem) {
            this.#failures += 1;
            this.#print(`    NOT OK: ${this.#normaliser.plain(problem)}`);
        }
    }
}

function withTimeout(promise) {
    let timer;
    const deadline = new Promise((_, reject) => {
        const late = () => reject(new Error(`no answer within ${STEP_TIMEOUT_MS} ms`));
        timer = setTimeout(late, STEP_TIMEOUT_MS);
    });
    return Promise.race([promise, deadline]).finally(() => clearTimeout(timer));
}

/// What a transcript shows of an error: the SDK's own kind in full, of others the message.
function describe(error) {
    if (typeof error?.isAbort !== "boolean") {
        return { thrown: String(error?.message ?? error) };
    }
    if (error.isAbort) {
        return { refused: error.status, aborted: true, response: error.response };
    }
    const unreachable = error.status === 0 ? { cause: String(error.originalError) } : {};
    return { refused: error.status, response: error.response, ...unreachable };
}

/// The first difference as a sentence, or `undefined`. Objects may have more than is expected,
/// arrays not; a function is a predicate and a regular expression must match.
function mismatch(actual, expected, path) {
    if (typeof expected === "function") {
        return expected(actual) ? undefined : `${path} does not satisfy ${expected}`;
    }
    if (expected instanceof RegExp) {
        return expected.test(actual) ? undefined : `${path} does not match ${expected}`;
    }
    if (expected === null || typeof expected !== "object") {
        const same = Object.is(actual, expected);
        const wanted = JSON.stringify(expected);
        return same ? undefined : `${path} should be ${wanted}, is ${JSON.stringify(actual)}`;
    }
    if (actual === null || typeof actual !== "object") {
        return `${path} should be ${JSON.stringify(expected)}, is ${JSON.stringify(actual)}`;
    }
    if (Array.isArray(expected) && actual.length !== expected.length) {
        return `${path} should have ${expected.length} items, has ${actual.length}`;
    }
    for (const key of Object.keys(expected)) {
        const problem = mismatch(actual[key], expected[key], `${path}.${key}`);
        if (problem) return problem;
    }
    return undefined;
}
