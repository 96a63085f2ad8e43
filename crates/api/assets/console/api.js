// Calls behind a token: renews it before it ends and once when it is refused, and asks for a proof when one is needed.

import { Problem, outcome, send } from "./http.js";
import * as session from "./session.js";
import { proveAgain } from "./step-up.js";

const SIGNED_OUT = "Your session has ended. Please sign in again.";

/** What the API answers; throws a `Problem`. */
export async function call(method, path, { body, signal } = {}) {
  let token = await session.accessToken();
  let answer = await ask(token);
  if (answer.status === 401) {
    token = await session.renew(token);
    answer = await ask(token);
    if (answer.status === 401) session.over(SIGNED_OUT, true);
  }
  const code = answer.json?.error_code;
  if (answer.status === 403 && code === "step_up_required") {
    await proveAgain();
    answer = await ask(await session.accessToken());
  } else if (answer.status === 403 && code === "insufficient_permissions") {
    // Roles may have changed since they were last asked for.
    window.dispatchEvent(new Event("pulse:forbidden"));
  }
  return outcome(answer);

  function ask(bearer) {
    if (bearer === null) throw new Problem(SIGNED_OUT, { status: 401 });
    return send(method, path, { body, signal, token: bearer });
  }
}

export const get = (path, signal) => call("GET", path, { signal });
export const post = (path, body) => call("POST", path, { body });
export const put = (path, body) => call("PUT", path, { body });
export const remove = (path) => call("DELETE", path);

/** A call without a token. */
export async function openCall(method, path, body) {
  return outcome(await send(method, path, { body }));
}

/** A query of all values that are not empty. */
export function query(values) {
  const found = new URLSearchParams(Object.entries(values).filter(([, value]) => value !== "" && value !== null));
  return `?${found}`;
}
