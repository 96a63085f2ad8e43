// How values look: times in the reader's own zone and language, words for codes, names of devices.

import { h } from "./dom.js";

const MOMENT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** A point in time, or a dash. */
export function moment(text) {
  if (!text) return "–";
  return h("time", { datetime: text }, MOMENT.format(new Date(text)));
}

const ROLES = { owner: "Owner", admin: "Admin", accountant: "Accountant", cashier: "Cashier" };

export const ROLE_CODES = Object.keys(ROLES);

export function roleName(code) {
  return ROLES[code] ?? code;
}

export function roleNames(codes) {
  return codes.length > 0 ? codes.map(roleName).join(", ") : "No role";
}

/** A word such as `active` or `pending`, with a colour that adds nothing to it. */
export function badge(word) {
  const kind = ["active", "accepted"].includes(word) ? "good" : word === "pending" ? "open" : "off";
  return h("span", { class: `badge ${kind}` }, word.charAt(0).toUpperCase() + word.slice(1));
}

const BROWSERS = [[/Edg\//, "Edge"], [/OPR\//, "Opera"], [/Firefox\//, "Firefox"], [/Chrome\//, "Chrome"], [/Safari\//, "Safari"], [/^curl\//, "curl"]];
const SYSTEMS = [[/Android/, "Android"], [/iPhone|iPad/, "iOS"], [/Windows/, "Windows"], [/Mac OS X/, "macOS"], [/Linux/, "Linux"]];

/** What a user agent calls itself, in short; its own words when it is none we know. */
export function device(agent) {
  if (!agent) return "Unknown device";
  const browser = BROWSERS.find(([pattern]) => pattern.test(agent))?.[1];
  const system = SYSTEMS.find(([pattern]) => pattern.test(agent))?.[1];
  if (!browser) return agent.slice(0, 80);
  return system ? `${browser} on ${system}` : browser;
}
