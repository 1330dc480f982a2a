// The phone page: what the server painted comes alive here, and the views behind the bottom bar are opened.
import { me } from "./duty-given.js";
import * as list from "./duty-list.js";
import * as outbox from "./duty-outbox.js";
import * as sound from "./duty-sound.js";
import { more, reload } from "./duty-alerts.js";
import { tick } from "./duty-cards.js";
import { follow } from "./duty-live.js";
import { find } from "./duty-make.js";
import { route } from "./duty-views.js";
import { choose } from "./duty-shift.js";
import { install, whenBack } from "./duty-install.js";

document.querySelector(".language").addEventListener("click", (event) => { // where one is, one stays
  event.preventDefault();
  location.assign(`${event.currentTarget.getAttribute("href")}${location.hash}`);
});

if (!me) whenBack();
else if (!me.person) choose(find("list"));
else {
  outbox.start();
  list.start();
  sound.start();
  route();
  addEventListener("hashchange", route);
  follow(sound.mourn, outbox.drain);
  setInterval(tick, 1000);
  if (more) reload().catch(() => {}); // the stream or the next tap tells that the network is away
  install();
}
