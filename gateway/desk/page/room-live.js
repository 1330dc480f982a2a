// The room's live stream: what changes is told at once, and a screen that hears nothing says so in red.
import { given, say } from "./duty-given.js";
import { ask } from "./duty-ask.js";
import { find, set } from "./duty-make.js";

const STALE_S = 20; // then the bar is red
const REOPEN_S = 12; // two beats missed

let source = null;
let after = given.after;
let heard = Date.now();
let opened = 0;

/** Follow the stream; `told` has a function for each kind of event. */
export function follow(told) {
  const open = () => {
    source?.close();
    opened = Date.now();
    const mine = source = new EventSource(`/api/events${after === null ? "" : `?after=${after}`}`);
    const on = (name, act) => mine.addEventListener(name, (event) => {
      if (mine !== source) return;
      heard = Date.now();
      act(event);
      look();
    });
    on("at", (event) => { after = event.lastEventId || after; });
    for (const [name, act] of Object.entries(told)) on(name, (event) => act(JSON.parse(event.data)));
    mine.onerror = () => { if (mine === source && mine.readyState === EventSource.CLOSED) turnedAway(); };
  };
  open();
  addEventListener("online", open);
  setInterval(() => {
    look();
    if ((Date.now() - Math.max(heard, opened)) / 1000 >= REOPEN_S) open();
  }, 1000);
}

async function turnedAway() { // by an answer that is no stream: perhaps this screen is no longer let in
  await ask("GET", "/api/me").catch((error) => { if (error.status === 401) location.assign("/pair"); });
}

function look() {
  const seconds = Math.floor((Date.now() - heard) / 1000);
  const lost = seconds >= STALE_S;
  find("lost").hidden = !lost;
  find("live").hidden = lost;
  if (lost) set(find("lost-for"), say("live.seconds", { n: seconds }));
}
