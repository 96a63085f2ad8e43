// Makes elements and speaks to screen readers. What comes from outside becomes text, never markup.

const PROPERTIES = new Set(["value", "checked", "disabled", "hidden", "readOnly", "htmlFor", "selected", "open"]);

/** An element with attributes, listeners (`on: {click}`) and children: nodes, texts, lists of them, or nothing. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    } else if (PROPERTIES.has(name)) {
      element[name] = value;
    } else {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  add(element, children);
  return element;
}

function add(parent, children) {
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined && child !== false) parent.append(child);
  }
}

/** Puts these in place of all children. */
export function fill(parent, ...children) {
  parent.replaceChildren();
  add(parent, children);
}

let last = 0;

/** An id that no other element has. */
export function fresh(prefix) {
  last += 1;
  return `${prefix}-${last}`;
}

/** Says something that went well, in words that stay visible for a while. */
export function announce(text) {
  const region = document.getElementById("status");
  fill(region, h("p", {}, text));
  clearTimeout(announce.timer);
  announce.timer = setTimeout(() => fill(region), 8000);
}

/** A box for a problem that the reader should hear of at once. */
export function alertBox() {
  const box = h("div", { class: "problem", role: "alert", hidden: true, tabindex: "-1" });
  return {
    box,
    show(text) {
      fill(box, h("p", {}, text));
      box.hidden = false;
    },
    clear() {
      fill(box);
      box.hidden = true;
    },
  };
}

/** A button that is none of a form. */
export function button(text, onClick, attributes = {}) {
  return h("button", { type: "button", on: { click: onClick }, ...attributes }, text);
}

/** A button that puts a text on the clipboard; nothing where the browser does not allow that. */
export function copyButton(text, label = "Copy") {
  if (!navigator.clipboard) return null;
  const copy = button(label, async () => {
    try {
      await navigator.clipboard.writeText(text);
      copy.textContent = "Copied";
    } catch {
      copy.textContent = "The browser did not allow it";
    }
  }, { "aria-live": "polite" });
  return copy;
}
