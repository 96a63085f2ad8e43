// The tokens of this tab. The access token stays in memory, the refresh token in the tab's session storage; tabs that
// share a session tell each other its newest tokens. `docs/console.md` says why.

import { outcome, send } from "./http.js";
import { alone, ask, hear, mayHaveOthers, open, tell } from "./tabs.js";

const KEY = "sme-pulse.session";

/** `family` names a session among tabs, `turn` counts its refreshes. */
let own = null;
let renewing = null;
let onOver = () => {};

function keep(session) {
  own = session;
  try {
    if (own === null) sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, JSON.stringify({ family: own.family, turn: own.turn, refresh: own.refresh }));
  } catch {
    // Without storage the session lives until the page is loaded anew.
  }
}

function kept() {
  try {
    const found = JSON.parse(sessionStorage.getItem(KEY));
    return typeof found?.refresh === "string" ? { ...found, access: null, until: 0 } : null;
  } catch {
    return null;
  }
}

/** A token that is about to end is renewed before it does. */
function until(seconds) {
  return Date.now() + (seconds - Math.min(60, seconds / 5)) * 1000;
}

function tokens(answer) {
  return { refresh: answer.refresh_token, access: answer.access_token, until: until(answer.expires_in) };
}

/** Takes up the session of this tab, or that of another tab. Whether there is one. */
export async function resume() {
  own = kept();
  if (await mayHaveOthers()) {
    const family = own?.family ?? null;
    const answer = await ask({ kind: "ask", family }, (m) => m.kind === "have" && (family === null || m.session.family === family));
    if (answer && answer.session.turn >= (own?.turn ?? 0)) keep(answer.session);
  }
  open();
  return own !== null;
}

/** Shows that this tab holds the session, and not only an access token of it. */
export function proof() {
  return own === null ? {} : { refresh_token: own.refresh };
}

/** What to do when the session has ended, here, in another tab or on the server. */
export function whenOver(listener) {
  onOver = listener;
}

/** Begins a session with the answer of a log-in. */
export function begin(answer) {
  const family = Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16)).join("");
  keep({ family, turn: 0, ...tokens(answer) });
}

export function signedIn() {
  return own !== null;
}

/** An access token that is good for a while; null without a session. */
export async function accessToken() {
  if (own === null) return null;
  return Date.now() < own.until ? own.access : renew(own.access);
}

/** Renews the tokens once, however many ask; `used` is the access token that will not do. Null when the session is over. */
export function renew(used) {
  renewing ??= alone("refresh", () => exchange(used)).finally(() => {
    renewing = null;
  });
  return renewing;
}

async function exchange(used) {
  if (own === null) return null;
  // Another tab may have done it while this one waited for its turn.
  if (own.access !== null && own.access !== used) return own.access;
  const { family } = own;
  const answer = await send("POST", "/auth/refresh", { body: { refresh_token: own.refresh } });
  if (own?.family !== family) return own?.access ?? null;
  if (answer.status === 401) {
    over("Your session has ended. Please sign in again.", true);
    return null;
  }
  keep({ family, turn: own.turn + 1, ...tokens(outcome(answer)) });
  tell({ kind: "renewed", session: own });
  return own.access;
}

/** Takes the access token of a step-up. */
export function takeAccess(answer) {
  if (own !== null) own = { ...own, access: answer.access_token, until: until(answer.expires_in) };
}

/** Forgets the session in every tab that has it. `wanted` says that nobody asked for it, so the place is worth keeping. */
export function over(text, wanted = false) {
  if (own === null) return;
  tell({ kind: "over", family: own.family, text, wanted });
  keep(null);
  onOver(text, wanted);
}

/** Ends the session on the server and forgets it. */
export async function end() {
  const token = await accessToken().catch(() => null);
  over("You have signed out.");
  if (token) await send("POST", "/auth/logout", { token }).catch(() => {});
}

/** Goes over to the session of another organization. The old one ends unless another tab has it. */
export async function replace(answer) {
  const old = own;
  begin(answer);
  const shared = await ask({ kind: "ask", family: old.family }, (m) => m.kind === "have" && m.session.family === old.family);
  if (shared === null) await send("POST", "/auth/logout", { token: old.access }).catch(() => {});
}

hear((message) => {
  if (message.kind === "ask" && own !== null && (message.family ?? own.family) === own.family) {
    tell({ kind: "have", session: own });
  } else if (message.kind === "renewed" && own?.family === message.session.family && message.session.turn > own.turn) {
    keep(message.session);
  } else if (message.kind === "over" && own?.family === message.family) {
    keep(null);
    onOver(message.text, message.wanted);
  }
});
