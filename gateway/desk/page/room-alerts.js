// The open alerts of the room: one card an incident, the worst that nobody has answered on top.
import { age, makeId, may, pick, said, say } from "./duty-given.js";
import { ask } from "./duty-ask.js";
import { SETTLE_MS, chip, family, find, icon, make } from "./duty-make.js";

const MOST = 40;

let shown = "";
let moved = -SETTLE_MS;

/** Paint incidents, in their order. Nothing is touched while nothing is different. */
export function paintAlerts(incidents) {
  const state = JSON.stringify(incidents.map(({ alerts }) => alerts.map((each) => [each.alert, each.version, each.change, each.rank, age(each.opened_at)])));
  if (state === shown) return;
  const before = [...find("open").children].map((each) => each.dataset.incident);
  const known = new Set(before);
  if (before.join() !== incidents.slice(0, MOST).map((each) => each.incident).join()) moved = performance.now();
  const cards = incidents.slice(0, MOST).map((each) => card(each, !known.has(each.incident) && shown !== ""));
  shown = state;
  if (!cards.length) cards.push(make("li.empty", {}, icon("acknowledged"), make("strong", {}, say("list.empty")), make("span", {}, say("list.empty.more"))));
  if (incidents.length > MOST) cards.push(make("li.note", {}, say("list.more", { n: incidents.length - MOST })));
  find("open").replaceChildren(...cards);
}

function card({ first, alerts, waiting }, fresh) {
  const made = make(`li.alert.${first.severity}.${first.state}${fresh ? ".fresh" : ""}`, {},
    make("span.disc", {}, icon(family(first.kind))),
    make("a", { href: `/#/alerts/${first.alert}` },
      make("strong", {}, pick(first.what)), make("b", {}, [first.place.compound, pick(first.where)].filter(Boolean).join(" · "))),
    make("time", {}, age(first.opened_at)),
    make("span.foot", {}, make("span.chips", {},
      chip(first.severity, first.severity, say(`severity.${first.severity}`)),
      chip(first.state === "raised" ? "" : "good", first.state, said(first)),
      chip("", first.change === "cleared" ? "cleared" : "active", say(first.change === "cleared" ? "sensor.cleared" : "sensor.active")),
      alerts.length > 1 ? chip("", "group", say("group", { n: alerts.length })) : null)));
  made.dataset.incident = first.incident;
  if (waiting.length && may("acknowledge")) {
    const words = waiting.length > 1 ? say("act.these", { n: waiting.length }) : say("act.acknowledge");
    made.lastChild.append(make("button.go", { type: "button", onclick: (event) => acknowledge(event.currentTarget, waiting) }, icon("acknowledged"), make("b", {}, words)));
  }
  return made;
}

async function acknowledge(button, waiting) {
  if (performance.now() - moved < SETTLE_MS) return; // it was meant for what stood there before
  button.disabled = true;
  try {
    await ask("POST", "/api/incidents/acknowledge", { id: makeId(), alerts: waiting.map((each) => each.alert) });
  } catch (error) {
    button.disabled = false;
    button.lastChild.textContent = error.message;
  }
}
