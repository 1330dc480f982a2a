// The open alerts this page knows, the newest of each; grouped as the list shows them. Nothing here touches the page.
import { given } from "./duty-given.js";
import { ask } from "./duty-ask.js";

const OPEN = ["raised", "acknowledged", "assigned", "on_site"];
const MOST = 500;
const AGAIN_MS = 3000;
const known = new Map();
const listeners = new Set();
let loading = null;
export let more = given.more;

for (const each of given.alerts) known.set(each.alert, each);

export const onAlerts = (listener) => listeners.add(listener);
export const alertOf = (name) => known.get(name);
export const isOpen = (alert) => OPEN.includes(alert.state);

/** Take an alert in as the desk told it; an answer that is older than what the stream told changes nothing. */
export function upsert(alert, { streamed = false } = {}) {
  const before = known.get(alert.alert);
  if (before && alert.version < before.version) return;
  if (before && !streamed && alert.version === before.version && alert.time < before.time) return;
  loading?.touched.add(alert.alert);
  if (isOpen(alert)) known.set(alert.alert, alert);
  else known.delete(alert.alert);
  for (const listener of listeners) listener(alert, before);
}

/** Load the list anew, until it is had; what the stream tells meanwhile stays. */
export async function reload() {
  const mine = loading = { touched: new Set() };
  const listed = await ask("GET", `/api/alerts?limit=${MOST}`).catch(() => null);
  if (loading !== mine) return; // asked anew meanwhile
  if (!listed) return void setTimeout(() => { if (loading === mine) reload(); }, AGAIN_MS);
  loading = null;
  more = listed.more;
  const names = new Set(listed.alerts.map((each) => each.alert));
  for (const name of [...known.keys()]) if (!names.has(name) && !mine.touched.has(name)) known.delete(name);
  for (const each of listed.alerts) if (!mine.touched.has(each.alert)) upsert(each);
  for (const listener of listeners) listener(null, null);
}

const order = (a, b) =>
  (a.state !== "raised") - (b.state !== "raised") || b.rank - a.rank || a.opened_at - b.opened_at || (a.alert < b.alert ? -1 : 1);

/** Return incidents as the list shows them: who speaks for each comes first, and the most pressing incident first. */
export function incidents(alerts = [...known.values()]) {
  const groups = new Map();
  for (const each of alerts.sort(order)) {
    if (!groups.has(each.incident)) groups.set(each.incident, []);
    groups.get(each.incident).push(each);
  }
  return [...groups.values()].map((group) => ({
    incident: group[0].incident, first: group[0], alerts: group, waiting: group.filter((each) => each.state === "raised"),
  }));
}
