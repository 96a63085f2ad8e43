// Starts the page: takes up the session, draws the frame around the views, and goes where the address says.

import * as account from "./account.js";
import * as audit from "./audit.js";
import { announce, button, fill, h } from "./dom.js";
import { Problem } from "./http.js";
import * as invitation from "./invitation.js";
import * as invitations from "./invitations.js";
import { me, organizationName, reloadMe, setMe, whoChanged } from "./me.js";
import * as organization from "./organization.js";
import * as passwords from "./passwords.js";
import * as people from "./people.js";
import { home, visible } from "./rights.js";
import { go, mark, show, start } from "./router.js";
import * as session from "./session.js";
import * as sessions from "./sessions.js";
import * as signIn from "./sign-in.js";

/** Views for everybody; all others are for who is signed in. */
const OPEN = new Map([
  ["/console/sign-in", signIn],
  ["/console/forgot-password", passwords.forgot],
  ["/console/reset-password", passwords.reset],
  ["/console/invitation", invitation],
  ["/console/confirm-sign-up", invitation.signUp],
]);

const OWN = new Map([
  ["/console/people", people],
  ["/console/invitations", invitations],
  ["/console/audit", audit],
  ["/console/organization", organization],
  ["/console/sessions", sessions],
  ["/console/account", account],
]);

/** Where to go instead: to sign in, or to a view that these roles may see. */
function decide(path) {
  if (OPEN.has(path)) return path === "/console/sign-in" && me() ? { path: home(me()) } : null;
  if (!me()) return { path: "/console/sign-in", state: path === "/console" ? null : { next: location.pathname + location.search } };
  return visible(me()).some((entry) => entry.path === path) ? null : { path: home(me()) };
}

function frame() {
  const signedIn = me() !== null;
  const entries = signedIn ? visible(me()) : [];
  fill(document.getElementById("navigation"), entries.length > 0 && h("ul", {}, entries.map(({ path, label }) => h("li", {}, h("a", { href: path }, label)))));
  document.getElementById("navigation").hidden = !signedIn;
  document.body.classList.toggle("signed-in", signedIn);
  document.getElementById("organization").textContent = organizationName();
  const who = signedIn && [h("span", { class: "who" }, me().full_name ?? me().email), button("Sign out", () => session.end())];
  fill(document.getElementById("caller"), who);
  mark();
}

async function begin() {
  whoChanged(frame);
  session.whenOver((text, wanted) => {
    const signedIn = me() !== null;
    setMe(null);
    for (const open of document.querySelectorAll("dialog")) open.close();
    if (!signedIn) return;
    announce(text);
    go("/console/sign-in", { replace: true, state: wanted ? { next: location.pathname + location.search } : null });
  });
  window.addEventListener("pulse:forbidden", () => reloadMe().then(() => decide(location.pathname) && show(true), () => {}));
  window.addEventListener("unhandledrejection", () => announce("Something went wrong on this page. Please load it anew."));
  if (await session.resume()) await reloadMe();
  frame();
  await start(new Map([...OPEN, ...OWN]), decide);
}

/** A start that failed for a passing reason can be tried again without losing the session. */
async function boot() {
  try {
    await begin();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (error.status === 401) {
      frame();
      await start(new Map([...OPEN, ...OWN]), decide);
      return;
    }
    fill(document.querySelector("main"), h("h1", {}, "SME Pulse"),
      h("div", { class: "problem", role: "alert" }, h("p", {}, error.message)),
      h("p", { class: "actions" }, button("Try again", () => location.reload())));
  }
}

boot();
