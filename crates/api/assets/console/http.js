// One request to the API, and what a refusal says.

const API = "/api/v1";

/** A call that brought no success: what to tell the user, and for which fields. */
export class Problem extends Error {
  constructor(message, { status = 0, code = "", fields = new Map() } = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.fields = fields;
  }
}

/** Sends a request; an answer of any status comes back. Throws a `Problem` when there is none. */
export async function send(method, path, { body, token, signal } = {}) {
  const headers = { Accept: "application/json" };
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response;
  let text;
  try {
    const init = { method, headers, signal, cache: "no-store", credentials: "same-origin", redirect: "error" };
    response = await fetch(API + path, body === undefined ? init : { ...init, body: JSON.stringify(body) });
    text = await response.text();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem("The server cannot be reached. Check your connection and try again.", { code: "unreachable" });
  }
  return { status: response.status, json: parsed(text) };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** What an answer holds, or its `Problem`. */
export function outcome({ status, json }) {
  if (status >= 200 && status < 300) return json;
  throw problemOf(status, json);
}

function problemOf(status, json) {
  const code = json?.error_code ?? "";
  const detail = json?.detail;
  if (Array.isArray(detail)) return invalid(status, code, detail);
  const text = typeof detail === "string" ? detail : `The server gave an answer that this page does not understand (${status}).`;
  const reference = status >= 500 && status !== 503 && json?.request_id ? ` Reference: ${json.request_id}` : "";
  return new Problem(text + reference, { status, code });
}

/** A 422: the first message of each field, and in the text what belongs to no field. */
function invalid(status, code, items) {
  const fields = new Map();
  const rest = [];
  for (const { loc, msg } of items) {
    const name = loc[1];
    if (typeof name !== "string") rest.push(msg);
    else if (!fields.has(name)) fields.set(name, msg);
  }
  return new Problem(rest.join(" ") || "Please check what you entered.", { status, code, fields });
}
