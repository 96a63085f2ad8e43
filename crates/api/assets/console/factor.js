// The second factor: enabling it with an app, recovery codes, removing it.

import { announce, button, copyButton, fill, h } from "./dom.js";
import { dialog, shown } from "./dialog.js";
import { form } from "./form.js";
import { get, post } from "./api.js";
import { moment } from "./format.js";
import { Problem } from "./http.js";

/** The part of the account page about it. */
export async function factorPart(status) {
  const place = h("div", {});
  const part = h("section", { "aria-labelledby": "factor" }, h("h2", { id: "factor", tabindex: "-1" }, "Second factor"), place);
  const redraw = async () => fill(place, content(await get("/auth/mfa"), redraw));
  fill(place, content(status, redraw));
  return part;
}

/** Runs a step; what it is refused shows beside the buttons. */
function acting(work, redraw) {
  return async (event) => {
    try {
      if (await work()) {
        await redraw();
        document.getElementById("factor").focus();
      }
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      const box = event.target.closest("section").querySelector("[role=alert]");
      if (box) fill(box, error.message);
    }
  };
}

function content(status, redraw) {
  const problem = h("p", { class: "error", role: "alert" });
  if (!status.enabled) {
    return [
      h("p", {}, "Off. With it, signing in asks for a code of an authenticator app on your phone as well."),
      problem,
      h("p", { class: "actions" }, button("Set up", acting(enrol, redraw), { class: "primary" })),
    ];
  }
  return [
    h("p", {}, "On since ", moment(status.confirmed_at), `. Recovery codes left: ${status.recovery_codes_left}.`),
    problem,
    h("p", { class: "actions" },
      button("New recovery codes", acting(renewCodes, redraw)),
      button("Turn off", acting(disable, redraw), { class: "danger" })),
  ];
}

async function enrol() {
  const made = await post("/auth/mfa/enroll");
  // A picture runs no script, whatever it holds.
  const qr = h("img", { class: "qr", alt: "QR code for your authenticator app", width: 240, height: 240, src: `data:image/svg+xml,${encodeURIComponent(made.qr_svg)}` });
  const codes = await dialog("Set up the second factor", (close) => {
    const confirm = form({
      fields: [{ name: "code", label: "Code of the app", autocomplete: "one-time-code", inputmode: "numeric", required: true }],
      submit: "Turn on",
      cancel: () => close(null),
      onSubmit: async (values) => close((await post("/auth/mfa/confirm", values)).recovery_codes),
    });
    const element = h("div", {},
      h("p", {}, "Scan this with an authenticator app, or type the secret into it. Then enter the code it shows."),
      qr,
      h("p", { class: "secret" }, h("code", {}, made.secret), copyButton(made.secret)),
      confirm.element);
    return { element, focus: confirm.focus };
  });
  if (!codes) return false;
  await showCodes(codes);
  announce("The second factor is on.");
  return true;
}

async function renewCodes() {
  await showCodes((await post("/auth/mfa/recovery-codes")).recovery_codes);
  return true;
}

function showCodes(codes) {
  return shown("Recovery codes",
    h("p", {}, "Each of them signs you in once, should you lose the app. Keep them in a safe place; they are not shown again."),
    h("ul", { class: "codes" }, codes.map((code) => h("li", {}, h("code", {}, code)))),
    h("p", {}, copyButton(codes.join("\n"), "Copy all")));
}

async function disable() {
  const done = await dialog("Turn off the second factor", (close) => form({
    intro: "Your password alone will sign you in.",
    fields: [{ name: "code", label: "Code", autocomplete: "one-time-code", required: true, hint: "Six digits of your authenticator app, or a recovery code." }],
    submit: "Turn off",
    danger: true,
    cancel: () => close(false),
    async onSubmit(values) {
      await post("/auth/mfa/disable", values);
      close(true);
    },
  }));
  if (done) announce("The second factor is off.");
  return done === true;
}
