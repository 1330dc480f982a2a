// The compounds as they stand: houses with their floors, lit where something is open. Drawn from the places we know.
import { say } from "./duty-given.js";
import { chip, draw, find, icon, make } from "./duty-make.js";

const CELL = 24, TALL = 16, GAP = 3, HIGHEST = 150, MOST_FLOORS = 40, LEAST_FLOORS = 3, MANY = 4;
const SEVERITIES = ["info", "minor", "major", "critical"];

let shown = "";

/** Paint what is known and what is open; `choose(place, name)` is called for what somebody taps. */
export function paintMap(alerts, places, choose) {
  const compounds = model(alerts, places);
  const state = JSON.stringify(compounds);
  if (state === shown) return;
  shown = state;
  const cards = compounds.map((each) => card(each, choose));
  if (!cards.length) cards.push(make("p.note", {}, say("map.none")));
  find("map").replaceChildren(...cards);
}

/** Return compounds, the worst first: { name, place, worst, waiting, open, devices, houses: [{ name, place, units, floors, lit, roof }] }. */
function model(alerts, places) {
  const found = new Map();
  const compound = (place) => {
    const key = `${place.community ?? ""}/${place.compound ?? ""}`;
    if (!found.has(key)) found.set(key, { name: place.compound ?? "", place: upTo(place, "compound"), worst: -1, waiting: 0, open: 0, devices: 0, yard: null, houses: new Map() });
    return found.get(key);
  };
  const house = (place) => {
    const houses = compound(place).houses;
    if (!houses.has(place.building)) houses.set(place.building, { name: place.building, place: upTo(place, "building"), units: [], floors: [], lit: {}, roof: null });
    const here = houses.get(place.building);
    if (place.unit && !here.units.includes(place.unit)) here.units.push(place.unit);
    const floor = number(place.floor);
    if (floor !== null && !here.floors.includes(floor)) here.floors.push(floor);
    return here;
  };
  for (const place of places) {
    compound(place).devices += 1;
    if (place.building) house(place);
  }
  for (const alert of alerts) count(alert, compound(alert.place), alert.place.building ? house(alert.place) : null);
  const order = (one, two) => one.localeCompare(two, undefined, { numeric: true });
  return [...found.values()]
    .filter((each) => each.name || each.open)  // a device that names no place is no compound
    .map((each) => ({ ...each, houses: [...each.houses.values()].sort((a, b) => order(a.name, b.name)) }))
    .sort((a, b) => b.worst - a.worst || b.waiting - a.waiting || order(a.name, b.name));
}

function count(alert, compound, house) {
  compound.open += 1;
  compound.worst = Math.max(compound.worst, alert.rank);
  compound.waiting += alert.state === "raised";
  const floor = number(alert.place.floor);
  if (house && floor !== null) {
    const key = `${alert.place.unit ?? ""}/${floor}`;
    house.lit[key] = worse(house.lit[key], alert);
  } else if (house) house.roof = worse(house.roof, alert);
  else compound.yard = worse(compound.yard, alert);
}

const worse = (before, alert) => ({ rank: Math.max(before?.rank ?? -1, alert.rank), waiting: (before?.waiting ?? false) || alert.state === "raised" });

function upTo(place, level) {
  const kept = {};
  for (const each of ["community", "grid", "microgrid", "compound", "building"]) {
    if (place[each]) kept[each] = place[each];
    if (each === level) break;
  }
  return kept;
}

function number(floor) {
  const told = /^(-?\d{1,2})$|^[bB](\d)$/.exec(floor ?? "");
  return told ? Number(told[1] ?? -told[2]) : null;
}

function card(compound, choose) {
  const severity = SEVERITIES[compound.worst] ?? "calm";
  const name = compound.name || say("map.nowhere");
  const made = make(`section.compound.${severity}${compound.waiting ? ".waiting" : ""}${compound.houses.length > MANY ? ".wide" : ""}`, {},
    make("button.name", { type: "button", onclick: () => choose(compound.place, name) },
      make("strong", {}, name),
      compound.open ? chip(severity, severity, say("map.open", { n: compound.open })) : chip("good", "acknowledged", say("map.quiet"))),
    make("div.houses", {}, compound.houses.map((house) => drawn(house, choose)),
      compound.yard ? make(`span.yard.${SEVERITIES[compound.yard.rank]}${compound.yard.waiting ? ".waiting" : ""}`, {}, icon(SEVERITIES[compound.yard.rank]), say("map.here")) : null,
      !compound.houses.length && !compound.yard ? make("small", {}, say("map.device", { n: compound.devices })) : null));
  return made;
}

function drawn(house, choose) {
  const units = house.units.length ? [...house.units].sort((a, b) => a.localeCompare(b, undefined, { numeric: true })) : [""];
  const columns = units.map((unit) => [unit]);
  if (Object.keys(house.lit).some((key) => key.startsWith("/")) && units[0] !== "") columns.unshift([""]);
  const top = Math.min(MOST_FLOORS, Math.max(LEAST_FLOORS, ...house.floors));
  const bottom = Math.min(1, ...house.floors);
  const levels = [];
  for (let floor = top; floor >= bottom; floor -= 1) if (floor) levels.push(floor);
  const gap = levels.length > 12 ? 2 : GAP;
  const tall = Math.min(TALL, (HIGHEST - gap) / levels.length - gap);
  const wide = CELL * (units[0] === "" ? 2 : 1);
  const width = columns.length * (wide + GAP) + GAP, height = levels.length * (tall + gap) + gap;
  const cells = [];
  levels.forEach((floor, row) => columns.forEach(([unit], column) => {
    const lit = house.lit[`${unit}/${floor}`];
    const kind = lit ? `${SEVERITIES[lit.rank]}${lit.waiting ? " waiting" : ""}` : "dark";
    cells.push(draw("rect", { class: `cell ${kind}`, x: GAP + column * (wide + GAP), y: gap + row * (tall + gap), width: wide, height: tall, rx: 1.5 }));
  }));
  const worst = Math.max(-1, house.roof?.rank ?? -1, ...Object.values(house.lit).map((each) => each.rank));
  const severity = SEVERITIES[worst] ?? "calm";
  const waiting = house.roof?.waiting || Object.values(house.lit).some((each) => each.waiting);
  const name = /^\w+$/.test(house.name) ? say("map.building", { n: house.name }) : house.name;
  return make(`button.house.${severity}${waiting ? ".waiting" : ""}`, { type: "button", onclick: () => choose(house.place, name) },
    make("span.badge", {}, worst >= 0 ? icon(severity) : null, worst >= 0 ? where(house) : ""),
    draw("svg", { viewBox: `0 0 ${width} ${height}`, width, height, "aria-hidden": "true" },
      draw("rect", { class: "wall", x: 0, y: 0, width, height, rx: 3 }), ...cells),
    make("b", {}, name));
}

/** Return the floors of a house on which something is open, as words. */
function where(house) {
  const floors = [...new Set(Object.keys(house.lit).map((key) => Number(key.split("/")[1])))].sort((a, b) => b - a);
  const words = floors.slice(0, 2).map((floor) => (floor < 0 ? say("map.basement", { n: -floor }) : say("map.floor", { n: floor })));
  if (floors.length > 2) words.push("…");
  return words.join(" ") || say("map.roof");
}
