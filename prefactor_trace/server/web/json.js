// JSON that folds: objects and lists open on demand, texts as they are.

import { cutOf, holdsCut, withoutMark } from "./cuts.js";
import { copy, h, number } from "./dom.js";

const OPEN_UP_TO = 12;
const LONG = 400;
const AT_ONCE = 200;

export function json(value, name = null, depth = 0) {
  if (value === null || typeof value !== "object") return leaf(name, value);
  const cut = cutOf(value);
  if (cut?.text !== undefined) return leaf(name, cut.text, cut);
  const kept = cut ? cut.kept : value;
  const missing = cut ? cut.size - (Array.isArray(kept) ? kept : Object.keys(kept)).length : 0;
  const gap = cut?.gap ?? Infinity;
  const entries = Array.isArray(kept) ? kept.map((one, at) => [at < gap ? at : at + missing, one]) : Object.entries(kept);
  const [left, right] = Array.isArray(value) ? "[]" : "{}";
  if (!entries.length) return h("div", { class: "leaf" }, ...label(name), h("span", { class: "null" }, left + right));
  const inside = h("div", { class: "inside" });
  const of = cut && h("span", { class: "cut" }, `of ${number(cut.size)} `);
  const details = h("details", { open: depth < 2 && entries.length <= OPEN_UP_TO },
    h("summary", {}, ...label(name), h("span", { class: "null" }, `${left} ${entries.length} `, of, right)), inside);
  // Built when it is first opened: a payload may have ten thousand parts.
  const show = (from) => {
    const note = () => cut && inside.append(h("div", { class: "leaf cut" }, `${number(missing)} more were not recorded`));
    entries.slice(from, from + AT_ONCE).forEach(([key, one], at) => {
      if (from + at === gap) note();
      inside.append(json(one, key, depth + 1));
    });
    const left = entries.length - from - AT_ONCE;
    if (left <= 0 && gap >= entries.length) note();
    if (left > 0) {
      const more = h("button", { type: "button", onclick: () => { more.remove(); show(from + AT_ONCE); } }, `${left} more`);
      inside.append(more);
    }
  };
  const open = () => { if (details.open && !inside.childNodes.length) show(0); };
  details.addEventListener("toggle", open);
  open();
  return details;
}

function leaf(name, value, cut = null) {
  const kind = cut && cut.size === undefined ? "cut" : value === null ? "null" : typeof value;
  return h("div", { class: "leaf" }, ...label(name), long(String(value), LONG, kind, cut));
}

// A text, of which at first only the beginning is shown when it is long.
export function long(text, most, kind = "string", cut = null) {
  const shown = h("span", { class: kind, dir: kind === "string" ? "auto" : null }, text.length > most ? `${text.slice(0, most)}…` : text);
  if (text.length <= most) return [shown];
  const more = h("button", { type: "button", class: cut ? "cut" : null, onclick: () => { shown.textContent = text; more.remove(); } },
    cut ? `all that was recorded of ${number(cut.size)} characters` : `all ${number(text.length)} characters`);
  return [shown, more];
}

function label(name) {
  return name === null ? [] : [h("span", { class: "key" }, String(name)), ": "];
}

export function section(title, value, ...more) {
  const button = h("button", { type: "button", onclick: () => copy(JSON.stringify(value, null, 2), button) }, "copy");
  const mark = holdsCut(value) && h("span", { class: "cut" }, "truncated");
  return h("section", {}, h("h3", {}, title, mark, button), ...more, json(withoutMark(value)));
}
