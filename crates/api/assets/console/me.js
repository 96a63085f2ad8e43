// Who is signed in, as the server last said.

import { get } from "./api.js";

let caller = null;
let changed = () => {};

/** The answer of `/auth/me`, or null. */
export function me() {
  return caller;
}

export function setMe(answer) {
  caller = answer;
  changed();
}

export async function reloadMe() {
  setMe(await get("/auth/me"));
}

/** Calls the listener whenever it is somebody else or has changed. */
export function whoChanged(listener) {
  changed = listener;
}
