// The audit trail: what happened in the organization, newest first.

import { button, h } from "./dom.js";
import { shown } from "./dialog.js";
import { get, query } from "./api.js";
import { moment } from "./format.js";
import { list, table } from "./list.js";
import { me } from "./me.js";

export const title = "Audit trail";

/** Words to choose from; any other may be typed. */
const ACTIONS = [
  "auth.log_in", "auth.log_in_failed", "auth.log_out", "auth.session_ended", "auth.sessions_ended", "auth.token_revoked", "auth.refresh_reused", "auth.guessing_slowed",
  "auth.password_changed", "auth.password_reset", "auth.factor_enabled", "auth.factor_disabled", "auth.factor_refused", "auth.organization_entered",
  "organization.updated", "organization.suspended", "organization.activated", "users.created", "users.updated", "users.roles_changed", "users.activated", "users.deactivated", "users.password_set",
  "invitations.sent", "invitations.resent", "invitations.revoked", "invitations.accepted",
];

export async function render(ctx) {
  const names = people(ctx);
  const trail = list(ctx, {
    caption: "Events, newest first",
    filters: [
      { name: "action", label: "Action", list: "actions" },
      { name: "actor_user_id", label: "User number", inputmode: "numeric" },
      { name: "start_date", label: "From day (UTC)", type: "date" },
      { name: "end_date", label: "To day (UTC)", type: "date" },
      { name: "entity", label: "Kind of entry" },
      { name: "entity_id", label: "Entry number", inputmode: "numeric" },
    ],
    columns: [
      { label: "When", cell: (event) => moment(event.created_at) },
      { label: "Action", breaks: true, cell: (event) => event.action },
      { label: "Who", cell: (event) => who(event.actor_user_id, names) },
      { label: "What", cell: (event) => (event.entity ? `${event.entity} ${event.entity_id ?? ""}` : "–") },
      { label: "Address", cell: (event) => event.client_ip ?? "–" },
      { label: "Details", actions: true, cell: (event) => button("Show", () => details(event, names), {
        "data-key": `event-${event.id}`, "aria-label": `Show: event ${event.seq}, ${event.action}`,
      }) },
    ],
    load: async (wanted) => {
      const [page] = await Promise.all([get(`/audit${query(wanted)}`, ctx.signal), names.loaded]);
      return page;
    },
    empty: "No event matches.",
    extra: h("datalist", { id: "actions" }, ACTIONS.map((value) => h("option", { value }))),
  });
  await trail.reload();
  return trail.element;
}

/** Names for numbers; without them the numbers do. */
function people(ctx) {
  const names = new Map();
  const loaded = get("/users?limit=500", ctx.signal).then((page) => {
    for (const person of page.items) names.set(person.id, person.full_name ?? person.email);
  }, () => {});
  return { names, loaded };
}

function who(id, { names }) {
  if (id === null) return "–";
  if (id === me()?.id) return `You (${id})`;
  return names.has(id) ? `${names.get(id)} (${id})` : `User ${id}`;
}

function details(event, names) {
  const rows = [
    ["Number in the trail", event.seq], ["When", moment(event.created_at)], ["Action", event.action], ["Who", who(event.actor_user_id, names)],
    ["What", event.entity ? `${event.entity} ${event.entity_id ?? ""}` : "–"], ["Address", event.client_ip ?? "–"], ["Request", event.request_id ?? "–"],
    ["Taken out later", event.erased.length > 0 ? event.erased.join(", ") : "–"], ["Hash", h("code", {}, event.hash)],
  ];
  const keys = [...new Set([...Object.keys(event.before ?? {}), ...Object.keys(event.after ?? {})])];
  const text = (side, key) => side?.[key] ?? "–";
  return shown(`Event ${event.seq}`,
    h("dl", {}, rows.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])),
    keys.length > 0 && table("Changed fields", [
      { label: "Field", cell: (key) => key },
      { label: "Before", breaks: true, cell: (key) => text(event.before, key) },
      { label: "After", breaks: true, cell: (key) => text(event.after, key) },
    ], keys));
}
