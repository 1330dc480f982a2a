// On duty: one tap unlocks sound, keeps the screen on where a browser can, and from then on a critical alert is heard until
// somebody acknowledges it. A browser may take the sound away, for a call or a sleep: then the page asks for the tap again.
import { pick, say } from "./duty-given.js";
import { ask } from "./duty-ask.js";
import { incidents, onAlerts } from "./duty-alerts.js";
import { find, icon, make, toast } from "./duty-make.js";

const KEY = "desk duty";
const AGAIN_MS = 15000;
const SIREN = Array.from({ length: 8 }, (_, at) => [at % 2 ? 960 : 720, 0.28]);
const title = document.title;
let audio = null;
let lock = null;
let flashing = 0;
let ringing = 0;
let rings = 0;

export const isOn = () => audio !== null;
const isHeard = () => audio?.state === "running";
const before = () => { try { return localStorage.getItem(KEY) === "on"; } catch { return false; } };
const remember = (on) => { try { localStorage.setItem(KEY, on ? "on" : ""); } catch { /* a private window */ } };

export function start() {
  show();
  find("start").addEventListener("click", begin);
  onAlerts((alert, known) => { if (alert && isNews(alert, known)) ring(alert); });
  addEventListener("pointerdown", calm);
  document.addEventListener("visibilitychange", () => { if (!document.hidden && isOn()) { audio.resume(); stayAwake(); } });
}

/** Whether an alert is one that people must hear of at once. */
export const isNews = (alert, known) => alert.state === "raised" && alert.rank === 3 && !(known && known.state === "raised" && known.rank === 3);

/** Begin duty: must be called by a tap. */
export async function begin() {
  if (!audio) {
    audio = new (window.AudioContext ?? window.webkitAudioContext)();
    audio.addEventListener("statechange", show);
  }
  audio.resume();
  play([[660, 0.12], [880, 0.18]], 0.25);
  navigator.vibrate?.(80);
  const first = !before();
  remember(true);
  show();
  stayAwake();
  keepRinging();
  if (first) await ask("POST", "/api/me/duty", { on: true }).catch((error) => toast(error.message));
}

/** End duty: no sound any more. */
export async function end() {
  await ask("POST", "/api/me/duty", { on: false });
  remember(false);
  clearInterval(ringing);
  audio?.close();
  lock?.release();
  audio = lock = null;
  show();
}

function show() {
  find("start").querySelector("b").textContent = say(before() ? "duty.again" : "duty.start");
  find("start").hidden = isHeard();
  find("on-duty")?.remove();
  if (isHeard()) find("list").prepend(make("p.on-duty", { id: "on-duty" }, icon("sound"), make("b", {}, say("duty.on"))));
}

async function stayAwake() { // over HTTPS only; asked for anew whenever the page is seen again
  lock = await navigator.wakeLock?.request("screen").catch(() => null) ?? null;
}

export const staysAwake = () => Boolean(navigator.wakeLock);

/** Make an alert heard and seen: a siren for lives, a bell for the rest, and the title of the page. */
export function ring(alert) {
  flash(alert);
  if (!isOn()) return;
  audio.resume();
  navigator.vibrate?.(alert.vital ? [500, 150, 500, 150, 900] : [300, 150, 300]);
  if (alert.vital) play(SIREN, 0.8, "square");
  else play([[880, 0.18], [660, 0.18], [880, 0.3]], 0.5);
  rings += 1;
  document.documentElement.dataset.rings = rings;
  keepRinging();
}

function keepRinging() { // who sleeps, or stands in the next room, misses one siren
  clearInterval(ringing);
  ringing = setInterval(() => {
    const waiting = incidents().flatMap((each) => each.waiting).filter((each) => each.rank === 3);
    if (waiting.length) ring(waiting.find((each) => each.vital) ?? waiting[0]);
    else clearInterval(ringing);
  }, AGAIN_MS);
}

/** Let the siren be heard, so that somebody knows it. */
export const test = () => play(SIREN, 0.8, "square");

/** Say by two low notes that the page is cut off. */
export function mourn() {
  if (isOn()) play([[330, 0.3], [220, 0.5]], 0.5);
}

function play(notes, loud, type = "triangle") {
  let at = audio.currentTime;
  for (const [pitch, long] of notes) {
    const voice = audio.createOscillator();
    const gain = audio.createGain();
    voice.type = type;
    voice.frequency.value = pitch;
    gain.gain.setValueAtTime(loud, at);
    gain.gain.setTargetAtTime(0, at + long * 0.8, 0.03);
    voice.connect(gain).connect(audio.destination);
    voice.start(at);
    voice.stop(at + long);
    at += long;
  }
}

function flash(alert) {
  clearInterval(flashing);
  const text = `‼ ${pick(alert.what)}`;
  document.title = text;
  flashing = setInterval(() => { document.title = document.title === title ? text : title; }, 1000);
}

function calm() {
  clearInterval(flashing);
  document.title = title;
}
