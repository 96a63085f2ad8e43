// The caller's own sessions on all their devices.

import { announce, button, fill, h } from "./dom.js";
import { confirmed } from "./dialog.js";
import { get, post, remove } from "./api.js";
import { device, moment } from "./format.js";
import { table } from "./list.js";
import { over } from "./session.js";

export const title = "Sessions";

export async function render(ctx) {
  const place = h("div", { class: "rows" });
  const reload = async () => {
    const sessions = await get("/auth/sessions", ctx.signal);
    fill(place, table("Your sessions", columns(reload), sessions));
  };
  await reload();
  return h("div", {},
    h("p", {}, "Where you are signed in. End what you do not recognize, and change your password then."),
    place,
    h("p", { class: "actions" },
      button("Sign out of all other sessions", () => endAll(false, reload), { "data-key": "others" }),
      button("Sign out everywhere", () => endAll(true, reload), { class: "danger", "data-key": "everywhere" })));
}

const columns = (reload) => [
  { label: "Device", breaks: true, cell: (one) => [device(one.user_agent), one.current && h("span", { class: "badge open" }, "This session")] },
  { label: "Address", cell: (one) => one.client_ip ?? "–" },
  { label: "Signed in", cell: (one) => moment(one.created_at) },
  { label: "Last used", cell: (one) => moment(one.last_seen_at) },
  { label: "Ends", cell: (one) => moment(one.expires_at) },
  { label: "Actions", actions: true, cell: (one) => button("End", () => endOne(one, reload), {
    class: "danger", "data-key": `end-${one.id}`, "aria-label": `End: ${device(one.user_agent)}${one.current ? ", this session" : ""}`,
  }) },
];

async function endOne(one, reload) {
  const done = await confirmed({
    title: one.current ? "Sign out here?" : "End this session?",
    text: one.current ? "This is the session you are using." : `${device(one.user_agent)} is signed out at once.`,
    action: one.current ? "Sign out" : "End",
    danger: true,
    work: () => remove(`/auth/sessions/${one.id}`),
  });
  if (!done) return;
  if (one.current) over("You have signed out.");
  else {
    announce("The session has ended.");
    await reload();
  }
}

async function endAll(everywhere, reload) {
  let answer = null;
  const done = await confirmed({
    title: everywhere ? "Sign out everywhere?" : "Sign out of all other sessions?",
    text: everywhere ? "All devices are signed out at once, this one too." : "All other devices are signed out at once.",
    action: "Sign out",
    danger: true,
    work: async () => {
      answer = await post("/auth/logout-all", { include_current: everywhere });
    },
  });
  if (!done) return;
  if (everywhere) over("You have signed out everywhere.");
  else {
    announce(`${answer.message}: ${answer.ended}.`);
    await reload();
  }
}
