// The pages that mails lead to: an invitation to join an organization, and the confirmation of a sign-up.

import { announce, button, fill, h } from "./dom.js";
import { form } from "./form.js";
import { openCall, post } from "./api.js";
import { roleNames, moment } from "./format.js";
import { tokenOf } from "./link.js";
import { me, reloadMe } from "./me.js";
import { go } from "./router.js";
import { proof, replace } from "./session.js";

export const title = "Invitation";

export async function render(ctx) {
  const token = tokenOf(ctx);
  const place = h("div", { class: "narrow" });
  if (!token) return h("p", { role: "alert" }, "This link is not complete. Open it again from the mail.");
  const found = await openCall("GET", `/invitations/accept?${new URLSearchParams({ token })}`);
  place.append(
    h("p", {}, "You are invited to join ", h("strong", {}, found.organization), "."),
    h("dl", {},
      h("dt", {}, "E-mail address"), h("dd", {}, found.email),
      h("dt", {}, "Roles"), h("dd", {}, roleNames(found.roles)),
      h("dt", {}, "Open until"), h("dd", {}, moment(found.expires_at))),
    found.has_account ? join(token, found) : accept(token, place),
  );
  return place;
}

/** Somebody new gives a name and a password. */
function accept(token, place) {
  return form({
    fields: [
      { name: "full_name", label: "Your name", autocomplete: "name", required: true },
      { name: "password", label: "Password", type: "password", autocomplete: "new-password", required: true },
    ],
    submit: "Join",
    async onSubmit(values) {
      const user = await openCall("POST", "/invitations/accept", { token, ...values });
      history.replaceState(null, "");
      const done = h("p", { class: "done", role: "status", tabindex: "-1" }, `Welcome, ${user.full_name ?? user.email}. You can sign in now.`);
      fill(place, done, h("p", {}, h("a", { href: "/console/sign-in" }, "Sign in")));
      done.focus();
    },
  }).element;
}

/** Somebody who has an account joins with it. */
function join(token, { organization, email }) {
  if (!me()) {
    return h("div", {},
      h("p", {}, "You have an account with this address. Sign in with it to join."),
      button("Sign in to join", () => go("/console/sign-in", { state: { next: "/console/invitation", then: { token } } }), { class: "primary" }));
  }
  const own = me().email === email;
  return form({
    intro: own ? `You are signed in as ${me().email}.` : `You are signed in as ${me().email}, but the invitation is for ${email}. Sign out and in again with that address.`,
    fields: [],
    submit: "Join",
    async onSubmit() {
      const joined = await post("/invitations/join", { token });
      await replace(await post("/auth/switch-organization", { org_id: joined.id, ...proof() }));
      await reloadMe();
      announce(`You have joined ${organization}.`);
      await go("/console", { replace: true });
    },
  }).element;
}

export const signUp = {
  title: "Confirm your organization",
  async render(ctx) {
    const token = tokenOf(ctx);
    const place = h("div", { class: "narrow" });
    if (!token) return h("p", { role: "alert" }, "This link is not complete. Open it again from the mail.");
    place.append(form({
      intro: "Type the password you signed up with, and your organization is ready. If you did not sign up, leave this page.",
      fields: [{ name: "password", label: "Password", type: "password", autocomplete: "current-password", required: true }],
      submit: "Confirm",
      async onSubmit({ password }) {
        const answer = await openCall("POST", "/organizations/confirm", { token, password });
        history.replaceState(null, "");
        const done = h("p", { class: "done", role: "status", tabindex: "-1" }, answer.message);
        fill(place, done, h("p", {}, h("a", { href: "/console/sign-in" }, "Sign in")));
        done.focus();
      },
    }).element);
    return place;
  },
};
