// The phone page: what the server painted comes alive here, and the views behind the bottom bar are opened.
import { me, pick, say } from "./duty-given.js";
import * as list from "./duty-list.js";
import * as outbox from "./duty-outbox.js";
import * as sound from "./duty-sound.js";
import { more, onAlerts, reload } from "./duty-alerts.js";
import { tick } from "./duty-cards.js";
import { follow } from "./duty-live.js";
import { find, settle, toast } from "./duty-make.js";
import { install, whenBack } from "./duty-install.js";
import { show as alert } from "./duty-detail.js";
import { show as devices } from "./duty-devices.js";
import { show as doors } from "./duty-doors.js";
import { show as report } from "./duty-report.js";
import { choose, show as duty } from "./duty-shift.js";

const LONG_S = 30;
const VIEWS = { closed: list.closed, devices, doors, duty, report };
let leave = null;
let scrolled = 0;

/** Show what the address names. A view returns what is to be done when it is left. */
function route() {
  const [, name = "alerts", ...rest] = location.hash.split("/");
  const view = name === "alerts" && rest.length ? alert : VIEWS[name];
  leave?.();
  leave = null;
  for (const sheet of document.querySelectorAll("dialog[open]")) sheet.close(); // it was about what is left now
  const box = find("view").cloneNode(false); // what is answered late to the view that is left paints nothing here
  find("view").replaceWith(box);
  if (!find("list").hidden) scrolled = scrollY;
  find("list").hidden = Boolean(view);
  box.hidden = !view;
  document.querySelector("nav.bar").hidden = false; // whoever changed hands may have gone back
  const tab = VIEWS[name] && name !== "closed" ? name : "alerts";
  for (const each of document.querySelectorAll("nav.bar a")) {
    if (each.hash === `#/${tab}`) each.setAttribute("aria-current", "page");
    else each.removeAttribute("aria-current");
  }
  scrollTo(0, view ? 0 : scrolled);
  if (!view) return;
  leave = view(box, rest.map(decodeURIComponent).join("/")) ?? null;
  box.querySelector("h2")?.focus({ preventScroll: true });
}

/** Tell of a new critical alert over whatever else is shown. */
function interrupt(alert, known) {
  const address = alert && `#/alerts/${alert.alert}`;
  if (!alert || !sound.isNews(alert, known) || !find("list").hidden || location.hash === address) return;
  toast(`‼ ${pick(alert)}`, [say("report.open"), () => { location.hash = address; }], LONG_S);
}

document.querySelector(".language").addEventListener("click", (event) => { // where one is, one stays
  event.preventDefault();
  location.assign(`${event.currentTarget.getAttribute("href")}${location.hash}`);
});

document.addEventListener("click", settle, true);

if (!me) whenBack();
else if (!me.person) choose(find("list"));
else {
  outbox.start();
  list.start();
  sound.start();
  onAlerts(interrupt);
  route();
  addEventListener("hashchange", route);
  follow({ lost: sound.mourn, beat: outbox.drain, heard: sound.isOn });
  setInterval(tick, 1000);
  if (more) reload();
  install();
}
