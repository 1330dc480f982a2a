// The board in a browser: first everything, then each change as it comes; says so when nothing comes any more.
const words = {
  zh: {
    title: "小区告警", other: "English", empty: "一切正常，没有告警", critical: "紧急", major: "重要", minor: "次要", info: "提示",
    online: "网关在线", offline: "网关离线", lost: "与本页的连接断开，显示的可能不是最新情况", over: "已恢复", acked: "已确认",
    open: "待处理", cleared: "已恢复，待确认", ago: (n) => n + "前", s: "秒", min: "分钟", h: "小时", times: (n) => n + " 次",
    still: (text) => `${text}：现场截图，点开看大图`,
    footer: (r, d) => `收到 ${r} 条消息，重复 ${d} 条。本系统不是认证的消防设备，不能作为火灾报警的唯一途径。`,
  },
  en: {
    title: "Compound alerts", other: "中文", empty: "All quiet, no alerts", critical: "critical", major: "major", minor: "minor", info: "info",
    online: "gateway online", offline: "gateway offline", lost: "This page has lost its connection; what it shows may be old", over: "over",
    acked: "acknowledged", open: "to be seen to", cleared: "cleared, not yet acknowledged", ago: (n) => n + " ago", s: " s", min: " min", h: " h",
    times: (n) => n + " times",
    still: (text) => `${text}: what the camera saw; opens full size`,
    footer: (r, d) => `${r} messages received, ${d} duplicates dropped. Not a certified fire system; never the only path of a fire alarm.`,
  },
};
const icons = { // one shape a severity, so that colour is not alone in saying it
  critical: "M12 2 22 12 12 22 2 12Z M12 7v6 M12 16v1",
  major: "M12 3 22 20H2Z M12 9v5 M12 16.5v1",
  minor: "M3 12a9 9 0 1 0 18 0a9 9 0 1 0-18 0 M12 7v6 M12 16v1",
  info: "M4 4h16v16H4Z M12 11v6 M12 7v1",
};
const severities = Object.keys(icons);
const alerts = new Map();
const gateways = new Map();
const pictures = new Set(); // sums of the stills that can be fetched
const photos = new Map(); // their elements by sum: made once, so that a redraw fetches nothing anew
let counts = { received: 0, duplicates: 0 };
let language = localStorage.getItem("language") ?? (navigator.language.startsWith("en") ? "en" : "zh");
let heardAt = Date.now();

const $ = (id) => document.getElementById(id);
const say = (key, ...args) => (typeof words[language][key] === "function" ? words[language][key](...args) : words[language][key]);

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

function icon(severity) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  for (const [name, value] of Object.entries({ d: icons[severity], fill: "none", stroke: "currentColor", "stroke-width": 2, "stroke-linejoin": "round", "stroke-linecap": "round" })) path.setAttribute(name, value);
  svg.append(path);
  return svg;
}

function age(event) {
  const seconds = Math.max(0, Math.round((Date.now() - Date.parse(event.data.first_seen)) / 1000));
  const [count, unit] = seconds < 60 ? [seconds, "s"] : seconds < 3600 ? [Math.floor(seconds / 60), "min"] : [Math.floor(seconds / 3600), "h"];
  return say("ago", count + say(unit));
}

function stateOf(event) {
  const acked = event.data.state?.includes("acked") && !event.data.state.includes("unacked");
  if (event.type.endsWith(".cleared")) return event.data.state === "over" || acked ? "over" : "cleared";
  return acked || event.type.endsWith(".acknowledged") ? "acked" : "open";
}

function card(event, fresh) {
  const { severity, text, kind, count, value, unit, evidence } = event.data;
  const state = stateOf(event);
  const item = make("li", `${severity}${state === "over" ? " over" : ""}${fresh ? " fresh" : ""}`);
  item.lang = language === "zh" ? "zh-CN" : "en";
  const facts = make("div", "facts");
  facts.append(make("b", "", say(severity)), ` · ${say(state)} · ${kind}`);
  if (typeof value === "number" && unit) facts.append(` · ${Math.round(value * 10) / 10} ${unit}`);
  if (count > 1) facts.append(` · ${say("times", count)}`);
  item.append(icon(severity), make("div", "text", text[language]), make("time", "age", age(event)), facts);
  item.append(...(evidence || []).filter((sum) => pictures.has(sum)).slice(0, 6).map((sum) => photo(sum, text[language])));
  return item;
}

function photo(sum, text) {
  let link = photos.get(sum);
  if (!link) {
    link = make("a", "photo");
    link.href = `evidence/${sum}`;
    link.target = "_blank";
    link.rel = "noopener";
    const image = make("img");
    image.onerror = () => { pictures.delete(sum); photos.delete(sum); link.remove(); };
    image.src = link.href;
    link.append(image);
    photos.set(sum, link);
  }
  link.firstChild.alt = say("still", text);
  return link;
}

function byNeed(a, b) { // what somebody must see to comes first, the worst of it on top, then the newest
  const states = ["open", "acked", "cleared", "over"];
  return states.indexOf(stateOf(a)) - states.indexOf(stateOf(b))
    || severities.indexOf(a.data.severity) - severities.indexOf(b.data.severity)
    || Date.parse(b.time) - Date.parse(a.time);
}

function draw(freshSubject) {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  document.title = $("title").textContent = say("title");
  $("language").textContent = say("other");
  const listed = [...alerts.values()].sort(byNeed);
  const open = listed.filter((event) => stateOf(event) !== "over");
  $("alerts").replaceChildren(...listed.map((event) => card(event, event.subject === freshSubject)));
  $("empty").textContent = listed.length ? "" : say("empty");
  $("counts").replaceChildren(...severities.map((severity) => {
    const cell = make("span", severity, say(severity));
    cell.prepend(make("strong", "", open.filter((event) => event.data.severity === severity).length));
    return cell;
  }));
  const states = [...gateways.values()];
  const word = states.includes("offline") ? "offline" : "online";
  $("gateway").textContent = states.length ? say(word) : "…";
  $("gateway").className = `chip ${states.length ? word : ""}`;
  $("footer").textContent = say("footer", counts.received, counts.duplicates);
  supervise();
}

function supervise() { // a silent dead page is the worst failure
  $("link").hidden = Date.now() - heardAt < 12000;
  $("link").textContent = say("lost");
}

async function load() {
  const page = await (await fetch("alerts.json")).json();
  alerts.clear();
  for (const event of page.alerts) alerts.set(event.subject, event);
  for (const sum of page.pictures) pictures.add(sum);
  for (const [name, state] of Object.entries(page.gateways)) gateways.set(name, state);
  counts = page;
  draw();
}

function take(message) {
  if (message.gateway) gateways.set(message.gateway, message.availability);
  if (message.picture) pictures.add(message.picture);
  if (message.alert) {
    alerts.set(message.alert.subject, message.alert);
    counts.received += 1;
  }
  draw(message.alert?.subject);
}

function follow() {
  const source = new EventSource("events");
  source.onopen = () => { heardAt = Date.now(); load(); };
  source.onmessage = (event) => { heardAt = Date.now(); take(JSON.parse(event.data)); };
  source.addEventListener("beat", () => { heardAt = Date.now(); supervise(); });
}

$("language").addEventListener("click", () => {
  language = language === "zh" ? "en" : "zh";
  localStorage.setItem("language", language);
  draw();
});
setInterval(() => draw(), 5000);
follow();
