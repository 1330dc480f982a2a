// The views behind the bottom bar, one address each: #/alerts is the list, the others are made when they are opened.
import { find } from "./duty-make.js";
import { show as alert } from "./duty-detail.js";
import { show as devices } from "./duty-devices.js";
import { show as doors } from "./duty-doors.js";
import { closed } from "./duty-list.js";
import { show as report } from "./duty-report.js";
import { show as duty } from "./duty-shift.js";

const VIEWS = { closed, devices, doors, duty, report };
let leave = null;
let scrolled = 0;

/** Show what the address names. A view returns what is to be done when it is left. */
export function route() {
  const [, name = "alerts", ...rest] = location.hash.split("/");
  const view = name === "alerts" && rest.length ? alert : VIEWS[name];
  leave?.();
  leave = null;
  const box = find("view");
  if (!find("list").hidden) scrolled = scrollY;
  find("list").hidden = Boolean(view);
  box.hidden = !view;
  box.replaceChildren();
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
