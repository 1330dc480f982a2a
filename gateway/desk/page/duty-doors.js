// Doors: how each stands, and an order after a second look. An order is never kept for later: who waits, waits in front of the door.
import { given, known, makeId, pick, say } from "./duty-given.js";
import { ask, keeping, pause } from "./duty-ask.js";
import { onTopic } from "./duty-live.js";
import { LONG_S, button, chip, find, head, make, note, panel, sheet, toast } from "./duty-make.js";

const GIVEN_UP_MS = 15000; // an order is dead after ten seconds
const AGAIN_MS = 700;
const OPEN = ["waiting", "sent"];
const BAD = ["open", "held", "forced", "unknown"];

export function show(box) {
  const list = make("div.cards", {}, note(say("loading")));
  const trouble = make("p.trouble", { role: "alert" });
  box.append(head(say("nav.doors")), list);
  const load = keeping("/api/doors", () => list.isConnected, ({ doors }) => paint(list, doors), (error) => {
    trouble.textContent = error.message;
    if (list.querySelector("[data-door]")) list.prepend(trouble); // they stay, with what is still told of an order
    else list.replaceChildren(trouble);
  });
  load();
  const ends = onTopic("gateway", load);
  const orders = onTopic("order", load);
  return () => { ends(); orders(); };
}

function paint(list, doors) {
  if (!doors.length) return list.replaceChildren(note(say("doors.none")));
  const told = new Map([...list.querySelectorAll("[data-door]")].map((each) => [each.dataset.door, each.querySelector(".told")]));
  list.replaceChildren(...doors.map((door) => {
    const name = `${door.gateway}/${door.door}`;
    const answer = told.get(name) ?? make("p.told", { role: "status" });
    const mode = given.words[`mode.${door.mode}`] && chip("info", "info", known("mode", door.mode));
    const state = chip(BAD.includes(door.state) ? "bad" : "good", BAD.includes(door.state) ? "major" : "acknowledged", known("door", door.state));
    const acts = door.actions.map((choice) => {
      const made = button(choice.action === "unlock" ? "go" : "", "", pick(choice.words), () => sure(door, choice, answer));
      made.disabled = Boolean(door.hindrance);
      return made;
    });
    const made = panel(pick(door.where) || door.door, make("small", {}, [door.place.compound, pick(door.why)].filter(Boolean).join(" · ")), make("div.facts", {}, state, mode),
      door.hindrance && make("p.trouble", {}, pick(door.hindrance)), make("div.acting", {}, acts), answer);
    made.dataset.door = name;
    return made;
  }));
  return undefined;
}

function sure(door, { action, words: told }, answer) {
  const words = { action: pick(told), door: pick(door.where) || door.door };
  sheet(say("doors.sure", words), (close) => {
    if (navigator.onLine === false || !find("lost").hidden) return [make("p.trouble", {}, say("doors.offline")), button("wide", "", say("close"), close)];
    const yes = () => { close(); give(door, action, answer); };
    return [make("p", {}, say("doors.sure.more")), button("danger.wide", "door", say("doors.yes", words), yes), button("wide", "", say("cancel"), close)];
  });
}

async function give(door, action, answer) {
  const tell = (text, kind, sign) => answer.replaceChildren(chip(kind, sign, text));
  const end = (text, done) => { // who has left the doors is told wherever they are now
    tell(text, done ? "good" : "bad", done ? "acknowledged" : "critical");
    if (!answer.isConnected) toast(`${pick(door.where) || door.door} · ${text}`, null, LONG_S);
  };
  const path = `/api/doors/${encodeURIComponent(door.gateway)}/${encodeURIComponent(door.door)}/${action}`;
  const until = Date.now() + GIVEN_UP_MS;
  tell(say("doors.giving"), "info", "pending");
  try {
    let order = await ask("POST", path, { id: makeId() });
    while (OPEN.includes(order.state) && Date.now() < until) {
      tell(detail(order), "info", "pending");
      await pause(AGAIN_MS);
      order = await ask("GET", `/api/orders/${order.id}`);
    }
    end(OPEN.includes(order.state) ? say("order.unknown") : detail(order), order.state === "done");
  } catch (error) {
    end(error.later ? say("order.lost") : error.message, false);
  }
}

const detail = (order) => [pick(order.detail), order.said].filter(Boolean).join(" · ") || order.state;
