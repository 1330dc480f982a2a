// What the server painted the page from, and the words: read once, before anything is fetched.
export const given = JSON.parse(document.getElementById("given").textContent);
export const me = given.me;
export const may = (action) => Boolean(me && me.may.includes(action));

/** Say something in the page's language; `{name}` is filled in. A key without words is shown as it is. */
export function say(key, fields = {}) {
  return (given.words[key] ?? key.split(".").pop()).replace(/\{(\w+)\}/g, (_, name) => fields[name] ?? "");
}

/** Say a word of a family, `door.open`; what the family does not know is shown as it came. */
export const known = (family, word) => given.words[`${family}.${word}`] ?? String(word);

/** Say how far people have come with an alert, and who it was. */
export function said(alert) {
  const ends = { acknowledged: alert.acknowledged_by, resolved: alert.closed_by, false_alarm: alert.closed_by };
  const who = alert.state in ends ? ends[alert.state] : alert.assignee;
  const state = say(`state.${alert.state}`);
  return who && alert.state !== "raised" ? say("by", { state, who }) : state;
}

/** Pick from {zh, en}. */
export const pick = (words) => (words && (words[given.lang] || words.zh)) || "";

let skew = given.now ? given.now - Date.now() / 1000 : 0; // telephones' clocks are wrong
export const setClock = (at) => { skew = at - Date.now() / 1000; };
export const now = () => Date.now() / 1000 + skew;

export function age(since) {
  const seconds = Math.max(0, Math.floor(now() - since));
  if (seconds < 5) return say("age.now");
  if (seconds < 60) return say("age.seconds", { n: seconds });
  if (seconds < 3600) return say("age.minutes", { n: Math.floor(seconds / 60) });
  if (seconds < 86400) return say("age.hours", { n: Math.floor(seconds / 3600), m: Math.floor((seconds % 3600) / 60) });
  return say("age.days", { n: Math.floor(seconds / 86400) });
}

const locale = given.lang === "zh" ? "zh-CN" : "en-GB";
const timeZone = "Asia/Shanghai"; // the compound's, whatever the telephone's is
const hours = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false, timeZone });
const days = new Intl.DateTimeFormat(locale, { month: "short", day: "numeric", weekday: "short", timeZone });

/** Return a time of day, with its day where that is not today. */
export function clock(at) {
  const then = new Date(at * 1000);
  const today = days.format(new Date(now() * 1000)) === days.format(then);
  return today ? hours.format(then) : `${days.format(then)} ${hours.format(then).slice(0, 5)}`;
}

/** Make an id nobody else makes; crypto.randomUUID is there over HTTPS only. */
export function makeId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return [...bytes].map((each, at) => ([4, 6, 8, 10].includes(at) ? "-" : "") + each.toString(16).padStart(2, "0")).join("");
}
