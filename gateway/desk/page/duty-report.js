// A hazard or a request reported by hand: what, where, a few words, a photo. It becomes an alert like any other.
import { makeId, me, say } from "./duty-given.js";
import { ask } from "./duty-ask.js";
import { choices, field, sender } from "./duty-dispose.js";
import { photoField } from "./duty-photo.js";
import { icon, head, make, panel, toast } from "./duty-make.js";

export function show(box) {
  const id = makeId();
  const line = (name, key) => field(say(key), make("input", { name, maxLength: 40, autocomplete: "off", inputMode: name === "compound" ? "text" : "numeric" }));
  const what = choices(say("report.what"), { hazard: ["major", say("report.hazard")], request: ["care", say("report.request")] });
  const urgent = choices(say("report.urgent"), Object.fromEntries(["minor", "major", "critical"].map((each) => [each, [each, say(`severity.${each}`)]])));
  const compounds = [...new Set(me.roles.map((role) => role.place.compound).filter(Boolean))];
  const places = [line("building", "report.building"), line("unit", "report.unit"), line("floor", "report.floor")];
  const compound = field(say("report.place"), make("input", { name: "compound", maxLength: 60, value: compounds[0] ?? "" }));
  const text = make("textarea", { name: "text", maxLength: 2000, rows: 4 });
  const photos = photoField();
  const act = async () => {
    if (!text.value.trim()) return say("report.empty");
    const written = [...box.querySelectorAll(".place input")].map((each) => [each.name, each.value.trim()]).filter(([, value]) => value);
    const place = { ...around(Object.fromEntries(written).compound), ...Object.fromEntries(written) };
    const told = { id, what: what.chosen() ?? "hazard", text: text.value.trim(), place, photos: await photos.send() };
    if (urgent.chosen()) told.severity = urgent.chosen();
    const { alert } = await ask("POST", "/api/reports", told);
    done(box, alert);
    return "";
  };
  box.append(head(say("report.title")), make("form.panel", { onsubmit: (event) => event.preventDefault() },
    what.element, field(say("report.text"), text), make("div.place.trio", {}, places), make("div.place", {}, compound), urgent.element, photos.element,
    ...sender(say("report.send"), "report", act)));
}

/** Return what lies around a compound, as far as one's own roles say it. */
function around(compound) {
  const places = me.roles.map((role) => role.place);
  const known = places.find((place) => place.compound && place.compound === compound) ?? places.find((place) => !place.compound) ?? {};
  return Object.fromEntries(Object.entries(known).filter(([, value]) => value));
}

function done(box, alert) {
  if (!box.isConnected) return toast(say("report.sent"));
  const again = make("button.wide", { type: "button", onclick: () => { box.replaceChildren(); show(box); } }, icon("report"), make("b", {}, say("report.again")));
  box.replaceChildren(head(say("report.title")), panel("", make("p.big", { role: "status" }, say("report.sent")),
    make("a.wide", { href: `#/alerts/${alert.alert}` }, make("b", {}, say("report.open")), icon("go")), again));
}
