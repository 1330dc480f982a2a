// What was marked, as a list with buttons large enough for a thumb on a ladder.

export function make(tag, className, text, attributes = {}) {
  const element = Object.assign(document.createElement(tag), attributes);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

function button(text, name, key, action) {
  const made = make("button", "", text, { type: "button", title: name, ariaLabel: name, onclick: action });
  made.dataset.key = key; // by which it gets the focus back when the list is made anew
  return made;
}

/** Fills `place` with what is marked in the present mode; `page` lends words and ways to change things. */
export function list(place, state, page) {
  const focused = place.contains(document.activeElement) ? document.activeElement : null;
  const typing = focused?.tagName === "INPUT" && state.mode === "floors";
  if (typing && place.querySelectorAll(".row").length === state.marks.floors.length) return;
  place.replaceChildren(...{ floors: floors, watch: facade, ignore: areas }[state.mode](state, page));
  if (focused) place.querySelector(`[data-key="${focused.dataset.key}"]`)?.focus();
}

function floors(state, page) {
  const bad = new Set(state.judged.troubles.flatMap((trouble) => (trouble.level === "lacking" ? [] : trouble.floors)));
  const order = state.marks.floors.map((mark, at) => ({ ...mark, at })).sort((one, other) => one.y - other.y);
  if (!order.length) return [];
  const heads = make("div", "heads");
  heads.append(make("span", "", page.say("floor")), make("span", "", page.say("row")));
  return [heads, ...order.map((mark) => floor(mark, state, page, bad.has(mark.at)))];
}

function floor({ y, floor, at }, state, { say, remember, change, changed, show, nudge }, bad) {
  const row = make("div", `row${bad ? " bad" : ""}${at === state.chosen ? " chosen" : ""}`);
  const set = (value) => {
    state.chosen = at;
    state.marks.floors[at].floor = Math.min(Math.max(value, -20), 300);
  };
  const remove = () => {
    state.marks.floors.splice(at, 1);
    state.chosen = -1;
  };
  const input = make("input", "", undefined, { type: "number", step: "any", value: floor, ariaLabel: say("floor") });
  input.dataset.key = `floor ${at}`;
  input.onfocus = () => { remember(); input.select(); };
  input.oninput = () => { if (input.value !== "") { set(Number(input.value)); changed(); } };
  input.onkeydown = (event) => { if (event.key === "Enter") input.blur(); };
  input.onblur = () => setTimeout(show);
  row.append(
    button("−", say("less"), `less ${at}`, () => change(() => set(floor - 1))),
    input,
    button("+", say("more"), `more ${at}`, () => change(() => set(floor + 1))),
    make("span", "at", Math.round(y)),
    button("▲", say("up"), `up ${at}`, () => nudge(at, -1)),
    button("▼", say("down"), `down ${at}`, () => nudge(at, 1)),
    button("✕", say("remove"), `remove ${at}`, () => change(remove)),
  );
  return row;
}

function facade({ marks }, { say }) {
  return marks.watch.length ? [make("span", "", say("corners", marks.watch.length))] : [];
}

function areas(state, { say, change, show }) {
  const { ignore } = state.marks;
  const turn = (at) => { state.area = at; show(); };
  const listed = ignore.map((corners, at) => {
    const row = make("div", `area${at === state.area ? " chosen" : ""}`);
    const remove = () => { ignore.splice(at, 1); state.area = Math.max(0, ignore.length - 1); };
    row.append(
      button(say("area", at + 1, corners.length), say("area", at + 1, corners.length), `turn ${at}`, () => turn(at)),
      button("✕", say("remove"), `remove ${at}`, () => change(remove)),
    );
    return row;
  });
  const more = button(say("another"), say("another"), "another", () => turn(ignore.length));
  return ignore.length && ignore.every((corners) => corners.length > 2) ? [...listed, more] : listed;
}
