// Which view an address shows. Views draw themselves into the page's main part; nothing is loaded but data.

import { fill, h } from "./dom.js";
import { Problem } from "./http.js";

let views = new Map();
let before = () => null;
let leaving = new AbortController();

/** `table` maps paths to views; `decide(path)` may name another path to go to instead. */
export function start(table, decide) {
  views = table;
  before = decide;
  window.addEventListener("popstate", () => show(true));
  document.addEventListener("click", follow);
  return show(false);
}

/** Goes to a path of the console; `state` survives a reload, and stays out of the address. */
export function go(path, { replace = false, state = null } = {}) {
  if (replace) history.replaceState(state, "", path);
  else history.pushState(state, "", path);
  return show(true);
}

/** Clicks on links of the console stay in the page, unless another tab is asked for. */
function follow(event) {
  const link = event.target.closest?.("a[href^='/console']");
  if (!link || event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  go(link.getAttribute("href"));
}

function current() {
  return location.pathname.replace(/\/+$/, "");
}

/** Draws the view of the address anew. */
export async function show(focus) {
  const elsewhere = before(current());
  if (elsewhere) {
    history.replaceState(elsewhere.state ?? null, "", elsewhere.path);
  }
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  const view = views.get(current());
  const main = document.querySelector("main");
  const ctx = { signal, query: new URLSearchParams(location.search), state: history.state ?? {}, remember };
  main.setAttribute("aria-busy", "true");
  mark();
  try {
    const content = await view.render(ctx);
    if (!signal.aborted) draw(main, view.title, content, focus);
  } catch (error) {
    if (signal.aborted) return;
    if (!(error instanceof Problem)) throw error;
    if (error.status !== 401) draw(main, view.title, h("div", { class: "problem", role: "alert" }, h("p", {}, error.message)), focus);
  } finally {
    if (!signal.aborted) main.removeAttribute("aria-busy");
  }
}

function draw(main, title, content, focus) {
  document.title = `${title} – SME Pulse`;
  const heading = h("h1", { tabindex: "-1" }, title);
  fill(main, heading, content);
  window.scrollTo(0, 0);
  const first = main.querySelector("[data-first]");
  if (first) first.focus();
  else if (focus) heading.focus();
}

/** Shows in the navigation where we are. */
export function mark() {
  for (const link of document.querySelectorAll("#navigation a")) {
    if (link.getAttribute("href") === current()) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

/** Keeps filters in the address without drawing anew. */
function remember(query) {
  const text = query.toString();
  history.pushState(history.state, "", location.pathname + (text ? `?${text}` : ""));
}
