// The list of open incidents: painted by the server first, then kept as it is now, each card in its place.
import { say } from "./duty-given.js";
import { keeping } from "./duty-ask.js";
import { incidents, more, onAlerts } from "./duty-alerts.js";
import { onOutbox, pendingOf, waiting as queued } from "./duty-outbox.js";
import { acknowledge, acknowledgeThese, cancel } from "./duty-steps.js";
import { blank, fill } from "./duty-cards.js";
import { SETTLE_MS, find, head, make, note, set } from "./duty-make.js";

const cards = new Map();
const expanded = new Set();
let shown = new Map();
let painting = 0;
let moved = -SETTLE_MS;

export function start() {
  for (const card of document.querySelectorAll("#list .card")) cards.set(card.dataset.incident, card);
  find("list").addEventListener("click", tapped);
  onAlerts(soon);
  onOutbox(soon);
  paint();
}

const soon = () => { painting ||= setTimeout(paint, 40); }; // a storm is painted some times a second, not each alert

function paint() {
  painting = 0;
  const all = incidents();
  shown = new Map(all.map((each) => [each.incident, each]));
  for (const [incident, card] of cards) {
    if (shown.has(incident)) continue;
    card.remove();
    cards.delete(incident);
    moved = performance.now(); // those below it come up
  }
  for (const each of all) paintCard(each);
  const raised = all.filter((each) => each.waiting.length);
  const working = all.filter((each) => !each.waiting.length);
  const unanswered = raised.reduce((sum, each) => sum + each.waiting.length, 0);
  place("waiting", raised, unanswered);
  find("badge").hidden = !unanswered;
  set(find("badge"), String(unanswered));
  place("working", working, working.reduce((sum, each) => sum + each.alerts.length, 0));
  find("quiet").hidden = all.length > 0;
  find("more").hidden = !more;
  const count = queued().filter((each) => !each.quiet).length;
  find("queue").hidden = !count;
  set(find("queue"), count ? say("pending.bar", { n: count }) : "");
}

function paintCard(each) {
  if (!cards.has(each.incident)) cards.set(each.incident, blank());
  const card = cards.get(each.incident);
  const open = expanded.has(each.incident) && each.alerts.length > 1;
  fill(card, each, { expanded: open });
  card.querySelector(".members")?.remove();
  if (open) card.append(make("ol.members", {}, each.alerts.map(member)));
}

function member(alert) {
  const card = blank();
  fill(card, { first: alert, alerts: [alert], waiting: alert.state === "raised" ? [alert] : [] });
  card.querySelector("[data-is=acts]").remove();
  return card;
}

function place(id, list, count) {
  const box = find(id).querySelector("ol");
  find(id).hidden = !list.length;
  set(find(id).querySelector("[data-is=count]"), String(count));
  list.forEach((each, at) => {
    const card = cards.get(each.incident);
    const there = box.children[at] ?? null;
    if (there === card) return;
    if (there || card.parentNode) moved = performance.now();
    box.insertBefore(card, there);
  });
}

function tapped(event) {
  const button = event.target.closest("[data-act]");
  if (!button || performance.now() - moved < SETTLE_MS) return;
  const each = shown.get(button.closest("[data-incident]").dataset.incident);
  if (!each) return;
  const act = button.dataset.act;
  if (act === "acknowledge") acknowledge(each.first.alert);
  else if (act === "cancel") cancel(pendingOf(each.first.alert));
  else if (act === "these") acknowledgeThese(each.waiting.map((one) => one.alert));
  else expanded.has(each.incident) ? expanded.delete(each.incident) : expanded.add(each.incident);
  paint();
}

/** Show what was closed lately, each with its way back into work. */
export function closed(box) {
  const list = make("ol.cards", {}, note(say("loading")));
  box.append(head(say("list.closed")), list);
  keeping("/api/alerts?state=closed&limit=50", () => list.isConnected, ({ alerts }) => {
    list.replaceChildren(...incidents(alerts).sort((a, b) => b.first.closed_at - a.first.closed_at).map((each) => {
      const card = blank();
      fill(card, each);
      card.querySelector("[data-is=acts]").remove();
      return card;
    }));
    if (!alerts.length) list.replaceChildren(make("li", {}, note(say("list.none"))));
  }, (error) => list.replaceChildren(make("li", {}, note(error.message))))();
}
