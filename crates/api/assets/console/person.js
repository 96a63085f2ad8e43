// Adding a person, and changing what is known of one.

import { dialog } from "./dialog.js";
import { form } from "./form.js";
import { post, put } from "./api.js";
import { ROLE_CODES, roleName } from "./format.js";
import { me } from "./me.js";
import { rightsOf } from "./rights.js";

/** The roles as a group of check boxes; only owners give and take `owner`. */
export function rolesField(held = []) {
  const owner = rightsOf(me()).owner;
  const choices = ROLE_CODES.map((code) => ({ value: code, label: roleName(code), disabled: code === "owner" && !owner }));
  return { name: "roles", label: "Roles", choices, value: held, required: true };
}

/** The person that was added; undefined when nobody was. */
export function addPerson() {
  return dialog("Add a person", (close) => form({
    fields: [
      { name: "full_name", label: "Name", required: true },
      { name: "email", label: "E-mail address", type: "email", inputmode: "email", required: true },
      { name: "password", label: "First password", type: "password", autocomplete: "new-password", required: true, hint: "Tell it to them in a safe way. An invitation lets them choose their own." },
      rolesField(["cashier"]),
    ],
    submit: "Add",
    cancel: () => close(),
    onSubmit: async (values) => close(await post("/users", values)),
  }));
}

const same = (a, b) => a.length === b.length && a.every((code) => b.includes(code));

/** True when something was changed. Only what differs is sent. */
export async function editPerson(person) {
  const self = person.id === me().id;
  const status = { name: "status", label: "Status", options: [["active", "Active"], ["inactive", "Inactive"]], value: person.status };
  const done = await dialog(`Edit ${person.full_name ?? person.email}`, (close) => form({
    intro: person.email,
    fields: [
      { name: "full_name", label: "Name", value: person.full_name ?? "", required: Boolean(person.full_name) },
      { ...rolesField(person.roles), required: person.roles.length > 0 },
      ...(self ? [] : [status]),
    ],
    submit: "Save",
    cancel: () => close(false),
    async onSubmit(values) {
      const change = {};
      if (values.full_name !== (person.full_name ?? "")) change.full_name = values.full_name;
      if (!same(values.roles, person.roles)) change.roles = values.roles;
      if (!self && values.status !== person.status) change.status = values.status;
      if (Object.keys(change).length > 0) await put(`/users/${person.id}`, change);
      close(Object.keys(change).length > 0);
    },
  }));
  return done === true;
}
