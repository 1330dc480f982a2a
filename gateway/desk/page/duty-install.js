// Over trusted HTTPS: the worker that keeps an empty page for when there is no network, what that page does, Web Push.
import { ask } from "./duty-ask.js";
import { say } from "./duty-given.js";
import { button, chip, find, toast } from "./duty-make.js";

const AGAIN_MS = 4000;

/** Have the worker kept; over plain HTTP there is none. */
export function install() {
  if (isSecureContext && navigator.serviceWorker) navigator.serviceWorker.register("/worker.js").catch(() => {});
}

/** In the empty page: say what is the matter, and open the real one as soon as it can be had. */
export function whenBack() {
  find("lost").hidden = false;
  find("lost").querySelector("p").textContent = say("live.offline");
  const look = () => ask("GET", "/api/me").then(() => location.reload(), (error) => { if (!error.later) location.reload(); });
  addEventListener("online", look);
  setInterval(look, AGAIN_MS);
}

/** Offer Web Push where there is a worker, the desk has a key and the browser a push service; else nothing is shown. */
export async function offerPush(box) {
  if (!isSecureContext || !navigator.serviceWorker || !self.PushManager) return;
  const told = await ask("GET", "/api/push/key").catch(() => null);
  if (!told?.key) return;
  const worker = await navigator.serviceWorker.ready;
  if (await worker.pushManager.getSubscription()) return void box.append(chip("good", "acknowledged", say("duty.push.on")));
  const go = button("wide", "alerts", say("duty.push"), async () => {
    try {
      const made = await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(told.key) });
      await ask("POST", "/api/push", made.toJSON());
      go.replaceWith(chip("good", "acknowledged", say("duty.push.on")));
    } catch (error) {
      toast(say("duty.push.no", { why: error.message }));
    }
  });
  box.append(go);
}

function bytes(key) {
  const text = atob(key.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(text, (each) => each.charCodeAt(0));
}
