// A ledger tried first, and then put in: a table of what changes, or of what is to be mended.
import { pick, say } from "./duty-given.js";
import { ask } from "./duty-ask.js";
import { make } from "./duty-make.js";


/** Ask what a file would change, and show it with the button that does it. */
export async function tryLedger(file, box) {
  const content = new Blob([await file.arrayBuffer()], { type: "application/octet-stream" }); // as it is now
  await send(content, true, box);
}

async function send(content, dry, box) {
  box.replaceChildren(make("p.note", {}, say("loading")));
  try {
    const told = await ask("POST", `/api/devices/import${dry ? "?dry=1" : ""}`, content);
    box.replaceChildren(...(told.faults.length ? faults(told) : told.done ? done(told) : changes(told, () => send(content, false, box))));
  } catch (error) {
    box.replaceChildren(make("p.bad", {}, error.message));
  }
}

const done = (told) => [make("p.done", {}, make("strong", {}, say("ledger.done", told)))];

function faults(told) {
  const rows = told.faults.map((each) => [each.row ?? say("col.file"), each.column, pick(each.found), [pick(each.wanted), pick(each.hint)].filter(Boolean).join(" · ")]);
  return [make("p.bad", {}, make("strong", {}, say("ledger.faults", { n: told.faults.length }))), table(["row", "column", "found", "wanted"], rows)];
}

function changes(told, act) {
  const count = told.new + told.changed;
  if (!count) return [make("p", {}, say("ledger.nothing"))];
  const rows = told.changes.flatMap((each) => (each.changes.length ? each.changes : [{ column: "", before: "", after: "" }]).map((change, at) => [
    at ? "" : each.row, at ? "" : [each.asset, each.is_new ? make("small", {}, ` ${say("ledger.new")}`) : null],
    change.column && say(`c.${change.column}`), change.before || "–", change.after || "–",
  ]));
  return [
    make("p", {}, make("strong", {}, say("ledger.would", told))),
    table(["row", "device", "column", "before", "after"], rows),
    told.changes.length < count ? make("p.note", {}, say("ledger.cut", { n: told.changes.length })) : "",
    make("button.go", { type: "button", onclick: act }, say("ledger.do", { n: count })),
  ];
}

function table(heads, rows) {
  return make("table", {},
    make("thead", {}, make("tr", {}, heads.map((each) => make("th", { scope: "col" }, say(`col.${each}`))))),
    make("tbody", {}, rows.map((row) => make("tr", {}, row.map((cell) => make("td", {}, ...[cell].flat().filter((each) => each !== null).map((each) => (each instanceof Node ? each : String(each)))))))));
}
