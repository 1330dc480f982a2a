// What happened to an alert, in words: what its sensor said, what people did, whom the desk told.
import { clock, pick, say } from "./duty-given.js";
import { hasIcon, icon, make } from "./duty-make.js";

const SIGNS = { acknowledge: "acknowledged", assign: "assigned", arrive: "on_site", resolve: "resolved", false_alarm: "false_alarm", reopen: "raised", note: "report" };

/** Return the timeline, the newest first. */
export function timeline(lines) {
  return make("ol.timeline", {}, [...lines].reverse().map((each) => {
    const { text, more, sign, bad } = said(each);
    const small = [clock(each.at), ...more].filter(Boolean).join(" · ");
    return make(bad ? "li.bad" : "li", {}, icon(hasIcon(sign) ? sign : "info"), make("b", {}, text), make("small", {}, small));
  }));
}

function said(each) {
  if (each.what === "sensor") return sensor(each);
  if (each.what === "page") return page(each);
  return step(each);
}

function sensor({ step: change, detail }) {
  const reading = detail.value === undefined || detail.value === true || detail.value === 1 ? "" : say("time.value", { value: `${detail.value} ${detail.unit ?? ""}`.trim() });
  const by = change === "acknowledged" ? detail.by : "";
  return { text: pick(detail.text) || say(`time.${change}`), more: [detail.text && say(`time.${change}`), reading, by, detail.note], sign: change === "cleared" ? "cleared" : "active", bad: change === "raised" };
}

function page({ who, step: name, detail }) {
  if (name.startsWith("page ")) {
    const people = detail.people ?? [];
    if (!people.length) return { text: say("time.nobody"), more: [], sign: "critical", bad: true };
    return { text: say("time.page", { people: people.join(say("comma")) }), more: [], sign: "alerts" };
  }
  if (name === "not delivered") return { text: say("time.failed", { who: detail.person, why: detail.answer }), more: [], sign: "critical", bad: true };
  return { text: say("time.other", { who, step: name }), more: [], sign: "info" };
}

function step({ who, step: name, outcome, detail }) {
  const known = name in SIGNS;
  const line = known ? say(`time.${name}`, { who, to: detail.to }) : say("time.other", { who, step: name });
  const [verdict, rest = ""] = (detail.cause ?? "").split(": ");
  const cause = ["real", "false", "test"].includes(verdict) ? [say(`verdict.${verdict}`), rest] : [detail.cause];
  return { text: outcome === "done" ? line : say("time.refused", { line }), more: [...cause, detail.note, detail.phone], sign: SIGNS[name] };
}
