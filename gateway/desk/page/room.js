// The duty room's screen: everything at a glance, live, readable from across the room.
import { given, now, say } from "./duty-given.js";
import { ask } from "./duty-ask.js";
import { incidents, more, onAlerts, reload } from "./duty-alerts.js";
import { follow, onTopic } from "./duty-live.js";
import { find, set } from "./duty-make.js";
import { paintAlerts } from "./room-alerts.js";
import { paintMap } from "./room-map.js";
import { paintCounts, paintDuty, paintFigures, paintGateways, paintSilences, paintUndelivered } from "./room-panels.js";

const FIGURES_MS = 15000;
const SLOW_MS = 60000;
const DAYS = 14;
const GATHER_MS = 150; // what comes together is painted together

let places = [];
let filter = null; // a place: only what lies in it is listed
let figures = null;
let due = 0;

const inside = (place, wide) => Object.entries(wide).every(([level, name]) => place[level] === name);

function choose(place, name) {
  filter = place;
  const box = find("filter");
  box.hidden = !place;
  if (place) set(box, `${say("map.only", { place: name })} · ${say("map.all")}`);
  paint();
}

function paint() {
  due = 0;
  const all = incidents();
  const open = all.flatMap((each) => each.alerts);
  paintAlerts(filter ? incidents(open.filter((each) => inside(each.place, filter))) : all);
  paintMap(open, places, choose);
  paintCounts(open, figures?.now);
}

function soon() {
  due ||= setTimeout(paint, GATHER_MS);
}

const get = (path, act) => ask("GET", path).then(act).catch(() => {}); // it is asked again soon, and the bar says if we are cut off

function loadFigures() {
  return get(`/api/statistics?days=${DAYS}`, (told) => { figures = told; paintFigures(told); soon(); });
}

const lists = {
  gateway: () => get("/api/gateways", (told) => paintGateways(told.gateways)),
  silence: () => get("/api/silences", (told) => paintSilences(told.silences)),
  asset: () => get("/api/devices?limit=2000", (told) => { places = told.devices.filter((each) => !each.gone_at).map((each) => each.place); soon(); }),
  duty: () => get("/api/duty", (told) => paintDuty(told.places)),
  delivery: () => get("/api/deliveries?state=failed&limit=20", (told) => paintUndelivered(told.deliveries)),
};

const waiting = new Map();

function later(name) { // many at once are one question
  if (!waiting.has(name)) waiting.set(name, setTimeout(() => { waiting.delete(name); lists[name](); }, 1000));
}

const time = new Intl.DateTimeFormat(given.lang === "zh" ? "zh-CN" : "en-GB", { hour: "2-digit", minute: "2-digit", hour12: false, timeZone: "Asia/Shanghai" });
const day = new Intl.DateTimeFormat(given.lang === "zh" ? "zh-CN" : "en-GB", { month: "long", day: "numeric", weekday: "long", timeZone: "Asia/Shanghai" });

function tick() {
  const at = new Date(now() * 1000);
  set(find("clock"), time.format(at));
  set(find("date"), day.format(at));
}

find("filter").addEventListener("click", () => choose(null));
paint();
tick();
setInterval(tick, 1000);
setInterval(paint, 10000); // ages grow
onAlerts(soon);
for (const topic of ["gateway", "silence", "asset"]) onTopic(topic, () => later(topic));
onTopic("gateway", loadFigures);
follow();
if (more) reload();
for (const list of Object.values(lists)) list();
loadFigures();
setInterval(loadFigures, FIGURES_MS);
setInterval(() => { for (const list of Object.values(lists)) list(); }, SLOW_MS);
