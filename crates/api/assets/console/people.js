// People of the organization: who they are, what they may, and whether they may come in.

import { button, copyButton, h, announce } from "./dom.js";
import { confirmed, shown } from "./dialog.js";
import { get, post, put, query, remove } from "./api.js";
import { ROLE_CODES, badge, moment, roleName, roleNames } from "./format.js";
import { list } from "./list.js";
import { me } from "./me.js";
import { addPerson, editPerson } from "./person.js";
import { rightsOf } from "./rights.js";

export const title = "People";

const FILTERS = [
  { name: "search", label: "Name or e-mail", type: "search" },
  { name: "role", label: "Role", options: [["", "All"], ...ROLE_CODES.map((code) => [code, roleName(code)])] },
  { name: "status", label: "Status", options: [["", "All"], ["active", "Active"], ["inactive", "Inactive"]] },
];

export async function render(ctx) {
  const people = list(ctx, {
    caption: "People of the organization",
    filters: FILTERS,
    columns: [
      { label: "Name", breaks: true, cell: (person) => [person.full_name ?? "–", person.id === me().id && h("span", { class: "badge open" }, "You")] },
      { label: "E-mail", breaks: true, cell: (person) => person.email },
      { label: "Roles", cell: (person) => roleNames(person.roles) },
      { label: "Status", cell: (person) => badge(person.status) },
      { label: "Last sign-in", cell: (person) => moment(person.last_login) },
      { label: "Actions", actions: true, cell: (person) => actions(person, () => people.reload()) },
    ],
    load: (wanted) => get(`/users${query(wanted)}`, ctx.signal),
    empty: "Nobody matches.",
    extra: h("p", { class: "actions" }, button("Add a person", async () => {
      const made = await addPerson();
      if (!made) return;
      announce(`${made.full_name ?? made.email} was added.`);
      await people.reload();
    }, { class: "primary", "data-key": "add" })),
  });
  await people.reload();
  return people.element;
}

/** Only owners act on owners; nobody locks themselves out. */
function actions(person, reload) {
  const self = person.id === me().id;
  if (person.roles.includes("owner") && !rightsOf(me()).owner) return null;
  const name = person.full_name ?? person.email;
  const act = (key, text, work, extra = {}) => button(text, async () => {
    if (await work(person, name)) await reload();
  }, { "data-key": `${key}-${person.id}`, "aria-label": `${text}: ${name}`, ...extra });
  return [
    act("edit", "Edit", edit),
    self ? null : act("reset", "Reset password", resetPassword),
    self ? null : person.status === "active" ? act("status", "Deactivate", deactivate, { class: "danger" }) : act("status", "Activate", activate),
  ];
}

async function edit(person, name) {
  const changed = await editPerson(person);
  if (changed) announce(`${name} was changed.`);
  return changed;
}

async function deactivate(person, name) {
  const done = await confirmed({
    title: `Deactivate ${name}?`,
    text: "They lose access to this organization at once, until somebody activates them. Somebody from another organization keeps their account and can go on there.",
    action: "Deactivate",
    danger: true,
    work: () => remove(`/users/${person.id}`),
  });
  if (done) announce(`${name} was deactivated.`);
  return done;
}

async function activate(person, name) {
  const done = await confirmed({
    title: `Activate ${name}?`,
    text: "They have access to this organization again, with the roles they have.",
    action: "Activate",
    work: () => put(`/users/${person.id}`, { status: "active" }),
  });
  if (done) announce(`${name} was activated.`);
  return done;
}

async function resetPassword(person, name) {
  let answer = null;
  const done = await confirmed({
    title: `Reset the password of ${name}?`,
    text: "They are signed out at once and get a temporary password, which is shown to you once.",
    action: "Reset password",
    danger: true,
    work: async () => {
      answer = await post(`/users/${person.id}/reset-password`);
    },
  });
  if (!done) return false;
  if (!answer.temporary_password) announce(answer.message);
  else {
    await shown("Temporary password",
      h("p", {}, `Give it to ${name} in a safe way. It is not shown again.`),
      h("p", { class: "secret" }, h("code", {}, answer.temporary_password), copyButton(answer.temporary_password)));
  }
  return true;
}
