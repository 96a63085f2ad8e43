// Signing in: password, then a code where the account asks for one.

import { button, fill, h } from "./dom.js";
import { form } from "./form.js";
import { openCall } from "./api.js";
import { reloadMe } from "./me.js";
import { go } from "./router.js";
import * as session from "./session.js";

export const title = "Sign in";

export async function render(ctx) {
  const place = h("div", { class: "narrow" });
  const done = async (answer) => {
    session.begin(answer);
    await reloadMe();
    const next = ctx.state.next;
    await go(typeof next === "string" && next.startsWith("/console/") ? next : "/console", { replace: true, state: ctx.state.then ?? null });
  };
  const first = password(async (answer) => {
    if (!answer.mfa_required) return done(answer);
    const second = code(answer.mfa_token, done, () => swap(first));
    return swap(second);
  });
  const swap = (step) => {
    fill(place, step.element);
    step.focus();
  };
  fill(place, first.element);
  first.element.querySelector("input").dataset.first = "";
  return place;
}

function password(onAnswer) {
  return form({
    fields: [
      { name: "email", label: "E-mail address", type: "email", inputmode: "email", autocomplete: "username", required: true },
      { name: "password", label: "Password", type: "password", autocomplete: "current-password", required: true },
    ],
    submit: "Sign in",
    note: h("p", {}, h("a", { href: "/console/forgot-password" }, "Forgot your password?")),
    onSubmit: async (values) => onAnswer(await openCall("POST", "/auth/login", values)),
  });
}

function code(token, onAnswer, again) {
  return form({
    intro: "Your account has a second factor.",
    fields: [{
      name: "code", label: "Code", autocomplete: "one-time-code", required: true,
      hint: "Six digits of your authenticator app, or one of your recovery codes.",
    }],
    submit: "Continue",
    note: h("p", {}, button("Begin again", again, { class: "link" })),
    onSubmit: async (values) => onAnswer(await openCall("POST", "/auth/mfa/verify", { mfa_token: token, ...values })),
  });
}
