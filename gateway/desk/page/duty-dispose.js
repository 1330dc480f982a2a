// Sheets over an alert: how it ended (real, false or test, with note and photo), to whom it goes, a note.
import { makeId, say } from "./duty-given.js";
import { step } from "./duty-steps.js";
import { button, complain, make, note, sheet } from "./duty-make.js";
import { photoField } from "./duty-photo.js";

const VERDICTS = { real: "critical", false: "false_alarm", test: "device" };

/** Make a row of choices, of which one is pressed. Returns {element, chosen()}. */
export function choices(legend, options) {
  let chosen = null;
  const made = Object.entries(options).map(([value, [sign, text]]) => {
    const each = button("", sign, text, () => {
      chosen = value;
      for (const other of made) other.ariaPressed = String(other === each);
    });
    each.ariaPressed = "false";
    each.dataset.choice = value;
    return each;
  });
  return { element: make("fieldset.choices", {}, make("legend", {}, legend), made), chosen: () => chosen };
}

export const field = (text, input) => make("label", {}, text, input);

/** Make a button that does one thing at a time and says beside it what went wrong. */
export function sender(text, sign, act) {
  const trouble = make("p.trouble", { role: "alert" });
  const go = button("go.wide", sign, text, async () => {
    go.disabled = true;
    trouble.textContent = "";
    try {
      complain(trouble, (await act()) ?? "");
    } catch (error) {
      complain(trouble, say(trouble.isConnected ? "dispose.failed" : "dispose.lost", { what: text, why: error.message }));
    }
    go.disabled = false;
  });
  return [trouble, go];
}

/** Close an alert: what it was, why, a note, photos. The same try keeps its id, so that it happens once. */
export function dispose(alert) {
  let id = makeId();
  sheet(say("dispose.title"), (close) => {
    const verdict = choices(say("dispose.what"), Object.fromEntries(Object.entries(VERDICTS).map(([each, sign]) => [each, [sign, say(`verdict.${each}`)]])));
    const cause = make("input", { name: "cause", maxLength: 100, autocomplete: "off" });
    const text = make("textarea", { name: "note", maxLength: 2000, rows: 3 });
    const photos = photoField();
    const act = async () => {
      if (!verdict.chosen()) return say("dispose.choose");
      const photo = await photos.send();
      const found = { verdict: verdict.chosen(), cause: cause.value.trim(), note: text.value.trim(), photos: photo };
      const told = await step(alert, "resolve", found, id);
      id = makeId();
      if (!told) close();
      return told;
    };
    return [verdict.element, field(say("dispose.cause"), cause), field(say("dispose.note"), text), photos.element,
      ...sender(say("dispose.done"), "resolved", act), button("wide", "", say("cancel"), close)];
  });
}

/** Say who sees to an alert. */
export function assign(alert, people) {
  sheet(say("assign.title"), (close) => {
    const trouble = make("p.trouble", { role: "alert" });
    const to = (person) => step(alert, "assign", { to: person }).then((told) => { complain(trouble, told); if (!told) close(); }, (error) => complain(trouble, error.message));
    const names = (people ?? []).map((person) => button("wide", "duty", person, () => to(person)));
    return [...(names.length ? names : [note(say(people ? "assign.none" : "loading"))]), trouble, button("wide", "", say("cancel"), close)];
  });
}

/** Write something to an alert, with photos if there are any. */
export function remark(alert) {
  const id = makeId();
  sheet(say("note.title"), (close) => {
    const text = make("textarea", { name: "note", maxLength: 2000, rows: 4 });
    const photos = photoField();
    const act = async () => {
      const sums = await photos.send();
      if (!text.value.trim() && !sums.length) return say("note.empty");
      await step(alert, "note", { version: undefined, note: text.value.trim(), photos: sums }, id);
      close();
      return "";
    };
    return [field(say("dispose.note"), text), photos.element, ...sender(say("note.done"), "report", act), button("wide", "", say("cancel"), close)];
  });
}
