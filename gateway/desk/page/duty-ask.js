// Questions to the desk: with the word that proves they come from this page, and an answer in words when it says no.
import { pick, say } from "./duty-given.js";

const SLOW_MS = 15000;
const LARGE_MS = 120000;
const AGAIN_MS = 3000;

/** No answer that is of use. `status` 0: the network, or somebody else's answer; it may or may not have arrived. */
export class NoAnswer extends Error {
  constructor(status, words) {
    super(words);
    this.status = status;
  }

  /** Whether the same may be asked again later. */
  get later() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** Ask the desk; returns what it answers, raises NoAnswer. */
export async function ask(method, path, body = undefined) {
  const file = body instanceof Blob;
  const headers = { "X-Desk": document.querySelector("meta[name=csrf]")?.content ?? "" };
  if (body !== undefined) headers["Content-Type"] = file ? body.type : "application/json";
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), file ? LARGE_MS : SLOW_MS);
  try {
    const request = { method, headers, signal: patience.signal, body: file || body === undefined ? body : JSON.stringify(body) };
    const answer = await fetch(path, request).catch(() => { throw new NoAnswer(0, say("error.network")); });
    const text = await answer.text().catch(() => { throw new NoAnswer(0, say("error.network")); });
    const told = read(text);
    if (!answer.ok || told === null) throw refusal(answer, told);
    return told;
  } finally {
    clearTimeout(timer);
  }
}

export const pause = (ms = AGAIN_MS) => new Promise((done) => { setTimeout(done, ms); });

/**
 * Return what has the list of a view asked for: one question at a time, so that no older answer is shown after a newer
 * one, and again until it is had. `wanted` says whether the view is still there, `fail` why there is nothing yet.
 */
export function keeping(path, wanted, take, fail) {
  let due = false;
  let asking = false;
  return async () => {
    due = true;
    if (asking) return;
    asking = true;
    while (due && wanted()) {
      due = false;
      const [told, error] = await ask("GET", path).then((answer) => [answer, null], (why) => [null, why]);
      if (!wanted()) break;
      if (told) take(told);
      else fail(error);
      due ||= Boolean(error?.later);
      if (error) await pause();
    }
    asking = false;
  };
}

function refusal({ ok, status }, told) { // what the desk refuses it refuses in words; anything else stands in between
  if (told?.error) return new NoAnswer(status, pick(told));
  return new NoAnswer(0, ok ? say("error.network") : say(status === 404 ? "error.missing" : "error.other", { code: status }));
}

function read(text) {
  try {
    return JSON.parse(text);
  } catch { // the page of a portal or a proxy
    return null;
  }
}
