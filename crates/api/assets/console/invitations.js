// Invitations into the organization: who was asked, by whom, and what became of it.

import { announce, button, h } from "./dom.js";
import { confirmed, dialog } from "./dialog.js";
import { form } from "./form.js";
import { get, post, query, remove } from "./api.js";
import { badge, moment, roleNames } from "./format.js";
import { list } from "./list.js";
import { me } from "./me.js";
import { rolesField } from "./person.js";
import { rightsOf } from "./rights.js";

export const title = "Invitations";

const STATES = ["pending", "accepted", "revoked", "expired"];
const word = (state) => state.charAt(0).toUpperCase() + state.slice(1);

export async function render(ctx) {
  const invitations = list(ctx, {
    caption: "Invitations into the organization",
    filters: [
      { name: "search", label: "E-mail", type: "search" },
      { name: "status", label: "Status", options: [["", "All"], ...STATES.map((state) => [state, word(state)])] },
    ],
    columns: [
      { label: "E-mail", breaks: true, cell: (one) => one.email },
      { label: "Roles", cell: (one) => roleNames(one.roles) },
      { label: "Status", cell: (one) => badge(one.status) },
      { label: "Open until", cell: (one) => moment(one.expires_at) },
      { label: "Sent", cell: (one) => moment(one.created_at) },
      { label: "Actions", actions: true, cell: (one) => actions(one, () => invitations.reload()) },
    ],
    load: (wanted) => get(`/invitations${query(wanted)}`, ctx.signal),
    empty: "No invitation matches.",
    extra: h("p", { class: "actions" }, button("Invite somebody", async () => {
      const made = await invite();
      if (!made) return;
      announce(`An invitation is on its way to ${made.email}.`);
      await invitations.reload();
    }, { class: "primary", "data-key": "invite" })),
  });
  await invitations.reload();
  return invitations.element;
}

function invite() {
  return dialog("Invite somebody", (close) => form({
    intro: "They get a mail with a link, which is good for seven days.",
    fields: [
      { name: "email", label: "E-mail address", type: "email", inputmode: "email", required: true },
      rolesField(["cashier"]),
    ],
    submit: "Send the invitation",
    cancel: () => close(),
    onSubmit: async (values) => close(await post("/invitations", values)),
  }));
}

function actions(one, reload) {
  const open = one.status === "pending";
  if (!open && one.status !== "expired") return null;
  if (one.roles.includes("owner") && !rightsOf(me()).owner) return null;
  const act = (key, text, options, said) => button(text, async () => {
    if (!(await confirmed(options))) return;
    announce(said);
    await reload();
  }, { "data-key": `${key}-${one.id}`, "aria-label": `${text}: ${one.email}`, class: options.danger ? "danger" : null });
  return [
    act("resend", "Send again", {
      title: `Send the invitation to ${one.email} again?`,
      text: "They get a new link, and the one from before no longer works.",
      action: "Send again",
      work: () => post(`/invitations/${one.id}/resend`),
    }, `A new link is on its way to ${one.email}.`),
    open && act("revoke", "Revoke", {
      title: `Revoke the invitation of ${one.email}?`,
      text: "The link in their mail no longer works.",
      action: "Revoke",
      danger: true,
      work: () => remove(`/invitations/${one.id}`),
    }, `The invitation of ${one.email} was revoked.`),
  ];
}
