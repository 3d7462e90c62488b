// One span: what went in, what came out, what was declared of it.

import { ask, Away } from "./api.js";
import { answerOf, conversation, messagesOf } from "./conversation.js";
import { textOf } from "./cuts.js";
import { badge, clock, copy, counted, duration, h, moment, number, Parts, show } from "./dom.js";
import { section } from "./json.js";

const GRAVE = new Set(["destroy_data", "financial_transactions", "external_communication"]);
const ERROR = ["error_type", "message", "stacktrace"];

export class SpanPanel {
  constructor(app, element, close, from) {
    this.app = app;
    this.element = element;
    this.from = from; // when the run began
    this.button = h("button", { type: "button", class: "close", "aria-label": "Close", onclick: close }, "×");
    this.parts = new Parts();
    element.tabIndex = -1;
  }

  async show(id) {
    const isNew = this.id !== id;
    this.id = id;
    const found = await ask(`spans/${id}`).catch((error) => error);
    if (this.id !== id) return; // another one was chosen meanwhile
    this.element.hidden = false;
    this.missing = found instanceof Error;
    if (this.missing) {
      // It may come: an address is known before what it leads to has arrived.
      show(this.element, this.button, h("p", { class: "empty", role: "alert" }, found.message));
      if (found instanceof Away) throw found;
      return;
    }
    // What has not changed stays as it is: scrolled, folded and with the focus where it was.
    if (isNew) this.parts = new Parts();
    const part = (name, facts, make) => this.parts.part(name, facts, make);
    const { payload, result } = found;
    show(this.element, this.button,
      part("head", [found.name, found.status, found.title, found.description, found.summary], () => this.head(found)),
      part("error", [found.status, result], () => this.error(found)),
      part("conformance", found.errors, () => this.conformance(found)),
      part("facts", [found.start, found.end, found.tokens], () => this.facts(found)),
      part("risk", found.risk, () => this.risk(found.risk)),
      part("conversation", [payload, result], () => this.conversation(payload, result)),
      part("payload", payload, () => section("Payload", payload)),
      part("result", [result, found.status], () => this.result(found)),
      part("links", found.elsewhere, () => this.links(found)));
    if (!isNew) return;
    this.element.scrollTop = 0;
    for (const trace of this.element.querySelectorAll("pre")) trace.scrollTop = trace.scrollHeight; // where it was raised
  }

  head(span) {
    return h("div", {}, h("h2", {}, h("bdi", {}, span.name), " ", badge(span.status)),
      span.title && h("p", {}, h("b", {}, span.title)),
      span.description && h("p", { class: "dim" }, span.description),
      span.summary && h("p", { class: "summary", dir: "auto" }, span.summary));
  }

  error({ status, result }) {
    if (status !== "failed" || (!result?.error_type && !result?.message)) return null;
    const trace = textOf(result.stacktrace);
    const message = textOf(result.message) ?? String(result.message ?? "");
    const kind = String(result.error_type ?? "Error");
    const button = h("button", { type: "button", onclick: () => copy(trace || `${kind}: ${message}`, button) }, "copy");
    return h("section", { class: "failure" },
      h("h3", {}, h("bdi", {}, kind), button), h("p", { dir: "auto" }, message),
      trace && h("details", { open: true }, h("summary", {}, "Stack trace"), h("pre", { tabindex: "0" }, trace)));
  }

  conformance(span) {
    if (!span.errors.length) return null;
    return h("section", { class: "conformance" }, h("h3", {}, "Does not match its declared type"),
      h("ul", {}, span.errors.map((one) => h("li", {}, h("code", {}, one.field), " ", one.message))));
  }

  facts(span) {
    const start = moment(span.start);
    const end = moment(span.end);
    const since = start - this.from();
    const id = h("button", { type: "button", onclick: () => copy(span.id, id) }, "copy");
    const { input, output, total } = span.tokens ?? {};
    const rows = [
      ["Began", h("span", { title: span.start ?? "" }, clock(span.start)), since > 0 && `, ${duration(since)} into the run`],
      ["Took", end === null ? "still open" : duration(end - start)],
      span.tokens && ["Tokens", number(total), input !== null && output !== null && ` (${number(input)} in, ${number(output)} out)`],
      ["Id", span.id, " ", id],
    ];
    return h("dl", {}, rows.filter(Boolean).flatMap(([name, ...told]) => [h("dt", {}, name), h("dd", {}, told)]));
  }

  risk(risk) {
    if (!risk) return null;
    const badges = [];
    for (const [action, word] of Object.entries(risk.action_profile ?? {})) {
      const told = action.replaceAll("_", " ").replace(/^(financial|external)/, "do $1");
      if (word === "allowed") badges.push(h("span", { class: `risk ${GRAVE.has(action) ? "grave" : ""}` }, `may ${told}`));
    }
    for (const [part, name] of [["params_data_categories", "payload"], ["result_data_categories", "result"]]) {
      for (const [kind, word] of Object.entries(risk[part] ?? {})) {
        if (word === "included") badges.push(h("span", { class: "risk data" }, `${name}: ${kind.replaceAll("_", " ")}`));
        if (kind === "classification" && word !== "unknown") badges.push(h("span", { class: "risk class" }, `${name}: ${word}`));
      }
    }
    return badges.length ? h("section", { class: "risks", "aria-label": "Risk" }, h("h3", {}, "Risk"), badges) : null;
  }

  conversation(payload, result) {
    const found = messagesOf(payload);
    return found && h("section", {}, h("h3", {}, "Conversation", h("span", { class: "count" }, counted(found.messages.length, "message"))),
      conversation(found, answerOf(result)));
  }

  // What the error does not say already; what a function returned travels as the only field.
  result({ status, result }) {
    if (result === null) return null;
    const told = status === "failed" ? Object.entries(result).filter(([key]) => !ERROR.includes(key)) : Object.entries(result);
    if (status === "failed" && !told.length) return null;
    const isReturned = told.length === 1 && told[0][0] === "result";
    return section("Result", isReturned ? told[0][1] : Object.fromEntries(told));
  }

  links(span) {
    const link = (run, id, text) => h("a", { href: `/agent_instances/${run}?span=${id}` }, text);
    const button = h("button", { type: "button", onclick: () => copy(location.href, button) }, "copy link");
    return h("section", {}, h("h3", {}, "See also", button),
      span.parent && h("p", {}, link(span.run, span.parent, "The span that it is in")),
      span.elsewhere.map((one) => h("p", {}, link(one.run, one.id, `${span.name} in another run, ${clock(one.start)}`), " ", badge(one.status))));
  }
}
