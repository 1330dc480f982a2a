// A sketch of a building with its floor lit: as many floors as fit around the one that matters, the ground where it is near.
import { say } from "./duty-given.js";
import { draw } from "./duty-make.js";

const ROWS = 8;
const HEIGHT = 15;
const WIDTH = 76;
const LEFT = 26;

/** Return the number of a floor as it is written: "3", "-1", "B1"; NaN where it is words. */
export function floorOf(text) {
  const found = /^\s*(?:(-|B|b|地下)\s*)?(\d{1,2})\s*(?:楼|层|F)?\s*$/.exec(text ?? "");
  return found ? Number(found[2]) * (found[1] ? -1 : 1) : NaN;
}

/** Return the floors that are drawn, from the top down; there is no floor 0. */
export function floorsAround(floor) {
  const steps = floor > 0 ? floor - 1 : floor;
  const lowest = Math.min(steps, Math.max(0, steps - ROWS + 3));
  return Array.from({ length: ROWS }, (_, at) => lowest + ROWS - 1 - at).map((each) => (each < 0 ? each : each + 1));
}

/** Return a drawing of where a place is, or null where its floor is not known by number. */
export function sketch({ floor, unit }) {
  const wanted = floorOf(floor);
  if (!wanted) return null;
  const rows = floorsAround(wanted);
  const columns = Math.max(3, Math.min(6, Number(unit) || 0));
  const lit = Number(unit) >= 1 && Number(unit) <= columns ? Number(unit) : 0;
  const box = draw("svg", { class: "floors", viewBox: `0 0 ${LEFT + WIDTH + 4} ${ROWS * HEIGHT + 12}`, role: "img", "aria-label": say("detail.sketch", { floor }) });
  if (rows[0] > 1) box.append(draw("path", { class: "roof", d: `M${LEFT - 3} 7h${WIDTH + 6}` }));
  rows.forEach((each, at) => box.append(...row(each, 8 + at * HEIGHT, { here: each === wanted, columns, lit })));
  const ground = rows.indexOf(1);
  if (ground >= 0) box.append(draw("path", { class: "ground", d: `M2 ${8 + (ground + 1) * HEIGHT}h${LEFT + WIDTH}` }));
  return box;
}

function row(floor, y, { here, columns, lit }) {
  const wide = WIDTH / columns;
  const windows = Array.from({ length: columns }, (_, at) => draw("rect", {
    x: LEFT + at * wide + 3, y: y + 3, width: wide - 6, height: HEIGHT - 6, rx: 1, class: here && (!lit || lit === at + 1) ? "lit" : "window",
  }));
  const label = draw("text", { x: LEFT - 5, y: y + HEIGHT - 4, "text-anchor": "end", class: here ? "here" : "" }, floor < 0 ? `B${-floor}` : String(floor));
  return [draw("rect", { x: LEFT, y, width: WIDTH, height: HEIGHT, class: here ? "floor here" : floor < 0 ? "floor below" : "floor" }), ...windows, label];
}
