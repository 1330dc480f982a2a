// What is installed: found by name, place or model; what is offline or due comes first.
import { known, pick, say } from "./duty-given.js";
import { keeping } from "./duty-ask.js";
import { chip, head, make, note, set } from "./duty-make.js";

const MOST = 200;

export function show(box) {
  const list = make("ul.rows.panel");
  const count = make("small");
  const search = make("input", { type: "search", placeholder: say("devices.search"), ariaLabel: say("devices.search") });
  let devices = [];
  box.append(head(say("nav.devices")), search, count, list);
  list.append(make("li", {}, note(say("loading"))));
  const paint = () => {
    const wanted = search.value.trim().toLowerCase().split(/\s+/);
    const found = devices.filter((each) => wanted.every((word) => text(each).includes(word)));
    set(count, say("devices.count", { n: found.length }));
    list.replaceChildren(...found.slice(0, MOST).map(row));
    if (!found.length) list.append(make("li", {}, note(say("devices.none"))));
    if (found.length > MOST) list.append(make("li", {}, note(say("devices.more"))));
  };
  search.addEventListener("input", paint);
  keeping("/api/devices?limit=2000", () => list.isConnected, (told) => {
    devices = told.devices.sort((a, b) => urgency(b) - urgency(a));
    paint();
  }, (error) => list.replaceChildren(make("li", {}, note(error.message))))();
}

const text = (each) => [pick(each.where), each.device, each.label, each.model, each.place?.compound].join(" ").toLowerCase();
const urgency = (each) => (each.gone_at ? -1 : (each.online === false) * 2 + (each.due?.length > 0));

function row(each) {
  const state = each.gone_at ? ["minor", "false_alarm", "devices.gone"]
    : each.online === false ? ["bad", "lost", "devices.offline"]
    : each.online ? ["good", "acknowledged", "devices.online"] : ["", "info", "devices.unknown"];
  const dates = [
    each.model && say("devices.model", { model: each.model }), each.installed_on && say("devices.installed", { on: each.installed_on }),
    each.ends_on && say("devices.ends", { on: each.ends_on }), each.tested_on && say("devices.tested", { on: each.tested_on }),
    each.maintain_on && say("devices.maintain", { on: each.maintain_on }),
  ].filter(Boolean);
  const due = (each.due ?? []).map((why) => chip("major", "major", known("due", why)));
  return make("li", {},
    make("span", {}, make("b", {}, pick(each.where) || each.device), make("small", {}, [each.device, ...dates].join(" · "))),
    chip(state[0], state[1], say(state[2])), due.length ? make("div.facts", {}, due) : null);
}
