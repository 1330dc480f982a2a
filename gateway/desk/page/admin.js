// People, phones and devices: what is asked for here, and its answer shown.
import { clock, say } from "./duty-given.js";
import { ask } from "./duty-ask.js";
import { find, make, sheet } from "./duty-make.js";
import { tryLedger } from "./admin-ledger.js";

function told(error) {
  sheet(error.message, (close) => [make("button", { type: "button", onclick: close }, say("close"))]);
}

async function offer(wanted, whose) {
  try {
    const code = await ask("POST", "/api/pairings", wanted);
    sheet(say("qr.title"), (close) => [
      make("img.qr", { src: `data:image/svg+xml,${encodeURIComponent(drawn(code.qr))}`, alt: code.url, width: 320, height: 320 }),
      make("p", {}, make("b", {}, whose), ` · ${say("qr.until", { time: clock(code.until) })}`),
      make("p", {}, make("small", {}, code.url)),
      make("button.go", { type: "button", onclick: close }, say("close")),
    ]);
  } catch (error) {
    told(error);
  }
}

/** Return a drawing that stands on its own in an image. */
const drawn = (svg) => (svg.includes("xmlns=") ? svg : svg.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"'));

function remove(button) {
  sheet(say("phones.sure", { label: button.dataset.label }), (close) => [
    make("button.danger", { type: "button", onclick: async () => {
      close();
      try {
        await ask("DELETE", `/api/phones/${encodeURIComponent(button.dataset.remove)}`);
        const row = button.closest("tr");
        row.classList.add("gone");
        button.replaceWith(make("small", {}, say("phones.gone")));
      } catch (error) {
        told(error);
      }
    } }, say("phones.yes")),
    make("button", { type: "button", onclick: close }, say("cancel")),
  ]);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.pair) offer({ person: button.dataset.pair }, say("qr.for", { who: button.dataset.pair }));
  if (button?.dataset.remove) remove(button);
});
find("shared")?.addEventListener("submit", (event) => {
  event.preventDefault();
  const form = new FormData(event.target);
  offer({ label: form.get("label"), place: JSON.parse(form.get("place")) }, `${say("qr.shared")} ${form.get("label")}`);
});
find("ledger")?.addEventListener("submit", (event) => {
  event.preventDefault();
  tryLedger(event.target.elements.file.files[0], find("answer"));
});
