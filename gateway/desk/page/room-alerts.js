// The open alerts of the room: one card an incident, the worst that nobody has answered on top.
import { age, makeId, may, pick, say } from "./duty-given.js";
import { ask } from "./duty-ask.js";
import { chip, find, hasIcon, icon, make } from "./duty-make.js";

const MOST = 40;

export const symbol = (kind) => (hasIcon(kind.split(".")[0]) ? kind.split(".")[0] : "alerts");

let shown = "";

/** Paint alerts, in their order. Nothing is touched while nothing is different. */
export function paintAlerts(alerts) {
  const groups = new Map();
  for (const each of alerts) groups.set(each.incident, [...(groups.get(each.incident) ?? []), each]);
  const state = JSON.stringify([...groups.values()].map((group) => group.map((each) => [each.alert, each.version, each.change, each.rank, age(each.opened_at)])));
  if (state === shown) return;
  const known = new Set([...find("open").children].map((each) => each.dataset.incident));
  const cards = [...groups.values()].slice(0, MOST).map((group) => card(group, !known.has(group[0].incident) && shown !== ""));
  shown = state;
  if (!cards.length) cards.push(make("li.empty", {}, icon("acknowledged"), make("strong", {}, say("list.empty")), make("span", {}, say("list.empty.more"))));
  if (groups.size > MOST) cards.push(make("li.note", {}, say("list.more", { n: groups.size - MOST })));
  find("open").replaceChildren(...cards);
}

function card(group, fresh) {
  const first = group[0];
  const raised = group.filter((each) => each.state === "raised").length;
  const made = make(`li.alert.${first.severity}.${first.state}${fresh ? ".fresh" : ""}`, {},
    make("span.disc", {}, icon(symbol(first.kind))),
    make("a", { href: `/#/alerts/${first.alert}` },
      make("strong", {}, pick(first.what)), make("b", {}, [first.place.compound, pick(first.where)].filter(Boolean).join(" · "))),
    make("time", {}, age(first.opened_at)),
    make("span.foot", {}, make("span.chips", {},
      chip(first.severity, first.severity, say(`severity.${first.severity}`)),
      chip(first.state === "raised" ? "" : "good", first.state, said(first)),
      chip("", first.change === "cleared" ? "cleared" : "active", say(first.change === "cleared" ? "sensor.cleared" : "sensor.active")),
      group.length > 1 ? chip("", "group", say("group", { n: group.length })) : null)));
  made.dataset.incident = first.incident;
  if (raised && may("acknowledge")) {
    const words = raised > 1 ? say("act.these", { n: raised }) : say("act.acknowledge");
    made.lastChild.append(make("button.go", { type: "button", onclick: (event) => acknowledge(event.currentTarget, group) }, icon("acknowledged"), make("b", {}, words)));
  }
  return made;
}

function said(alert) {
  const who = { acknowledged: alert.acknowledged_by }[alert.state] ?? alert.assignee;
  const state = say(`state.${alert.state}`);
  return who && alert.state !== "raised" ? say("by", { state, who }) : state;
}

async function acknowledge(button, group) {
  button.disabled = true;
  const alerts = group.filter((each) => each.state === "raised").map((each) => each.alert);
  try {
    await ask("POST", "/api/incidents/acknowledge", { id: makeId(), alerts });
  } catch (error) {
    button.disabled = false;
    button.lastChild.textContent = error.message;
  }
}
