// The picture with everything marked on it, and the finger or mouse on it. Coordinates are pixels of the picture;
// `unit` is how many of them a pixel of the screen covers, so that lines, dots and letters keep their size.
const KNOB = 11; // screen pixels, like all sizes here
const KNOB_ASIDE = 30;
const REACH = { mouse: 14, pen: 18, touch: 26 };
const LABELS_APART = 17;
const LOUPE = 160;
const MAGNIFIED = 2; // screen pixels of the loupe a pixel of the picture gets

export function unitOf(svg, size) {
  return size.width / (svg.getBoundingClientRect().width || size.width);
}

/** Returns the place in `floors` of the mark whose knob a point is on, or -1. */
export function knobAt(floors, point, size) {
  const near = (mark) => Math.hypot(point.x - knobX(size, point.unit), point.y - mark.y) < point.reach * point.unit;
  return floors.findIndex(near);
}

/** Returns the place in `corners` of the one nearest to a point and within reach, or -1. */
export function cornerAt(corners, point) {
  const away = corners.map(([x, y]) => Math.hypot(x - point.x, y - point.y));
  const least = Math.min(...away);
  return least < point.reach * point.unit ? away.indexOf(least) : -1;
}

/** Draws the state of the page over the picture; `say` gives the words. */
export function draw(svg, state, say) {
  const { size, marks, mode } = state;
  const unit = unitOf(svg, size);
  svg.setAttribute("viewBox", `0 0 ${size.width} ${size.height}`);
  svg.replaceChildren(
    ...marks.ignore.flatMap((corners, at) => shape(corners, "ignore", unit, mode === "ignore" && at === state.area)),
    ...shape(marks.watch, "watch", unit, mode === "watch"),
    ...scale(state, unit, say),
  );
}

function scale({ judged, marks, size, mode, chosen, hover }, unit, say) {
  const bad = new Set(judged.troubles.flatMap((trouble) => (trouble.level === "lacking" ? [] : trouble.floors)));
  const rest = mode === "floors" ? "" : " rest";
  const marked = new Set(marks.floors.map((mark) => mark.floor));
  const items = [];
  let last = Infinity;
  for (const [floor, row] of judged.lines) {
    if (marked.has(floor)) continue;
    items.push(line(row, size, `line${rest}`));
    if (last - row < LABELS_APART * unit) continue;
    items.push(label(say("of", floor), 6 * unit, row - 3 * unit, unit, "start", rest));
    last = row;
  }
  marks.floors.forEach((mark, at) => {
    const trouble = bad.has(at) ? " bad" : "";
    items.push(line(mark.y, size, "under"), line(mark.y, size, `line mark${trouble}${rest}`));
    items.push(label(say("of", mark.floor), knobX(size, unit) - 18 * unit, mark.y - 4 * unit, unit, "end", rest));
    if (!rest) items.push(dot(knobX(size, unit), mark.y, unit, `knob mark${trouble}${at === chosen ? " chosen" : ""}`));
  });
  if (hover !== null && !rest) items.push(line(hover, size, "under"), line(hover, size, "line"));
  return items;
}

function shape(corners, className, unit, current) {
  if (!corners.length) return [];
  const outline = element("polygon", { points: corners.map((each) => each.join(",")).join(" "), class: `shape ${className}${current ? "" : " rest"}` });
  const dots = current ? corners.map(([x, y]) => dot(x, y, unit, `knob ${className}`)) : [];
  return [outline, ...dots];
}

const knobX = (size, unit) => size.width - KNOB_ASIDE * unit;
const line = (row, size, className) => element("line", { x1: 0, x2: size.width, y1: row, y2: row, class: className });
const dot = (x, y, unit, className) => element("circle", { cx: x, cy: y, r: KNOB * unit, class: className });

function label(text, x, y, unit, anchor, className) {
  const item = element("text", { x, y: Math.max(y, 14 * unit), "font-size": 14 * unit, "stroke-width": 3 * unit, "text-anchor": anchor, class: className });
  item.textContent = text;
  return item;
}

function element(name, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

/** Follows one pointer over the picture: grab, move, drop; cancel when the system takes it away; hover for a mouse. */
export function follow(svg, sizeOf, { grab, move, drop, cancel, hover }) {
  let held = null;
  const at = (event) => {
    const box = svg.getBoundingClientRect();
    const { width, height } = sizeOf();
    const inside = (share, length) => Math.min(Math.max(Math.round(share * length), 0), length - 1);
    return {
      x: inside((event.clientX - box.left) / box.width, width),
      y: inside((event.clientY - box.top) / box.height, height),
      unit: width / box.width,
      reach: REACH[event.pointerType] ?? REACH.touch,
    };
  };
  svg.addEventListener("pointerdown", (event) => {
    if (held !== null || event.button) return;
    held = event.pointerId;
    svg.setPointerCapture(held);
    grab(at(event));
  });
  svg.addEventListener("pointermove", (event) => {
    if (held === event.pointerId) move(at(event));
    else if (held === null && event.pointerType === "mouse") hover(at(event));
  });
  const end = (then) => (event) => {
    if (held !== event.pointerId) return;
    held = null;
    then(event.pointerType === "mouse");
  };
  svg.addEventListener("pointerup", end(drop));
  svg.addEventListener("pointercancel", end(cancel));
  svg.addEventListener("pointerleave", () => { if (held === null) hover(null); });
}

/** Shows what is under the finger, larger and beside it. */
export function magnify(loupe, image, size, point, mode) {
  loupe.hidden = !point;
  if (!point) return;
  loupe.className = point.x > size.width / 2 ? "left" : "right";
  const paint = loupe.getContext("2d");
  const side = loupe.width;
  const times = (MAGNIFIED * side) / LOUPE;
  paint.fillStyle = "#222";
  paint.fillRect(0, 0, side, side);
  paint.drawImage(image, side / 2 - point.x * times, side / 2 - point.y * times, size.width * times, size.height * times);
  const across = mode === "floors" ? side / 2 : 24;
  for (const [width, colour] of [[5, "#000"], [2, "#ffd400"]]) {
    paint.strokeStyle = colour;
    paint.lineWidth = width;
    paint.beginPath();
    paint.moveTo(side / 2 - across, side / 2);
    paint.lineTo(side / 2 + across, side / 2);
    if (mode !== "floors") {
      paint.moveTo(side / 2, side / 2 - across);
      paint.lineTo(side / 2, side / 2 + across);
    }
    paint.stroke();
  }
}
