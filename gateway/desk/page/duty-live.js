// The live stream: what changes is told here at once, and a page that hears nothing says so in red.
import { given, me, say, setClock } from "./duty-given.js";
import { ask } from "./duty-ask.js";
import { reload, upsert } from "./duty-alerts.js";
import { find, set } from "./duty-make.js";

const STALE_S = 20; // then the bar is red
const REOPEN_S = 12; // two beats missed
const PATIENCE_S = 6; // for a new connection to say something
const TOPICS = ["gateway", "asset", "silence", "order"];

const listeners = new Map();
let source = null;
let after = given.after;
let heard = moment();
let opened = moment();
let wasLost = () => {};
let beats = () => {};
let listens = () => false;

/** Be told of a topic: "gateway", "asset", "silence", "order". Returns what ends it. */
export function onTopic(topic, listener) {
  listeners.set(listener, topic);
  return () => listeners.delete(listener);
}

/**
 * Follow the stream. `lost` is called each time the page finds itself cut off, `beat` every few seconds it is not.
 *
 * A browser has six connections to a desk for all its pages: one that nobody sees or hears (`heard`) holds none.
 */
export function follow({ lost = wasLost, beat = beats, heard: isHeard = listens } = {}) {
  wasLost = lost;
  beats = beat;
  listens = isHeard;
  const begin = () => { if (!document.hidden || listens()) open(); };
  begin();
  setInterval(look, 1000);
  addEventListener("online", begin);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden && !listens()) rest();
    else if (!source || since(heard) > 6) open();
  });
}

function rest() {
  source?.close();
  source = null;
}

function moment() {
  return { wall: Date.now(), steady: performance.now() };
}

/** Return the seconds since a moment: one clock can be set back, the other may stand still while the phone sleeps. */
const since = ({ wall, steady }) => Math.max(Date.now() - wall, performance.now() - steady) / 1000;

function open() {
  source?.close();
  opened = moment();
  const mine = source = new EventSource(`/api/events${after === null ? "" : `?after=${after}`}`);
  const on = (name, act) => mine.addEventListener(name, (event) => {
    if (mine !== source) return;
    heard = moment();
    act(event);
    look();
  });
  on("beat", (event) => { setClock(JSON.parse(event.data).at); beats(); });
  on("at", (event) => { after = event.lastEventId || after; beats(); });
  on("alert", (event) => upsert(JSON.parse(event.data), { streamed: true }));
  on("reset", reload);
  for (const topic of TOPICS) on(topic, (event) => tell(topic, JSON.parse(event.data)));
  mine.onerror = () => { if (mine === source && mine.readyState === EventSource.CLOSED) turnedAway(); };
}

function tell(topic, told) {
  for (const [listener, wanted] of listeners) if (wanted === topic) listener(told);
}

async function turnedAway() { // by an answer that is no stream: perhaps this phone is no longer let in, or is nobody's now
  try {
    const told = await ask("GET", "/api/me");
    if (told.person !== me.person) location.reload();
  } catch (error) {
    if (error.status === 401) location.assign("/pair");
  }
}

function look() {
  if (!source) return;
  const seconds = Math.floor(since(heard));
  if (seconds >= REOPEN_S && since(opened) > PATIENCE_S) open();
  const lost = seconds >= STALE_S;
  if (lost && find("lost").hidden) wasLost();
  find("lost").hidden = !lost;
  find("live").hidden = lost;
  if (lost) set(find("lost-for"), say("live.seconds", { n: seconds }));
}
