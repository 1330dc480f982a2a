// Small plots as drawings: no library, words and figures in them, so that colour alone says nothing.
import { say } from "./duty-given.js";
import { draw, make } from "./duty-make.js";

const SEVERITIES = ["critical", "major", "minor", "info"];

/** Draw alerts a day as stacked bars; `days` as the statistics tell them. */
export function bars(days) {
  const width = 420, height = 165, low = 24, high = 20, left = 30;
  const most = nice(Math.max(4, ...days.map((each) => each.total)));
  const y = (value) => height - low - (value / most) * (height - low - high);
  const slot = (width - left) / days.length;
  const parts = [];
  for (const value of [0, most / 2, most]) {
    parts.push(draw("line", { class: "grid", x1: left, x2: width, y1: y(value), y2: y(value) }));
    parts.push(words(left - 6, y(value) + 5, "end", Number.isInteger(value) ? value : value.toFixed(1)));
  }
  days.forEach((day, at) => {
    let sum = 0;
    const x = left + at * slot + slot * 0.16;
    for (const severity of [...SEVERITIES].reverse()) {
      const count = day.severities[severity] ?? 0;
      if (!count) continue;
      parts.push(draw("rect", { class: `bar ${severity}`, x, y: y(sum + count), width: slot * 0.68, height: y(sum) - y(sum + count) }));
      sum += count;
    }
    if (sum) parts.push(words(x + slot * 0.34, y(sum) - 5, "middle", sum, "value"));
    const last = at === days.length - 1;
    if (last || (days.length - 1 - at) % 4 === 0) parts.push(words(x + slot * 0.34, height - 5, "middle", last ? say("trend.today") : day.day.slice(5).replace("-", "/")));
  });
  const told = days.map((each) => `${each.day}: ${each.total}`).join(", ");
  const legend = make("p.legend", {}, SEVERITIES.filter((each) => days.some((day) => day.severities[each])).map((each) => make("span", {}, make(`i.${each}`), say(`severity.${each}`))));
  return [plot(width, height, told, parts), legend];
}

/** Draw how long things took: a bar to the median, a line to the 95th of a hundred, on a scale of times ten. */
export function spans(rows) {
  const width = 420, line = 48, left = 118, right = 62;
  const height = rows.length * line + 4;
  const longest = Math.max(60, ...rows.map((each) => each.p95));
  const x = (seconds) => left + (Math.log10(1 + seconds) / Math.log10(1 + longest)) * (width - left - right);
  const parts = rows.flatMap((row, at) => {
    const middle = at * line + line / 2;
    return [
      words(left - 12, middle + 6, "end", row.name, "label"),
      draw("line", { class: "range", x1: left, x2: x(row.p95), y1: middle, y2: middle }),
      draw("line", { class: "range", x1: x(row.p95), x2: x(row.p95), y1: middle - 8, y2: middle + 8 }),
      draw("rect", { class: "median", x: left, y: middle - 9, width: Math.max(2, x(row.median) - left), height: 18, rx: 3 }),
      words(x(row.p95) + 8, middle + 6, "start", took(row.p95)),
      words(left + 8, middle - 13, "start", took(row.median), "value"),
    ];
  });
  return plot(width, height, rows.map((row) => `${row.name}: ${took(row.median)}, ${took(row.p95)}`).join("; "), parts);
}

/** Draw shares as bars of one length, filled as far as they go. */
export function shares(rows) {
  const width = 420, line = 31, left = 124, right = 56;
  const parts = rows.flatMap((row, at) => {
    const top = at * line + 6, full = width - left - right;
    return [
      words(left - 12, top + 16, "end", row.name, "label"),
      draw("rect", { class: "track", x: left, y: top, width: full, height: 20, rx: 4 }),
      draw("rect", { class: "share", x: left, y: top, width: full * row.share, height: 20, rx: 4 }),
      words(left + full + 10, top + 17, "start", say("false.share", { n: Math.round(row.share * 100) }), "value"),
    ];
  });
  return plot(width, rows.length * line + 4, rows.map((row) => `${row.name}: ${Math.round(row.share * 100)} %`).join("; "), parts);
}

/** Return seconds as people say them. */
export function took(seconds) {
  if (seconds < 90) return say("speed.seconds", { n: Math.round(seconds) });
  if (seconds < 5400) return say("speed.minutes", { n: Math.round(seconds / 60) });
  return say("speed.hours", { n: (seconds / 3600).toFixed(1) });
}

function plot(width, height, told, parts) {
  return draw("svg", { class: "plot", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": told }, ...parts);
}

function words(x, y, anchor, text, kind = "") {
  return draw("text", { x, y, "text-anchor": anchor, class: kind }, String(text));
}

function nice(value) {
  const step = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 6, 8, 10].map((each) => each * step).find((each) => each >= value);
}
