// Questions to the desk: with the word that proves they come from this page, and an answer in words when it says no.
import { pick, say } from "./duty-given.js";

const SLOW_MS = 15000;
const LARGE_MS = 120000;

/** No answer that is of use. `status` 0: the network; it may or may not have arrived. */
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
    const told = { method, headers, signal: patience.signal, body: file || body === undefined ? body : JSON.stringify(body) };
    const answer = await fetch(path, told).catch(() => { throw new NoAnswer(0, say("error.network")); });
    const text = await answer.text().catch(() => { throw new NoAnswer(0, say("error.network")); });
    if (!answer.ok) throw refusal(answer.status, text);
    return read(text);
  } finally {
    clearTimeout(timer);
  }
}

function refusal(status, text) {
  const told = read(text);
  const missing = status === 404 && !told?.error;
  return new NoAnswer(status, pick(told) || say(missing ? "error.missing" : "error.other", { code: status }));
}

function read(text) {
  try {
    return JSON.parse(text);
  } catch { // a portal's page in between, or a route that is not there
    return null;
  }
}
