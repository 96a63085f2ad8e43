// Lists in pages with filters. Filters and page stand in the address, so that going back and links work.

import { alertBox, button, fill, h } from "./dom.js";
import { field } from "./form.js";
import { Problem } from "./http.js";

const SIZE = 25;

/**
 * A list: `filters` are fields, `columns` have `label` and `cell(item)`, `load(query)` brings a page of the API.
 * `reload()` reads the same page again.
 */
export function list(ctx, { caption, filters, columns, load, empty, extra = null }) {
  const wanted = new URLSearchParams(ctx.query);
  const fields = filters.map((spec) => field({ ...spec, value: wanted.get(spec.name) ?? "" }));
  const problem = alertBox();
  const count = h("p", { class: "count", role: "status" }, "Loading…");
  const body = h("div", { class: "rows", "aria-busy": "true" });
  const pager = h("nav", { class: "pager", "aria-label": "Pages", hidden: true });

  const search = h("form", { class: "filters", role: "search", novalidate: true, on: { submit: (event) => {
    event.preventDefault();
    apply(Object.fromEntries(fields.map((part) => [part.name, part.value().trim()])));
  } } },
    fields.map((part) => part.element),
    h("p", { class: "actions" }, h("button", { type: "submit" }, "Apply"), button("Clear", () => {
      for (const part of fields) part.element.querySelector("input, select").value = "";
      apply({});
    })),
    extra,
  );

  function apply(values) {
    for (const name of [...wanted.keys()]) wanted.delete(name);
    for (const [name, value] of Object.entries(values)) if (value !== "") wanted.set(name, value);
    turn(1);
  }

  function turn(page) {
    if (page > 1) wanted.set("page", page);
    else wanted.delete("page");
    ctx.remember(wanted);
    return reload();
  }

  async function reload() {
    const page = Math.max(1, Number.parseInt(wanted.get("page") ?? "1", 10) || 1);
    const query = { skip: (page - 1) * SIZE, limit: SIZE };
    for (const { name } of filters) query[name] = wanted.get(name) ?? "";
    problem.clear();
    fields.forEach((part) => part.complain(null));
    body.setAttribute("aria-busy", "true");
    try {
      const found = await load(query);
      if (!ctx.signal.aborted) draw(found, page);
    } catch (error) {
      if (ctx.signal.aborted) return;
      if (!(error instanceof Problem)) throw error;
      refused(error);
    } finally {
      body.removeAttribute("aria-busy");
    }
  }

  function refused(error) {
    for (const part of fields) part.complain(error.fields.get(part.name) ?? null);
    fill(count);
    fill(body);
    pager.hidden = true;
    problem.show(error.status === 404 ? "This server does not offer this list." : error.message);
  }

  function draw({ total, skip, items }, page) {
    const pages = Math.max(1, Math.ceil(total / SIZE));
    fill(count, total === 0 ? empty : items.length === 0 ? `Nothing on this page; there are ${total}.` : `${skip + 1}–${skip + items.length} of ${total}`);
    fill(body, items.length > 0 ? table(caption, columns, items) : null);
    pager.hidden = pages === 1 && page === 1;
    const step = (text, to, possible) => button(text, () => possible && turn(to), { "aria-disabled": String(!possible) });
    fill(pager, step("Previous", Math.min(page - 1, pages), page > 1), h("span", {}, `Page ${page} of ${pages}`), step("Next", page + 1, page < pages));
  }

  return { element: h("div", {}, search, problem.box, count, body, pager), reload };
}

/** A table that turns into cards on a narrow page; the roles keep it a table for screen readers. */
export function table(caption, columns, items) {
  const head = columns.map(({ label }) => h("th", { scope: "col", role: "columnheader" }, label));
  const rows = items.map((item) => h("tr", { role: "row" }, columns.map(({ label, cell, actions, breaks }, index) => {
    const attributes = { "data-label": label, class: actions ? "row-actions" : breaks ? "breaks" : null };
    return index === 0
      ? h("th", { scope: "row", role: "rowheader", ...attributes }, h("span", {}, cell(item)))
      : h("td", { role: "cell", ...attributes }, actions ? cell(item) : h("span", {}, cell(item)));
  })));
  return h("table", { role: "table" },
    h("caption", { class: "unseen" }, caption),
    h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, head)),
    h("tbody", { role: "rowgroup" }, rows),
  );
}
