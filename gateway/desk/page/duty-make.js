// Elements of the page from code: nothing that comes from outside is ever read as markup.
import { say } from "./duty-given.js";

export const find = (id) => document.getElementById(id);

/** Make an element: make("button.go", { onclick, type: "button" }, "text", child). Null children are left out. */
export function make(what, properties = {}, ...children) {
  const [tag, ...classes] = what.split(".");
  const made = document.createElement(tag);
  if (classes.length) made.className = classes.join(" ");
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined) continue;
    if (name in made && name !== "list") made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children.flat().filter((each) => each !== null && each !== undefined && each !== false));
  return made;
}

const SVG = "http://www.w3.org/2000/svg";

/** Make an element of a drawing. */
export function draw(tag, attributes, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

export const hasIcon = (name) => Boolean(find(`i-${name}`));

/** Return the icon of a kind of alert: that of its family, if it has one. */
export const family = (kind) => (hasIcon(kind.split(".")[0]) ? kind.split(".")[0] : "alerts");

export function icon(name) {
  return draw("svg", { class: "icon", "aria-hidden": "true" }, draw("use", { href: `#i-${name}` }));
}

/** Make a chip: icon and word, its colour by its class. */
export const chip = (kind, name, text) => make(`span.chip.${kind}`, {}, icon(name), make("b", {}, text));

export function button(kind, name, text, onclick) {
  const made = make(`button${kind ? "." + kind : ""}`, { type: "button", onclick }, name && icon(name), make("b", {}, text));
  made.born = performance.now();
  return made;
}

export const SETTLE_MS = 350; // a finger on its way down was meant for what stood there before

/** Let no tap reach a button that has only just come under the finger; a key (detail 0) goes where the focus is. */
export function settle(event) {
  const born = event.target.closest?.("button")?.born ?? -Infinity;
  if (!event.detail || performance.now() - born > SETTLE_MS) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}

export const panel = (title, ...children) => make("section.panel", {}, make("h2", {}, title), ...children);

/** Make the head of a view, with the way back to the list. */
export function head(title) {
  const back = make("a.back", { href: "#/alerts", ariaLabel: say("back") }, icon("back"));
  return make("div.head", {}, back, make("h2", { tabIndex: -1 }, title));
}

export const note = (text) => make("p.note", {}, text);

/** Set a text only where it is another: screen readers and layout are left in peace. */
export function set(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

let ends = 0;
export const LONG_S = 15; // of a toast that tells what nobody waits for any more

/** Tell something for a while at the bottom, also of an open sheet; `action` is [text, function]. */
export function toast(text, action = null, seconds = 5) {
  const box = find("toast");
  clearTimeout(ends);
  const close = () => { box.hidden = true; box.replaceChildren(); };
  const over = document.querySelector("dialog[open]") ?? document.body;
  if (box.parentNode !== over) over.append(box);
  box.replaceChildren(make("span", {}, text));
  if (action) box.append(button("", "", action[0], () => { close(); action[1](); }));
  box.hidden = false;
  ends = setTimeout(close, seconds * 1000);
}

/** Say what went wrong beside what was tapped, and over whatever is shown where that is gone meanwhile. */
export function complain(box, text) {
  box.textContent = text;
  if (text && !box.isConnected) toast(text, null, LONG_S);
}

/** Open a sheet over the page; `fill(close)` returns its content. Escape and a tap beside it close it. */
export function sheet(title, fill) {
  const box = make("dialog.sheet", { ariaLabel: title });
  const close = () => box.close();
  box.append(make("h2", { tabIndex: -1, autofocus: true }, title), ...fill(close));
  box.addEventListener("click", (event) => { if (event.target === box) close(); });
  box.addEventListener("close", () => {
    if (box.contains(find("toast"))) document.body.append(find("toast"));
    box.remove();
  });
  document.body.append(box);
  if (box.showModal) box.showModal();
  else box.setAttribute("open", ""); // older browsers inside apps
  return box;
}
