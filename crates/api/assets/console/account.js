// The caller's own account: name, password, second factor.

import { announce, h } from "./dom.js";
import { form } from "./form.js";
import { get, post, put } from "./api.js";
import { factorPart } from "./factor.js";
import { roleNames } from "./format.js";
import { me, reloadMe } from "./me.js";

export const title = "My account";

export async function render(ctx) {
  const factor = await factorPart(await get("/auth/mfa", ctx.signal));
  return h("div", { class: "narrow" }, profile(), password(), factor);
}

function section(id, heading, ...content) {
  return h("section", { "aria-labelledby": id }, h("h2", { id }, heading), ...content);
}

function profile() {
  return section("profile", "Profile",
    h("dl", {}, h("dt", {}, "E-mail address"), h("dd", {}, me().email), h("dt", {}, "Roles"), h("dd", {}, roleNames(me().roles))),
    form({
      fields: [{ name: "full_name", label: "Your name", autocomplete: "name", value: me().full_name ?? "", required: true }],
      submit: "Save name",
      async onSubmit(values) {
        await put(`/users/${me().id}`, values);
        await reloadMe();
        announce("Your name was saved.");
      },
    }).element);
}

function password() {
  const place = h("div", {});
  const draw = () => form({
    intro: "All your other sessions end when you change it.",
    fields: [
      { name: "old_password", label: "Current password", type: "password", autocomplete: "current-password", required: true },
      { name: "new_password", label: "New password", type: "password", autocomplete: "new-password", required: true },
    ],
    submit: "Change password",
    async onSubmit(values) {
      const { message } = await post("/auth/change-password", values);
      // Both passwords leave the page.
      place.replaceChildren(draw());
      document.getElementById("password").focus();
      announce(`${message}.`.replace(/\.\.$/, "."));
    },
  }).element;
  place.append(draw());
  const part = section("password", "Password", place);
  part.querySelector("h2").tabIndex = -1;
  return part;
}
