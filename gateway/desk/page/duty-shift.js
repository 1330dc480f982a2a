// My duty: who I am, whether it is my turn, who else is on duty and their numbers, sound, push, and the way out.
import { clock, may, me, pick, say } from "./duty-given.js";
import { ask, keeping } from "./duty-ask.js";
import * as sound from "./duty-sound.js";
import { offerPush } from "./duty-install.js";
import { button, chip, head, icon, make, note, panel, sheet, toast } from "./duty-make.js";

export function show(box) {
  const roster = make("div.cards", {}, note(say("loading")));
  const phone = panel(say("duty.phone", { label: me.label || "…" }));
  box.append(head(say("nav.duty")), mine(box), roster, phone);
  phone.append(make("p", {}, say(sound.staysAwake() ? "duty.screen" : "duty.screen.no")));
  offerPush(phone);
  if (me.shared) phone.append(button("wide", "duty", say("duty.change"), () => choose(box)));
  if (may("looks")) phone.append(make("a.wide", { href: "/looks" }, icon("care"), say("view.looks")));
  phone.append(button("wide", "", say("duty.leave"), leave));
  keeping("/api/duty", () => roster.isConnected, (told) => roster.replaceChildren(...watches(told), own(told)), (error) => roster.replaceChildren(note(error.message)))();
}

function mine(box) {
  const turn = say(me.on_duty ? "duty.by_roster" : "duty.off_roster");
  const when = me.next_duty ? say(me.on_duty ? "duty.until" : "duty.next", { time: clock(me.next_duty) }) : "";
  const redraw = () => { box.replaceChildren(); show(box); };
  const made = panel(say("duty.me", { who: me.person }), chip(me.on_duty ? "good" : "", me.on_duty ? "acknowledged" : "info", turn), when && make("p", {}, when));
  if (sound.isOn()) {
    made.append(chip("good", "sound", say("duty.on")), button("wide", "sound", say("duty.sound"), () => sound.test()));
    made.append(button("wide", "", say("duty.end"), () => sound.end().then(() => { toast(say("duty.ended")); redraw(); }, (error) => toast(error.message))));
  } else made.append(button("go.wide", "sound", say("duty.start"), () => { sound.begin(); redraw(); }));
  return made;
}

function watches({ places, phones }) {
  const who = (people, call) => (people.length ? people.map((name) => person(name, call && phones[name])) : [make("p.trouble", {}, say("duty.nobody"))]);
  return places.map((each) => panel([pick(each.where), ...each.kinds].filter(Boolean).join(" · ") || each.place.compound || each.place.community || say("duty.now"),
    make("small", {}, say("duty.now"), each.until ? ` · ${say("duty.until", { time: clock(each.until) })}` : ""), ...who(each.now, true),
    each.next.length ? make("small", {}, `${say("duty.then")} ${each.next.join(say("comma"))}`) : null));
}

function person(name, phone) {
  if (!phone) return make("p", {}, make("b", {}, name));
  const href = `tel:${phone.replace(/[^+\d]/g, "")}`;
  return make("a.wide.call", { href }, icon("phone"), make("b", {}, name), make("span", {}, phone));
}

function own({ own: spans }) {
  if (!spans.length) return "";
  return panel(say("duty.times"), make("ul.rows", {}, spans.map((each) => make("li", {},
    make("b", {}, each.ends ? `${clock(each.begins)} – ${clock(each.ends)}` : say("duty.always")), make("small", {}, pick(each.where))))));
}

function leave() {
  sheet(say("duty.leave"), (close) => {
    const yes = () => ask("POST", "/api/me/leave", {}).then(() => location.assign("/pair"), (error) => { close(); toast(error.message); });
    return [make("p", {}, say("duty.leave.sure")), button("danger.wide", "", say("duty.leave.yes"), yes), button("wide", "", say("cancel"), close)];
  });
}

/** Ask who has a shared phone now, by tapping a name: what is done from then on is done in that name. */
export function choose(box) {
  const take = (person) => ask("POST", "/api/me/acting", { person }).then(() => location.reload(), (error) => toast(error.message));
  const names = me.people.map((person) => button("wide", "duty", person, () => take(person)));
  box.replaceChildren(make("section.panel.who", {}, make("h2", {}, say("who.title")), make("p", {}, say("who.more")), names));
  document.querySelector("nav.bar").hidden = true;
}
