// JSON that folds: objects and lists open on demand, texts as they are.

import { cutOf, holdsCut, textOf, withoutMark } from "./cuts.js";
import { copy, h, number } from "./dom.js";

const OPEN_UP_TO = 12;
const LONG = 400;
const AT_ONCE = 200;

export function json(value, name = null, depth = 0) {
  if (value === null || typeof value !== "object") return leaf(name, value);
  const cut = cutOf(value);
  if (cut?.text !== undefined) return leaf(name, cut.text, cut);
  const kept = cut ? cut.kept : value;
  const entries = Array.isArray(kept) ? kept.map((one, at) => [at, one]) : Object.entries(kept);
  const [left, right] = Array.isArray(value) ? "[]" : "{}";
  if (!entries.length) return h("div", { class: "leaf" }, ...label(name), h("span", { class: "null" }, left + right));
  const inside = h("div", { class: "inside" });
  const of = cut && h("span", { class: "cut" }, `of ${number(cut.size)} `);
  const details = h("details", { open: depth < 2 && entries.length <= OPEN_UP_TO },
    h("summary", {}, ...label(name), h("span", { class: "null" }, `${left} ${entries.length} `, of, right)), inside);
  // Built when it is first opened: a payload may have ten thousand parts.
  const show = (from) => {
    for (const [key, one] of entries.slice(from, from + AT_ONCE)) inside.append(json(one, key, depth + 1));
    const left = entries.length - from - AT_ONCE;
    if (left <= 0 && cut) inside.append(h("div", { class: "leaf cut" }, `${number(cut.size - entries.length)} more were not recorded`));
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
  const text = typeof value === "string" ? value : String(value);
  const shown = h("span", { class: kind }, text.length > LONG ? `${text.slice(0, LONG)}…` : text);
  const row = h("div", { class: "leaf" }, ...label(name), shown);
  if (text.length > LONG) {
    const more = h("button", { type: "button", class: cut ? "cut" : null, onclick: () => { shown.textContent = text; more.remove(); } },
      cut ? `all that was recorded of ${number(cut.size)} characters` : `all ${number(text.length)} characters`);
    row.append(more);
  }
  return row;
}

function label(name) {
  return name === null ? [] : [h("span", { class: "key" }, String(name)), ": "];
}

export function section(title, value, ...more) {
  const button = h("button", { type: "button", onclick: () => copy(JSON.stringify(value, null, 2), button) }, "copy");
  const mark = holdsCut(value) && h("span", { class: "cut" }, "truncated");
  return h("section", {}, h("h3", {}, title, mark, button), ...more, json(withoutMark(value)));
}

// A conversation, where the payload has its shape: a list of messages with a role.
export function messagesOf(value) {
  const messages = cutOf(value?.messages)?.kept ?? value?.messages;
  const fits = Array.isArray(messages) && messages.length && messages.every((one) => one && typeof one === "object" && typeof one.role === "string");
  return fits ? messages : null;
}

// The answer of a model is often the result as it came: the last message of the conversation.
export function answerOf(result) {
  return result?.role === "assistant" ? [result] : [];
}

export function conversation(messages, all, answer = []) {
  const missing = (cutOf(all)?.size ?? messages.length) - messages.length;
  const told = (message) => h("li", { class: `message ${/^[a-z]+$/.test(message.role) ? message.role : ""}` },
    h("b", {}, message.role), ...said(message));
  return h("ol", { class: "conversation" }, messages.map(told),
    missing > 0 && h("li", { class: "cut" }, `${number(missing)} more were not recorded`), answer.map(told));
}

function said(message) {
  const parts = [];
  const content = Array.isArray(message.content) ? message.content : [message.content];
  for (const part of content) {
    const text = textOf(part) ?? textOf(part?.text);
    if (text !== undefined) parts.push(h("p", {}, text));
    else if (part !== null && part !== undefined) parts.push(json(part));
  }
  if (message.tool_calls) parts.push(json(message.tool_calls, "tool_calls"));
  return parts;
}
