// Counters and panels of the room: who is on duty, gateways, what nobody got, silences, trends.
import { age, clock, given, pick, say } from "./duty-given.js";
import { chip, find, icon, make, set } from "./duty-make.js";
import { bars, shares, spans } from "./room-plots.js";

const MOST = 4;
const SEVERITIES = ["critical", "major", "minor", "info"];

export function paintCounts(alerts, figures) {
  const of = (severity) => alerts.filter((each) => each.severity === severity).length;
  const counts = { unacknowledged: alerts.filter((each) => each.state === "raised").length };
  for (const severity of SEVERITIES) counts[severity] = of(severity);
  if (figures) Object.assign(counts, { quiet: figures.gateways_quiet, offline: figures.devices_offline, due: figures.devices_due, undelivered: figures.undelivered });
  for (const [name, value] of Object.entries(counts)) {
    const box = document.querySelector(`[data-count="${name}"]`);
    set(box.querySelector("strong"), String(value));
    box.classList.toggle("none", !value);
  }
}

export function paintFigures(told) {
  set(find("t-trend"), say("trend.title", { n: told.days }) + (told.complete ? "" : ` (${say("trend.more")})`));
  find("trend").replaceChildren(...(told.per_day.some((each) => each.total) ? bars(told.per_day) : [none("trend.none")]));
  const all = (waits) => waits.find((each) => each.severity === "all");
  const rows = [["acknowledged", all(told.acknowledged)], ["resolved", all(told.resolved)]].filter(([, wait]) => wait);
  find("speed").replaceChildren(...(rows.length ? [spans(rows.map(([name, wait]) => ({ ...wait, name: say(`speed.${name}`) }))), make("small", {}, say("speed.note"))] : [none("speed.none")]));
  const untrue = told.false_alarms.filter((each) => each.untrue).sort((a, b) => b.untrue - a.untrue).slice(0, 3);
  const sources = told.nuisances.slice(0, 2).map((each) => make("li", {}, icon("device"), make("span", {}, make("b", {}, pick(each.where)), make("small", {}, [each.place.compound, each.device].filter(Boolean).join(" · "))), make("b", {}, say("false.line", { n: each.untrue }))));
  find("false").replaceChildren(...(untrue.length
    ? [shares(untrue.map((each) => ({ ...each, name: kindName(each.kind) }))), make("h3", {}, say("false.sources")), make("ul.lines", {}, sources)]
    : [none("false.none")]));
}

/** Return a time of day without its seconds, with its day where that is not today. */
const short = (at) => clock(at).replace(/^(\d\d:\d\d):\d\d$/, "$1");

/** Return what a kind is called, or its family, or the kind itself. */
function kindName(kind) {
  return given.words[`kind.${kind}`] ?? given.words[`family.${kind.split(".")[0]}`] ?? kind;
}

export function paintDuty(places) {
  list("duty", places, "duty.nobody", (each) => make("li", {}, icon("duty"),
    make("span", {}, make("b", {}, each.now.join(say("comma")) || say("duty.nobody")),
      make("small", {}, [placed(each), each.until && say("duty.until", { time: short(each.until) }), each.next.length && say("duty.then", { who: each.next.join(say("comma")) })].filter(Boolean).join(" · ")))));
}

const placed = (each) => [each.place.compound || each.place.community || say("duty.everywhere"), ...each.kinds.map(kindName)].join(" · ");

export function paintGateways(gateways) {
  const sorted = [...gateways].sort((a, b) => bad(b) - bad(a) || a.gateway.localeCompare(b.gateway));
  list("gateways", sorted, "gateways.none", (each) => make("li", {}, icon("gateway"),
    make("span", {}, make("b", {}, each.gateway), make("small", {}, each.place.compound ?? "")),
    each.quiet_since ? chip("bad", "lost", say("gateways.quiet", { age: age(each.quiet_since) }))
      : each.health?.silent.length ? chip("major", "major", say("gateways.silent", { n: each.health.silent.length }))
      : chip("good", "acknowledged", say("gateways.online"))));
}

const bad = (each) => (each.quiet_since ? 2 : each.health?.silent.length ? 1 : 0);

export function paintUndelivered(deliveries) {
  list("undelivered", deliveries, "undelivered.none", (each) => make("li.bad", {}, icon("lost"),
    make("span", {}, make("b", {}, each.person), make("small", {}, each[given.lang])), make("small", {}, age(each.created_at))), 3);
}

export function paintSilences(silences) {
  list("silences", silences, "silences.none", (each) => make("li", {}, icon("false_alarm"),
    make("span", {}, make("b", {}, [each.place.compound || say("duty.everywhere"), each.kind ? kindName(each.kind) : say("silences.all")].join(" · ")),
      make("small", {}, say("silences.line", { time: short(each.until), who: each.who, reason: each.reason })))), 3);
}

function list(id, items, empty, row, most = MOST) {
  const rows = items.slice(0, most).map(row);
  if (!rows.length) rows.push(make("li.none", {}, icon("acknowledged"), say(empty)));
  if (items.length > most) rows.push(make("li.note", {}, say("list.more", { n: items.length - most })));
  find(id).replaceChildren(...rows);
}

const none = (key) => make("p.note", {}, say(key));
