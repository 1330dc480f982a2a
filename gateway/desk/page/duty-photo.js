// Photos from the phone: made small before they are sent, for a network that has little to give.
import { say } from "./duty-given.js";
import { ask } from "./duty-ask.js";
import { icon, make, toast } from "./duty-make.js";

const LONGEST = 1600;
const QUALITY = 0.82;
const MOST = 10;

/** Return a picture as JPEG of at most 1600 pixels a side, turned as it was held, without what the camera wrote into it. */
export async function small(file) {
  const picture = await decoded(file);
  const scale = Math.min(1, LONGEST / Math.max(picture.width, picture.height));
  const canvas = make("canvas", { width: Math.round(picture.width * scale), height: Math.round(picture.height * scale) });
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
  if (!blob) throw new Error("no picture");
  return blob;
}

async function decoded(file) {
  const picture = new Image();
  picture.src = URL.createObjectURL(file);
  try {
    await picture.decode();
  } finally {
    URL.revokeObjectURL(picture.src);
  }
  return picture;
}

/** Return a field for photos: {element, send}; `send()` puts those there are on the desk and returns their sums. */
export function photoField() {
  const taken = [];
  const shown = make("div.photos");
  const input = make("input", { type: "file", accept: "image/*", ariaLabel: say("dispose.photo") });
  input.setAttribute("capture", "environment");
  const element = make("div", {}, shown, make("div.button.wide.file", {}, icon("camera"), make("b", {}, say("dispose.photo")), input));
  input.onchange = async () => {
    const [file] = input.files;
    input.value = "";
    if (!file || taken.length >= MOST) return;
    try {
      taken.push({ blob: await small(file), sha256: null });
    } catch { // no picture, or one this browser cannot read
      toast(say("dispose.toobig"));
    }
    paint();
  };
  const paint = () => shown.replaceChildren(...taken.map((each, at) => {
    const src = URL.createObjectURL(each.blob);
    const picture = make("img", { src, alt: "", onload: () => URL.revokeObjectURL(src) });
    const drop = () => { taken.splice(at, 1); paint(); };
    return make("button", { type: "button", ariaLabel: say("dispose.remove", { n: at + 1 }), onclick: drop }, picture, make("span", { ariaHidden: "true" }, "×"));
  }));
  const send = async () => {
    for (const each of taken) each.sha256 ??= (await ask("PUT", "/api/files", each.blob)).sha256;
    return taken.map((each) => each.sha256);
  };
  return { element, send };
}
