// Dialogs: opened over the page, closed with Escape, and the focus goes back to where it was.

import { fresh, h } from "./dom.js";
import { form } from "./form.js";

/** Shows what `content(close)` makes; resolves with what `close` was called with, undefined for Escape. */
export function dialog(title, content) {
  const opener = document.activeElement;
  const id = fresh("dialog");
  return new Promise((done) => {
    let result;
    const close = (value) => {
      result = value;
      box.close();
    };
    const inner = content(close);
    const box = h("dialog", { "aria-labelledby": id }, h("h2", { id }, title), inner.element ?? inner);
    box.addEventListener("close", () => {
      box.remove();
      giveBack(opener);
      done(result);
    });
    document.body.append(box);
    box.showModal();
    inner.focus?.();
  });
}

/** A list may have been drawn anew meanwhile: then the button with the same key is the one. */
function giveBack(opener) {
  const key = opener?.dataset?.key;
  const again = key ? document.querySelector(`[data-key="${CSS.escape(key)}"]`) : null;
  const target = opener?.isConnected && opener !== document.body ? opener : again ?? document.querySelector("main h1");
  target?.focus();
}

/** Asks before something is done; problems of doing it show in the dialog. True when it was done. */
export async function confirmed({ title, text, action, danger = false, work }) {
  return (await dialog(title, (close) => form({
    intro: text,
    fields: [],
    submit: action,
    danger,
    cancel: () => close(false),
    async onSubmit() {
      await work();
      close(true);
    },
  }))) === true;
}

/** Shows something that is shown once; it stays until it is put away. */
export function shown(title, ...content) {
  return dialog(title, (close) => {
    const done = h("button", { type: "button", class: "primary", on: { click: () => close(true) } }, "Done");
    return h("div", {}, ...content, h("p", { class: "actions" }, done));
  });
}
