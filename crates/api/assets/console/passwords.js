// Forgotten passwords: asking for a link, and the page the link leads to.

import { h } from "./dom.js";
import { form } from "./form.js";
import { openCall } from "./api.js";
import { tokenOf } from "./link.js";

const back = () => h("p", {}, h("a", { href: "/console/sign-in" }, "Back to signing in"));

export const forgot = {
  title: "Forgotten password",
  async render() {
    const place = h("div", { class: "narrow" });
    const asking = form({
      intro: "We send you a mail with a link to set a new password.",
      fields: [{ name: "email", label: "E-mail address", type: "email", inputmode: "email", autocomplete: "username", required: true }],
      submit: "Send the link",
      async onSubmit(values) {
        const answer = await openCall("POST", "/auth/forgot-password", values);
        said(place, `${answer.message}.`);
      },
    });
    place.append(asking.element, back());
    return place;
  },
};

export const reset = {
  title: "Set a new password",
  async render(ctx) {
    const token = tokenOf(ctx);
    const place = h("div", { class: "narrow" });
    if (!token) {
      said(place, "This link is not complete. Open it again from the mail, or ask for a new one.");
      return place;
    }
    place.append(form({
      fields: [{ name: "new_password", label: "New password", type: "password", autocomplete: "new-password", required: true }],
      submit: "Set the password",
      async onSubmit(values) {
        const answer = await openCall("POST", "/auth/reset-password", { token, ...values });
        history.replaceState(null, "");
        said(place, `${answer.message}.`);
      },
    }).element, back());
    return place;
  },
};

function said(place, text) {
  const message = h("p", { class: "done", role: "status", tabindex: "-1" }, text.replace(/\.\.$/, "."));
  place.replaceChildren(message, back());
  message.focus();
}
