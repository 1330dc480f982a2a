// What was tapped and not yet sent: kept on the phone, sent once by its own id, and taken out again before that by whoever likes.
import { makeId, me } from "./duty-given.js";
import { ask } from "./duty-ask.js";

const KEY = "desk outbox";
const SOONEST_MS = 2000;
const LATEST_MS = 30000;

const ready = indexed().catch(() => plain);
const items = new Map();
const answers = new Map();
const listeners = new Set();
let draining = null;
let timer = 0;
let delay = SOONEST_MS;

export const onOutbox = (listener) => listeners.add(listener);
export const waiting = () => [...items.values()];
export const pendingOf = (alert) => waiting().find((each) => !each.quiet && each.alerts.includes(alert));

/** Keep and send something: neither waits for the other, for a phone's database may be full, or never answer. */
export function put(path, body, alerts, { quiet = false, said = () => {} } = {}) {
  const item = { id: makeId(), at: Date.now(), path, body, alerts, person: me.person, tried: false, underway: false, quiet };
  item.body = { id: item.id, ...body };
  answers.set(item.id, said);
  items.set(item.id, item);
  changed();
  ready.then((store) => store.put(item)).catch(() => {});
  drain();
  return item;
}

/** Take back what was not sent yet. Returns whether it may have arrived all the same. */
export function take(item) {
  items.delete(item.id);
  changed();
  forget(item.id);
  return item.tried;
}

/** Whether it lies here, and no answer to it is awaited. */
export const isOnHand = (item) => items.has(item.id) && !item.underway;

/** Send what waits, oldest first; what the network refuses waits on. */
export function drain() {
  draining ??= sendAll().finally(() => { draining = null; }).then((stuck) => {
    if (!stuck && waiting().some((each) => each.person === me.person)) drain();
  });
}

async function sendAll() {
  clearTimeout(timer);
  for (let item; (item = waiting().find((each) => each.person === me.person));) {
    item.tried = item.underway = true;
    try {
      settle(item, await ask("POST", item.path, item.body), null);
      delay = SOONEST_MS;
    } catch (error) {
      if (!("later" in error)) throw error;
      if (error.later || error.status === 401) {
        item.underway = false;
        changed();
        if (items.has(item.id)) answers.get(item.id)?.(null, error);
        timer = setTimeout(drain, delay);
        delay = Math.min(delay * 2, LATEST_MS);
        return true;
      }
      settle(item, null, error);
    }
  }
  return false;
}

function settle(item, answer, error) {
  const asked = items.has(item.id); // it may have been taken back while it was on its way
  items.delete(item.id);
  forget(item.id);
  if (asked) answers.get(item.id)?.(answer, error);
  answers.delete(item.id);
  changed();
}

const forget = (id) => ready.then((store) => store.remove(id)).catch(() => {});

function changed() {
  for (const listener of listeners) listener();
}

/** Take up what an earlier page left, and send whenever there may be a network again. */
export async function start() {
  addEventListener("online", drain);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) drain(); });
  const left = await ready.then((store) => store.all()).catch(() => []);
  for (const item of left) if (!items.has(item.id)) items.set(item.id, { ...item, tried: true, underway: false }); // for all we know
  changed();
  drain();
}

const plain = { // where IndexedDB is not lent, as in some private windows
  read: () => JSON.parse(localStorage.getItem(KEY) ?? "{}"),
  async put(item) { localStorage.setItem(KEY, JSON.stringify({ ...plain.read(), [item.id]: item })); },
  async remove(id) {
    const { [id]: _, ...rest } = plain.read();
    localStorage.setItem(KEY, JSON.stringify(rest));
  },
  async all() { return Object.values(plain.read()).sort((a, b) => a.at - b.at); },
};

async function indexed() {
  const done = (request) => new Promise((yes, no) => {
    request.onsuccess = () => yes(request.result);
    request.onerror = () => no(request.error);
  });
  const opening = indexedDB.open("desk", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore("outbox", { keyPath: "id" });
  const database = await done(opening);
  const table = (mode) => database.transaction("outbox", mode).objectStore("outbox");
  return {
    put: (item) => done(table("readwrite").put(item)),
    remove: (id) => done(table("readwrite").delete(id)),
    all: async () => (await done(table("readonly").getAll())).sort((a, b) => a.at - b.at),
  };
}
