// JSON that folds: objects and lists open on demand, texts as they are.

import { copy, h } from "./dom.js";

const OPEN_UP_TO = 12;
const LONG = 400;
const AT_ONCE = 200;

export function json(value, name = null, depth = 0) {
  if (value === null || typeof value !== "object") return leaf(name, value);
  const entries = Array.isArray(value) ? value.map((one, at) => [at, one]) : Object.entries(value);
  const [left, right] = Array.isArray(value) ? "[]" : "{}";
  if (!entries.length) return h("div", { class: "leaf" }, ...label(name), h("span", { class: "null" }, left + right));
  const inside = h("div", { class: "inside" });
  const details = h("details", { open: depth < 2 && entries.length <= OPEN_UP_TO },
    h("summary", {}, ...label(name), h("span", { class: "null" }, `${left} ${entries.length} ${right}`)), inside);
  // Built when it is first opened: a payload may have ten thousand parts.
  const show = (from) => {
    for (const [key, one] of entries.slice(from, from + AT_ONCE)) inside.append(json(one, key, depth + 1));
    const left = entries.length - from - AT_ONCE;
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

function leaf(name, value) {
  const kind = value === null ? "null" : typeof value;
  const text = typeof value === "string" ? value : String(value);
  const shown = h("span", { class: kind }, text.length > LONG ? `${text.slice(0, LONG)}…` : text);
  const row = h("div", { class: "leaf" }, ...label(name), shown);
  if (text.length > LONG) {
    const more = h("button", { type: "button", onclick: () => { shown.textContent = text; more.remove(); } },
      `all ${text.length.toLocaleString("en")} characters`);
    row.append(more);
  }
  return row;
}

function label(name) {
  return name === null ? [] : [h("span", { class: "key" }, String(name)), ": "];
}

export function section(title, value, ...more) {
  const button = h("button", { type: "button", onclick: () => copy(JSON.stringify(value, null, 2), button) }, "copy");
  return h("section", {}, h("h3", {}, title, button), ...more, json(value));
}

// A conversation, where the payload has its shape: a list of messages with a role.
export function messagesOf(value) {
  const messages = value?.messages;
  const fits = Array.isArray(messages) && messages.length && messages.every((one) => one && typeof one === "object" && typeof one.role === "string");
  return fits ? messages : null;
}

export function conversation(messages) {
  return h("ol", { class: "conversation" }, messages.map((message) =>
    h("li", { class: `message ${/^[a-z]+$/.test(message.role) ? message.role : ""}` },
      h("b", {}, message.role), ...said(message))));
}

function said(message) {
  const parts = [];
  const content = Array.isArray(message.content) ? message.content : [message.content];
  for (const part of content) {
    if (typeof part === "string") parts.push(h("p", {}, part));
    else if (part && typeof part.text === "string") parts.push(h("p", {}, part.text));
    else if (part !== null && part !== undefined) parts.push(json(part));
  }
  if (message.tool_calls) parts.push(json(message.tool_calls, "tool_calls"));
  return parts;
}
