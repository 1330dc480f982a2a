// One alert in full: where it is, whom to call, what is to be seen, what happened, and the next thing to do about it.
import { age, clock, given, may, pick, said, say } from "./duty-given.js";
import { ask, pause } from "./duty-ask.js";
import { alertOf, isOpen, onAlerts, upsert } from "./duty-alerts.js";
import { onOutbox, pendingOf } from "./duty-outbox.js";
import { acknowledge, cancel, step } from "./duty-steps.js";
import { assign, dispose, remark } from "./duty-dispose.js";
import { sketch } from "./duty-floors.js";
import { timeline } from "./duty-timeline.js";
import { button, chip, family, head, icon, make, note, panel, toast } from "./duty-make.js";

let open = null; // {name, box, detail, again, asking}; a detail without its timeline is what the list knew

onAlerts((alert) => { if (open && alert && alert.alert === open.name) { merge(alert); fetchAnew(open); } });
onOutbox(() => { if (open?.detail) paint(open); });

export function show(box, name) {
  const mine = open = { name, box, detail: null, again: false, asking: false };
  box.append(head(say("detail.open")), note(say("loading")));
  const known = alertOf(name);
  if (known) {
    mine.detail = { alert: known, timeline: null, deliveries: [], contacts: [], others: [], assignable: [] };
    paint(mine);
  }
  fetchAnew(mine);
  return () => { open = null; };
}

async function fetchAnew(mine) { // one question at a time; what changed meanwhile is asked after it
  if (mine.asking) { mine.again = true; return; }
  mine.asking = true;
  do {
    mine.again = false;
    try {
      const detail = await ask("GET", `/api/alerts/${mine.name.split("/").map(encodeURIComponent).join("/")}`);
      if (open !== mine) return;
      mine.detail = detail;
      upsert(detail.alert);
      mine.again &&= alertOf(mine.name)?.version > detail.alert.version;
      paint(mine);
    } catch (error) {
      if (!("status" in error)) throw error;
      if (open !== mine) return;
      if (!mine.detail) mine.box.replaceChildren(head(say("detail.open")), note(error.status === 404 ? say("detail.missing") : error.message));
      if (error.later) await pause();
      mine.again ||= error.later;
    }
  } while (mine.again && open === mine);
  mine.asking = false;
}

function merge(alert) {
  if (open.detail) {
    open.detail.alert = alert;
    paint(open);
  }
}

function paint({ box, name, detail }) {
  const { alert } = detail;
  const parts = [
    head(say("detail.open")), what(alert), actions(alert, name), resident(detail), pictures(alert), where(alert), calls(detail),
    written(alert), panel(say("detail.timeline"), detail.timeline ? timeline(detail.timeline) : note(say("loading"))),
    told(detail), others(detail),
  ].filter(Boolean);
  parts.forEach((part, at) => { // what is as it was stays: a film plays on, a finger finds its button
    const key = part.outerHTML;
    const there = box.children[at];
    if (there?.key === key) return;
    part.key = key;
    if (there) there.replaceWith(part);
    else box.append(part);
  });
  while (box.children.length > parts.length) box.lastChild.remove();
}

function what(alert) {
  const sensor = alert.change === "cleared" ? "cleared" : "active";
  const time = make("time", {}, age(alert.opened_at));
  time.dataset.since = alert.opened_at;
  const lines = make("span.lines", {}, make("strong", {}, pick(alert.what)), time, make("b", {}, pick(alert.where)), make("small", {}, alert.place.compound ?? ""));
  const chips = make("div.facts", {},
    chip(alert.severity, alert.severity, say(`severity.${alert.severity}`)), chip("state", alert.state, said(alert)),
    chip("sensor", sensor, say(`sensor.${sensor}`)));
  const facts = [say("detail.first", { time: clock(alert.first_seen) }), alert.count > 1 && say("detail.count", { n: alert.count })];
  const kind = `section.panel.what.${alert.severity}.${alert.state}${alert.vital ? ".vital" : ""}`;
  return make(kind, {}, make("div.body", {}, make("span.disc", {}, icon(family(alert.kind))), lines), chips, make("small", {}, facts.filter(Boolean).join(" · ")));
}

function actions(alert, name) {
  const pending = pendingOf(name);
  const made = [];
  const go = (text, sign, act, kind = "") => made.push(button(kind, sign, text, act));
  const doing = (promise) => promise.then((told) => told && toast(told), (error) => toast(error.message));
  if (pending) go(say("act.cancel"), "pending", () => cancel(pending));
  else if (alert.state === "raised" && may("acknowledge")) go(say("act.acknowledge"), "acknowledged", () => acknowledge(name), "go");
  if (isOpen(alert) && may("work")) {
    if (alert.state !== "on_site" && alert.state !== "raised") go(say("act.arrive"), "on_site", () => doing(step(name, "arrive")), "go");
    go(say("act.dispose"), "resolved", () => dispose(name), alert.state === "on_site" ? "go" : "");
    go(say("act.assign"), "assigned", () => assign(name, open.detail.timeline ? open.detail.assignable : null)); // as known when tapped: the button stays
    if (alert.state === "raised") go(say("act.arrive"), "on_site", () => doing(step(name, "arrive")));
  }
  if (!isOpen(alert) && may("work")) go(say("act.reopen"), "raised", () => doing(step(name, "reopen")));
  if (may("note")) go(say("act.note"), "report", () => remark(name));
  return made.length ? make("div.acting", {}, pending && make("p.pending-line", {}, say("pending")), made) : null;
}

function where(alert) {
  const { place } = alert;
  const wider = [place.compound, place.community].filter(Boolean).join(" · ");
  const drawn = sketch(place);
  const words = make("div", {}, make("p.spot", {}, pick(alert.where)), make("p", {}, wider),
    alert.device && make("small", {}, say("detail.device", { name: alert.device })), make("br"), make("small", {}, say("detail.gateway", { name: alert.gateway })));
  const made = panel(say("detail.where"), make("div.figure", {}, drawn, words));
  if (drawn) made.append(make("small", {}, say("detail.sketch", { floor: place.floor })));
  return made;
}

function resident({ alert, view, resident: who, timeline: had }) { // how much of it one sees, and why
  if (!alert.hidden) return null;
  if (!had) return panel(say("view.title"), note(say("loading")));
  const shown = view ?? "masked";
  const line = (key, text) => text && make("p", {}, `${say(key)}${say("colon")}`, make("b", {}, text));
  const made = panel(say("view.title"), who && line("view.code", who.code), who && line("view.name", who.name), who && line("view.note", who.note));
  made.append(note(shown === "masked" ? closedToMe(alert) : say(`view.${shown}`)));
  return made;
}

function closedToMe(alert) { // and what opens it: only a button that is there
  if (!isOpen(alert)) return say("view.closed");
  if (alert.state === "raised") return say("view.masked");
  const join = may("work") && alert.state !== "on_site" ? ` ${say("view.join")}` : "";
  return say("view.taken", { state: said(alert) }) + join;
}

function calls({ contacts, timeline: had }) {
  const link = ({ name, phone }) => make("a.wide.call", { href: `tel:${phone.replace(/[^+\d]/g, "")}` }, icon("phone"), make("b", {}, pick(name)), pick(name).includes(phone) ? null : make("span", {}, phone));
  return panel(say("detail.contacts"), ...(contacts.length ? contacts.map(link) : [note(say(had ? "detail.nobody" : "loading"))]));
}

function pictures(alert) {
  if (!alert.evidence.length) return null;
  const one = ({ sha256, kind }) => {
    const src = `/files/${sha256}`;
    const gone = (event) => event.target.replaceWith(note(say("detail.gone")));
    const text = say(`detail.${kind}`);
    if (kind === "clip") return make("video", { src, controls: true, preload: "metadata", playsInline: true, muted: true, ariaLabel: text, onerror: gone });
    return make("a", { href: src, target: "_blank" }, make("img", { src, alt: text, loading: "lazy", onerror: gone }));
  };
  return panel(say("detail.evidence"), make("div.pictures", {}, alert.evidence.map(one)));
}

function written({ cause, note: text }) {
  if (!cause && !text) return null;
  const [verdict, rest = ""] = cause ? cause.split(": ") : [""];
  const told = cause && (given.words[`verdict.${verdict}`] ? [say(`verdict.${verdict}`), rest].filter(Boolean).join(" · ") : cause);
  return panel(say("detail.note"), cause && make("p", {}, say("detail.cause"), " ", make("b", {}, told)), text && make("p", {}, text));
}

function told({ deliveries, timeline: had }) {
  const line = ({ person, channel, state, created_at, sent_at, answer }) => {
    const bad = state === "failed";
    const who = channel ? say("delivery.line", { who: person, channel }) : person;
    return make("li", {}, make("span", {}, make("b", {}, who), make("small", {}, clock(sent_at ?? created_at), bad && answer ? ` · ${answer}` : "")),
      chip(bad ? "bad" : state === "waiting" ? "minor" : "good", bad ? "critical" : state === "waiting" ? "pending" : "acknowledged", say(`delivery.${state}`)));
  };
  const bad = deliveries.filter((each) => each.state === "failed");
  const sorted = [...bad, ...deliveries.filter((each) => each.state !== "failed")];
  return panel(say("detail.deliveries"), sorted.length ? make("ul.rows", {}, sorted.map(line)) : note(say(had ? "detail.nodeliveries" : "loading")));
}

function others({ others: mates }) {
  if (!mates.length) return null;
  const link = (alert) => make("a.wide", { href: `#/alerts/${alert.alert}` }, icon(family(alert.kind)),
    make("span", {}, make("b", {}, pick(alert)), make("br"), chip("state", alert.state, said(alert))), icon("go"));
  return panel(say("detail.others", { n: mates.length }), ...mates.slice(0, 50).map(link));
}
