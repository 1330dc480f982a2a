// A card of the list, filled in from alerts: the markup is the server's (card.html), cloned from the page's template.
import { age, me, may, pick, said, say } from "./duty-given.js";
import { pendingOf } from "./duty-outbox.js";
import { button, family, find, set } from "./duty-make.js";

export const blank = () => find("card").content.firstElementChild.cloneNode(true);

/** Fill a card with an incident; only what differs is touched. */
export function fill(card, { first, alerts, waiting }, { expanded = false } = {}) {
  const is = (name) => card.querySelector(`[data-is=${name}]`);
  const kinds = ["card", first.severity, first.state, ...(first.vital ? ["vital"] : []), ...(expanded ? ["expanded"] : [])];
  if (card.className !== kinds.join(" ")) card.className = kinds.join(" ");
  card.dataset.incident = first.incident;
  card.querySelector("a").href = `#/alerts/${first.alert}`;
  turn(card.querySelector(".disc"), family(first.kind));
  set(is("what"), pick(first.what));
  set(is("where"), pick(first.where));
  set(is("site"), first.place.compound ?? "");
  is("age").dataset.since = first.opened_at;
  set(is("age"), age(first.opened_at));
  put(is("severity"), first.severity, say(`severity.${first.severity}`));
  put(is("state"), first.state, said(first));
  const sensor = first.change === "cleared" ? "cleared" : "active";
  put(is("sensor"), sensor, say(`sensor.${sensor}`));
  is("group").hidden = alerts.length === 1;
  put(is("group"), "group", say("group", { n: alerts.length }));
  const pending = pendingOf(first.alert);
  is("pending").hidden = !pending;
  if (pending) put(is("pending"), "pending", pending.person === me.person ? say("pending") : say("pending.by", { who: pending.person }));
  acts(is("acts"), { first, alerts, waiting, pending, expanded });
}

function acts(box, { first, alerts, waiting, pending, expanded }) {
  const wanted = [];
  if (pending) wanted.push(["", "", "cancel", say("act.cancel")]);
  else if (alerts.length > 1) {
    if (expanded && waiting.length && may("acknowledge")) {
      wanted.push(["go", "acknowledged", "these", say("act.these", { n: waiting.length })]);
    }
    wanted.push(["", "group", "expand", expanded ? say("act.collapse") : say("act.expand", { n: alerts.length })]);
  } else if (first.state === "raised" && may("acknowledge")) wanted.push(["go", "acknowledged", "acknowledge", say("act.acknowledge")]);
  const key = JSON.stringify(wanted);
  if (box.dataset.key === key) return; // a button under a finger stays the same button
  box.dataset.key = key;
  box.replaceChildren(...wanted.map(([kind, name, act, text]) => {
    const made = button(kind, name, text);
    made.dataset.act = act;
    return made;
  }));
}

function put(chip, name, text) {
  turn(chip, name);
  set(chip.querySelector("b"), text);
}

function turn(box, name) {
  const use = box.querySelector("use");
  if (use.getAttribute("href") !== `#i-${name}`) use.setAttribute("href", `#i-${name}`);
}

/** Let every age on the page tick. */
export function tick() {
  for (const each of document.querySelectorAll("time[data-since]")) {
    if (Number(each.dataset.since)) set(each, age(Number(each.dataset.since)));
  }
}

