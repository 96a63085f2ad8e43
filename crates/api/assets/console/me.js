// Who is signed in, as the server last said.

import { get } from "./api.js";

let caller = null;
let organization = null;
let changed = () => {};

/** The answer of `/auth/me`, or null. */
export function me() {
  return caller;
}

/** The name of the organization that the session is for, or nothing while it is not known. */
export function organizationName() {
  return caller && organization?.id === caller.org_id ? organization.name : "";
}

export function setMe(answer) {
  caller = answer;
  changed();
}

/** Takes the organization's data sheet. */
export function setOrganization(sheet) {
  organization = sheet;
  changed();
}

export async function reloadMe() {
  setMe(await get("/auth/me"));
  // The page does not wait for the name; without a role nobody may know it.
  if (caller.roles.length > 0 && organizationName() === "") get("/settings").then(setOrganization, () => {});
}

/** Calls the listener whenever it is somebody else or has changed. */
export function whoChanged(listener) {
  changed = listener;
}
