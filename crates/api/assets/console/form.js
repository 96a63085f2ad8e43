// Forms: labels, hints, and refusals beside the fields they are about.

import { alertBox, button, fresh, h } from "./dom.js";
import { Problem } from "./http.js";

/** A form over `fields`; `onSubmit(values)` may throw a `Problem`, which is shown. Meanwhile a second submit does nothing. */
export function form({ intro, fields, submit, cancel, danger = false, onSubmit, note = null }) {
  const parts = fields.map(field);
  const problem = alertBox();
  const back = cancel && button("Cancel", cancel);
  const send = h("button", { type: "submit", class: danger ? "danger" : "primary" }, submit);
  let busy = false;

  const element = h("form", { novalidate: true, on: { submit: submitted } },
    intro && h("p", {}, intro),
    parts.map((part) => part.element),
    problem.box,
    h("p", { class: "actions" }, send, back),
    note,
  );

  async function submitted(event) {
    event.preventDefault();
    if (busy) return;
    problem.clear();
    parts.forEach((part) => part.complain(null));
    const empty = parts.filter((part) => part.missing());
    if (empty.length > 0) {
      empty.forEach((part) => part.complain("Please fill this in."));
      empty[0].focus();
      return;
    }
    setBusy(true);
    try {
      await onSubmit(Object.fromEntries(parts.map((part) => [part.name, part.value()])));
    } catch (error) {
      refused(error);
    } finally {
      setBusy(false);
    }
  }

  function setBusy(now) {
    busy = now;
    // Not disabled: the focus would be lost.
    send.setAttribute("aria-disabled", String(now));
    element.setAttribute("aria-busy", String(now));
  }

  function refused(error) {
    if (!(error instanceof Problem)) throw error;
    const rest = new Map(error.fields);
    const wrong = parts.filter((part) => rest.has(part.name));
    for (const part of wrong) {
      part.complain(rest.get(part.name));
      rest.delete(part.name);
    }
    const others = [...rest].map(([name, text]) => `${name}: ${text}`);
    if (wrong.length === 0 || others.length > 0) problem.show([error.message, ...others].join(" "));
    wrong[0]?.focus();
  }

  // Where nothing is to be filled in, what cannot be undone is not one key away.
  const first = parts[0] ?? (danger && back ? back : send);
  return { element, focus: () => first.focus() };
}

/** One field with its label, hint and place for a refusal. `choices` make a group of check boxes, `options` a list. */
export function field(spec) {
  const id = fresh(spec.name);
  const hint = spec.hint && h("p", { class: "hint", id: `${id}-hint` }, spec.hint);
  const error = h("p", { class: "error", id: `${id}-error`, hidden: true });
  const described = [hint && `${id}-hint`, `${id}-error`].filter(Boolean).join(" ");
  const control = spec.choices ? boxes(spec, id, described) : single(spec, id, described);
  const label = spec.choices ? null : h("label", { htmlFor: id }, spec.label);
  const inner = [label, hint, control.element, error];
  const element = spec.choices
    ? h("fieldset", { "aria-describedby": described }, h("legend", {}, spec.label), inner)
    : h("div", { class: "field" }, inner);
  return {
    name: spec.name,
    element,
    value: control.value,
    focus: () => control.first.focus(),
    missing: () => Boolean(spec.required) && control.value().length === 0,
    complain(text) {
      error.textContent = text ?? "";
      error.hidden = text === null;
      if (text === null) control.first.removeAttribute("aria-invalid");
      else control.first.setAttribute("aria-invalid", "true");
    },
  };
}

function single(spec, id, described) {
  if (spec.options) {
    const options = spec.options.map(([value, text]) => h("option", { value, selected: value === spec.value }, text));
    const select = h("select", { id, name: spec.name, "aria-describedby": described }, options);
    return { element: select, first: select, value: () => select.value };
  }
  const input = h(spec.rows ? "textarea" : "input", {
    id,
    name: spec.name,
    type: spec.rows ? null : spec.type ?? "text",
    rows: spec.rows,
    autocomplete: spec.autocomplete ?? "off",
    inputmode: spec.inputmode,
    spellcheck: "false",
    autocapitalize: spec.type === "email" || spec.name === "code" ? "none" : null,
    list: spec.list,
    min: spec.min,
    "aria-describedby": described,
    "aria-required": spec.required ? "true" : null,
    value: spec.value ?? "",
  });
  const element = spec.type === "password" ? revealable(input, spec.label) : input;
  return { element, first: input, value: () => input.value };
}

function revealable(input, label) {
  const show = button("Show", () => {
    const hidden = input.type === "password";
    input.type = hidden ? "text" : "password";
    show.setAttribute("aria-pressed", String(hidden));
  }, { "aria-pressed": "false", "aria-label": `Show: ${label}` });
  return h("div", { class: "with-button" }, input, show);
}

function boxes(spec, id, described) {
  const inputs = spec.choices.map(({ value, disabled }, index) => h("input", {
    type: "checkbox", id: `${id}-${index}`, name: spec.name, value, disabled, checked: spec.value?.includes(value) ?? false, "aria-describedby": described,
  }));
  const rows = spec.choices.map(({ label }, index) => h("div", { class: "choice" }, inputs[index], h("label", { htmlFor: inputs[index].id }, label)));
  const first = inputs.find((input) => !input.disabled) ?? inputs[0];
  return { element: h("div", {}, rows), first, value: () => inputs.filter((input) => input.checked).map((input) => input.value) };
}
