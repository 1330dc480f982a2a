// What people do about alerts: an acknowledgement goes out at once, or as soon as there is a network; five seconds to undo.
import { clock, makeId, say } from "./duty-given.js";
import { ask } from "./duty-ask.js";
import { alertOf, upsert } from "./duty-alerts.js";
import { isOnHand, put, take } from "./duty-outbox.js";
import { toast } from "./duty-make.js";

const UNDO_S = 5;
const stepsOf = (alert) => `/api/alerts/${alert.split("/").map(encodeURIComponent).join("/")}/steps`;

/** Acknowledge an alert in one tap. */
export function acknowledge(alert) {
  const said = (answer, error) => {
    if (answer) upsert(answer.alert);
    if (answer?.outcome === "already") return toast(already(answer.alert));
    if (error && !error.later) toast(error.message);
    if (error?.later) toast(say("told.queued"), [say("act.cancel"), () => cancel(item)], UNDO_S);
  };
  const item = put(stepsOf(alert), { step: "acknowledge" }, [alert], { said });
  toast(say("told.acknowledged"), [say("act.undo"), () => undo(item)], UNDO_S);
}

/** Acknowledge the alerts of an incident that somebody has looked at. */
export function acknowledgeThese(alerts) {
  const said = (answer, error) => {
    if (answer) toast(say("told.these", { n: answer.done }));
    else if (error.later) toast(say("told.queued"), [say("act.cancel"), () => cancel(item)], UNDO_S);
    else toast(error.message);
  };
  const item = put("/api/incidents/acknowledge", { alerts }, alerts, { said });
}

/** Take an acknowledgement back: out of the queue while it lies there, else by a step of its own behind it. */
function undo(item) {
  if (isOnHand(item)) return cancel(item);
  take(item);
  return put(stepsOf(item.alerts[0]), { step: "undo" }, item.alerts, {
    quiet: true,
    said: (answer, error) => {
      if (answer) upsert(answer.alert);
      toast(answer ? say("told.undone") : error.later ? error.message : say("told.late"));
    },
  });
}

/** Take something out of the queue; what may have arrived after all is taken back where it arrived. */
export function cancel(item) {
  const mayHaveArrived = take(item);
  toast(say("told.cancelled"));
  if (!mayHaveArrived || item.body.step !== "acknowledge") return;
  put(stepsOf(item.alerts[0]), { step: "undo" }, item.alerts, { quiet: true, said: (answer) => { if (answer) upsert(answer.alert); } });
}

const already = (alert) =>
  say("told.already", { who: alert.acknowledged_by ?? alert.closed_by, time: clock(alert.acknowledged_at ?? alert.closed_at ?? 0) });

/** Make a step that needs an answer now. Returns what is to be told if somebody was faster, "" if it is done; raises NoAnswer. */
export async function step(alert, name, more = {}, id = makeId()) {
  const answer = await ask("POST", stepsOf(alert), { id, step: name, version: alertOf(alert)?.version, ...more });
  upsert(answer.alert);
  if (answer.outcome === "done" || (answer.outcome === "already" && name !== "resolve")) return "";
  return say(answer.outcome === "refused" ? "told.refused" : "told.changed");
}
