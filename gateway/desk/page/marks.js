// Marking a camera's picture: floors, facade, what is not looked at. The gateway reckons, this page shows and asks.
import { list, make } from "./marks-list.js";
import { cornerAt, draw, follow, knobAt, magnify } from "./marks-picture.js";
import { words } from "./marks-words.js";

const MODES = ["floors", "watch", "ignore"];
const MOST_UNDONE = 300;
const KEPT = `marks ${location.pathname}`; // a telephone drops a page it has no room for: what was marked stays

const state = {
  marks: { floors: [], watch: [], ignore: [] },
  judged: { lines: [], troubles: [], toml: "" },
  size: { width: 16, height: 9 },
  mode: "floors",
  area: 0, // of the areas not to look at, the one in work
  chosen: -1, // of the floors, the one in work
  hover: null,
};
const past = [];
let camera = { name: "", where: "", file: "" };
let held = null; // what the finger moves: a function that is told where to
let judging = null;
let language = localStorage.getItem("language") ?? (navigator.language.startsWith("en") ? "en" : "zh");

const $ = (id) => document.getElementById(id);
const say = (key, ...args) => (typeof words[language][key] === "function" ? words[language][key](...args) : words[language][key]);

// --- changes, and back -------------------------------------------------------------------------------------------

const now = () => JSON.stringify([state.marks, state.area]);

function remember() {
  if (past.at(-1) !== now()) past.push(now());
  if (past.length > MOST_UNDONE) past.shift();
}

function undo() {
  const present = now();
  while (past.length && past.at(-1) === present) past.pop();
  if (past.length) [state.marks, state.area] = JSON.parse(past.pop());
  state.chosen = -1;
  changed();
}

function change(action) {
  remember();
  action();
  changed();
}

function changed() {
  sessionStorage.setItem(KEPT, JSON.stringify(state.marks));
  $("marks").dataset.judged = "";
  show();
  judge();
}

function judge() { // one question at a time; whatever changed meanwhile is asked after it
  judging ??= (async () => {
    try {
      for (let asked = null; asked !== JSON.stringify(state.marks);) {
        asked = JSON.stringify(state.marks);
        const given = { ...state.marks, ignore: state.marks.ignore.filter((corners) => corners.length) };
        const answer = await fetch("judge", { method: "POST", body: JSON.stringify(given) });
        if (!answer.ok) throw new Error(await answer.text());
        state.judged = await answer.json();
        tell("");
        show();
      }
      $("marks").dataset.judged = "yes";
    } catch (error) {
      console.error(error);
      tell(say("lost"));
    } finally {
      judging = null;
    }
  })();
  return judging;
}

function tell(text) {
  $("link").textContent = text;
  $("link").hidden = !text;
}

// --- pointing ----------------------------------------------------------------------------------------------------

const corners = () => (state.mode === "watch" ? state.marks.watch : state.marks.ignore[state.area] ?? []);

function grab(point) {
  remember();
  if (state.mode === "floors") {
    const { floors } = state.marks;
    let at = knobAt(floors, point, state.size);
    if (at < 0) at = floors.push({ y: point.y, floor: guess(point.y) }) - 1;
    state.chosen = at;
    held = ({ y }) => { floors[at].y = y; };
  } else {
    if (state.mode === "ignore") state.marks.ignore[state.area] ??= [];
    const polygon = corners();
    let at = cornerAt(polygon, point);
    if (at < 0) at = polygon.push([point.x, point.y]) - 1;
    held = ({ x, y }) => { polygon[at] = [x, y]; };
  }
  state.hover = null;
  move(point, false);
}

function move(point, moved = true) {
  if (!held) return;
  if (moved) held(point);
  magnify($("loupe"), $("picture"), state.size, point, state.mode);
  changed();
}

function drop(byMouse) { // who has a mouse has keys: the number can be typed at once
  held = null;
  magnify($("loupe"));
  changed();
  if (state.mode === "floors" && byMouse) document.querySelector(`[data-key="floor ${state.chosen}"]`)?.focus();
}

function guess(y) { // the floor a new mark most likely is; a person has the last word
  const { floors } = state.marks;
  const { lines } = state.judged;
  if (!floors.length) return 1;
  if (!lines.length) return floors[0].floor + (y < floors[0].y ? 1 : -1);
  return lines.reduce((best, each) => (Math.abs(each[1] - y) < Math.abs(best[1] - y) ? each : best))[0];
}

function nudge(at, rows) {
  if (state.marks.floors[at]) change(() => { state.chosen = at; state.marks.floors[at].y += rows; });
}

// --- showing -----------------------------------------------------------------------------------------------------

function show() {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  document.title = $("title").textContent = say("title");
  $("language").textContent = say("other");
  $("camera").textContent = $("camera").title = camera.where;
  for (const mode of MODES) {
    $(mode).textContent = say(mode);
    $(mode).ariaPressed = String(mode === state.mode);
  }
  const { marks, judged, mode } = state;
  const count = mode === "floors" ? marks.floors.length : corners().length;
  $("how").textContent = say("how")[mode].slice(0, count + 1).at(-1);
  $("undo").textContent = `↶ ${say("undo")}`;
  $("undo").disabled = !past.some((each) => each !== now());
  $("clear").textContent = say("clear")[mode];
  $("clear").disabled = !marks[mode].length;
  $("look").textContent = say($("look").disabled ? "looking" : "look");
  $("troubles").replaceChildren(...judged.troubles.map((trouble) => make("li", trouble.level, trouble[language])));
  $("result").hidden = !judged.toml;
  $("toml").textContent = judged.toml;
  $("copy").textContent = say("copy");
  $("paste").textContent = say("paste", camera.name, camera.file);
  $("footer").textContent = say("footer", state.size.width, state.size.height);
  $("marks").ariaLabel = say("picture", camera.where);
  $("frame").style.setProperty("--shape", state.size.width / state.size.height);
  list($("rows"), state, { say, remember, change, changed, show, nudge });
  draw($("marks"), state, say);
}

// --- the rest ----------------------------------------------------------------------------------------------------

async function copy() {
  await judging;
  if (!state.judged.toml) return;
  getSelection().selectAllChildren($("toml"));
  let copied = false;
  try {
    await navigator.clipboard.writeText(state.judged.toml);
    copied = true;
  } catch { // browsers lend the clipboard to https and localhost only
    copied = document.execCommand("copy");
  }
  $("copy").textContent = say(copied ? "copied" : "picked");
}

async function look() {
  $("look").disabled = true;
  $("frame").classList.add("busy");
  show();
  try {
    const told = await (await fetch("look", { method: "POST" })).json();
    if (told.error) tell(told.error[language]);
    else await picture(told);
  } catch {
    tell(say("lost"));
  }
  $("look").disabled = false;
  $("frame").classList.remove("busy");
  show();
}

async function picture({ width, height }) {
  state.size = { width, height };
  $("picture").src = `picture.jpg?${Date.now()}`;
  await $("picture").decode();
  changed();
}

async function start() {
  show();
  camera = await (await fetch("camera.json")).json();
  state.marks = JSON.parse(sessionStorage.getItem(KEPT)) ?? camera.marks;
  await picture(camera);
}

for (const mode of MODES) $(mode).onclick = () => { state.mode = mode; state.area = Math.max(0, state.marks.ignore.length - 1); show(); };
$("undo").onclick = undo;
$("clear").onclick = () => change(() => { state.marks[state.mode] = []; state.area = 0; state.chosen = -1; });
$("look").onclick = look;
$("copy").onclick = copy;
$("language").onclick = () => {
  language = language === "zh" ? "en" : "zh";
  localStorage.setItem("language", language);
  show();
};
document.addEventListener("keydown", (event) => {
  if (event.target.tagName === "INPUT") return;
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if ((event.ctrlKey || event.metaKey) && event.key === "z") undo();
  else if (step && state.mode === "floors" && state.marks.floors[state.chosen]) nudge(state.chosen, step * (event.shiftKey ? 10 : 1));
  else return;
  event.preventDefault();
});
follow($("marks"), () => state.size, { grab, move, drop, cancel: () => { held = null; magnify($("loupe")); undo(); }, hover: (point) => { state.hover = point?.y ?? null; draw($("marks"), state, say); } });
new ResizeObserver(() => draw($("marks"), state, say)).observe($("frame"));
start().catch(() => tell(say("lost")));
