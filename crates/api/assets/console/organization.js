// The organization's data sheet, and going over to another organization.

import { announce, button, h } from "./dom.js";
import { form } from "./form.js";
import { get, post, put } from "./api.js";
import { roleNames } from "./format.js";
import { Problem } from "./http.js";
import { me, reloadMe, setOrganization } from "./me.js";
import { rightsOf } from "./rights.js";
import { go } from "./router.js";
import { proof, replace } from "./session.js";

export const title = "Organization";

const FIELDS = [
  { name: "name", label: "Name", autocomplete: "organization", required: true },
  { name: "tax_code", label: "Tax code" },
  { name: "address", label: "Address", rows: 3 },
  { name: "phone", label: "Phone", type: "tel" },
  { name: "email", label: "E-mail address", type: "email", inputmode: "email" },
];

export async function render(ctx) {
  const rights = rightsOf(me());
  const [sheet, others] = await Promise.all([rights.member ? get("/settings", ctx.signal) : null, organizations(ctx)]);
  return h("div", {},
    sheet === null ? h("p", {}, "You have no role in this organization yet. Ask its owner for one.") : rights.manages ? editable(sheet) : readable(sheet),
    others.length > 1 && choice(others));
}

/** A server without several organizations has no such list. */
async function organizations(ctx) {
  try {
    return await get("/auth/organizations", ctx.signal);
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return [];
    throw error;
  }
}

function readable(sheet) {
  return h("dl", {}, FIELDS.map(({ name, label }) => [h("dt", {}, label), h("dd", {}, sheet[name] ?? "–")]));
}

function editable(sheet) {
  let known = sheet;
  return h("div", { class: "narrow" }, form({
    fields: FIELDS.map((spec) => ({ ...spec, value: sheet[spec.name] ?? "" })),
    submit: "Save",
    async onSubmit(values) {
      const change = Object.fromEntries(Object.entries(values)
        .filter(([name, value]) => value !== (known[name] ?? ""))
        .map(([name, value]) => [name, value === "" ? null : value]));
      if (Object.keys(change).length === 0) return announce("Nothing was changed.");
      known = await put("/settings", change);
      setOrganization(known);
      return announce("The organization was saved.");
    },
  }).element);
}

function choice(others) {
  return h("section", { "aria-labelledby": "others" },
    h("h2", { id: "others" }, "Your organizations"),
    h("ul", { class: "cards" }, others.map((one) => h("li", {},
      h("span", {}, h("strong", {}, one.name), h("br"), roleNames(one.roles)),
      one.current
        ? h("span", { class: "badge open" }, "You are here")
        : button("Switch", () => change(one), { "aria-label": `Switch: ${one.name}` })))));
}

async function change(one) {
  try {
    await replace(await post("/auth/switch-organization", { org_id: one.id, ...proof() }));
    await reloadMe();
    announce(`You are in ${one.name} now.`);
    await go("/console");
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    announce(error.message);
  }
}
