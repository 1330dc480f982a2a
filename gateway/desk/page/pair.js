// Let this phone in: the word in the address's fragment is used once and gone from the address before anything else.
import { say } from "./duty-given.js";
import { ask } from "./duty-ask.js";
import { find } from "./duty-make.js";

const IN_APP = /MicroMessenger|DingTalk|Lark|Feishu|QQ\//i;
const token = decodeURIComponent(location.hash.slice(1));
const inApp = IN_APP.test(navigator.userAgent);

async function pair() {
  history.replaceState(null, "", "/pair");
  find("inapp").hidden = find("how").hidden = true;
  tell(say("pair.working"));
  try {
    await ask("POST", "/api/pair", { token, label: phone() });
    tell(say("pair.done"));
    location.replace("/");
  } catch (error) {
    tell(`${say("pair.failed")} · ${error.message}`);
    find("how").hidden = false;
  }
}

function tell(text) {
  find("state").textContent = text;
  find("state").hidden = false;
}

/** Say what phone this is, as far as it tells: for the list in which it can be put out again. */
function phone() {
  const found = /\(([^)]*)\)/.exec(navigator.userAgent)?.[1] ?? "";
  const model = /;\s*([^;]+?)(?:\s+Build\/[^;]*)?$/.exec(found)?.[1] ?? found.split(";")[0];
  return `${model}${inApp ? " WeChat" : ""}`.replace(/[\x00-\x1f\x7f]/g, "").slice(0, 60);
}

if (inApp) find("inapp").hidden = false; // the fragment stays for the browser that is opened from here
if (token && inApp) find("here").hidden = false;
else if (token) pair();
find("here").addEventListener("click", pair);
