// A call of a model as the conversation that it was, in the shapes that model libraries send.

import { cutOf, textOf } from "./cuts.js";
import { h, number } from "./dom.js";
import { json, long } from "./json.js";

const LONG = 2000;

const ROLES = { human: "user", ai: "assistant", system: "system", tool: "tool" }; // as LangChain calls them

function roleOf(one) {
  if (typeof one?.role === "string") return one.role;
  return one?.content !== undefined && Object.hasOwn(ROLES, one.type ?? "") ? ROLES[one.type] : null;
}

const isMessage = (one) => roleOf(one) !== null;
const listOf = (value) => (value === null || value === undefined ? [] : Array.isArray(value) ? value : [value]);

// The messages of a payload, how many of them are missing and where; nothing where it has none.
export function messagesOf(payload) {
  for (const all of [payload?.messages, payload?.input]) {
    const messages = cutOf(all)?.kept ?? all;
    if (!Array.isArray(messages) || !messages.length || !messages.every((one) => isMessage(one) || one?.type)) continue;
    if (!messages.some(isMessage)) continue;
    const system = payload.system ?? payload.instructions;
    const before = system && !cutOf(system)?.kept ? [{ role: "system", content: system }] : [];
    const { size = messages.length, gap = 0 } = cutOf(all) ?? {};
    return { messages: [...before, ...messages], missing: size - messages.length, gap: before.length + gap };
  }
  return null;
}

// What the model answered: the result as it came, or what lies in it where libraries put it.
export function answerOf(result) {
  const value = result && Object.keys(result).length === 1 && result.result ? result.result : result;
  if (roleOf(value) === "assistant") return [value];
  const choices = listOf(cutOf(value?.choices)?.kept ?? value?.choices).map((one) => one?.message);
  return [...choices, value?.message, ...listOf(cutOf(value?.output)?.kept ?? value?.output)]
    .filter((one) => isMessage(one) || one?.type === "function_call");
}

export function conversation({ messages, missing, gap }, answer = []) {
  return h("ol", { class: "conversation" }, messages.slice(0, gap).map(told),
    missing > 0 && h("li", { class: "cut" }, `${number(missing)} more were not recorded`),
    messages.slice(gap).map(told), answer.map(told));
}

function told(message) {
  const role = roleOf(message) ?? (message.type === "function_call" ? "assistant" : "tool");
  return h("li", { class: `message ${/^[a-z]+$/.test(role) ? role : ""}` },
    h("b", {}, role, typeof message.name === "string" && role === "tool" && ` ${message.name}`), said(message, role));
}

function said(message, role) {
  const parts = isMessage(message) ? listOf(message.content) : [message];
  const calls = listOf(cutOf(message.tool_calls)?.kept ?? message.tool_calls);
  return [...parts.flatMap((part) => piece(part, role)), ...calls.flatMap((call) => piece(call, role))];
}

function piece(part, role) {
  const text = textOf(part) ?? textOf(part?.text);
  if (text === "") return [];
  if (text !== undefined) {
    const value = role === "tool" ? parsed(text) : null;
    return value && typeof value === "object" ? json(value) : h("p", { dir: "auto" }, long(text, LONG));
  }
  const called = part?.function ?? (["tool_use", "function_call", "tool_call"].includes(part?.type) ? part : null);
  if (typeof called?.name === "string") {
    const given = called.arguments ?? called.input ?? called.args;
    return h("div", { class: "call" }, h("b", {}, `→ ${called.name}`), given !== undefined && json(parsed(given)));
  }
  if (part?.type === "tool_result" || part?.type === "function_call_output") return listOf(part.content ?? part.output).flatMap((one) => piece(one, "tool"));
  return part === null || part === undefined ? [] : json(part);
}

// Arguments and results often travel as JSON in a text.
function parsed(value) {
  if (typeof value !== "string" || !/^\s*[[{]/.test(value)) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}
