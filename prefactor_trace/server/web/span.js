// One span: what went in, what came out, what was declared of it.

import { ask } from "./api.js";
import { textOf } from "./cuts.js";
import { badge, clock, copy, duration, h, moment, show } from "./dom.js";
import { answerOf, conversation, messagesOf, section } from "./json.js";

const GRAVE = new Set(["destroy_data", "financial_transactions", "external_communication"]);

export class SpanPanel {
  constructor(app, element, close) {
    this.app = app;
    this.element = element;
    this.close = close;
    element.tabIndex = -1;
  }

  async show(id) {
    this.id = id;
    const span = await ask(`spans/${id}`);
    if (this.id !== id) return; // another one was chosen meanwhile
    this.element.hidden = false;
    const error = span.status === "failed" ? span.result : null;
    show(this.element,
      h("button", { type: "button", class: "close", "aria-label": "Close", onclick: this.close }, "×"),
      h("h2", {}, span.name, " ", badge(span.status)),
      span.title && h("p", {}, h("b", {}, span.title)),
      span.description && h("p", { class: "dim" }, span.description),
      span.summary && h("p", { class: "summary" }, span.summary),
      ...this.error(error),
      ...this.conformance(span),
      this.timing(span),
      ...this.risk(span.risk),
      ...this.values(span),
      this.links(span));
  }

  error(result) {
    if (!result?.error_type && !result?.message) return [];
    const trace = textOf(result.stacktrace);
    return [h("section", { class: "failure" },
      h("h3", {}, String(result.error_type ?? "Error")), h("p", {}, textOf(result.message) ?? String(result.message ?? "")),
      trace && h("details", {}, h("summary", {}, "Stack trace"), h("pre", {}, trace)))];
  }

  conformance(span) {
    if (!span.errors.length) return [];
    return [h("section", { class: "conformance" }, h("h3", {}, "Does not match its declared type"),
      h("ul", {}, span.errors.map((one) => h("li", {}, h("code", {}, one.field), " ", one.message))))];
  }

  timing(span) {
    const start = moment(span.start);
    const end = moment(span.end);
    const rows = [["Began", clock(span.start)], ["Took", end === null ? "still open" : duration(end - start)], ["Id", span.id]];
    return h("dl", {}, rows.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
  }

  risk(risk) {
    if (!risk) return [];
    const badges = [];
    for (const [action, word] of Object.entries(risk.action_profile ?? {})) {
      if (word === "allowed") badges.push(h("span", { class: `risk ${GRAVE.has(action) ? "grave" : ""}` }, `may ${action.replaceAll("_", " ")}`));
    }
    for (const [part, name] of [["params_data_categories", "payload"], ["result_data_categories", "result"]]) {
      for (const [kind, word] of Object.entries(risk[part] ?? {})) {
        if (word === "included") badges.push(h("span", { class: "risk data" }, `${name}: ${kind.replaceAll("_", " ")}`));
        if (kind === "classification" && word !== "unknown") badges.push(h("span", { class: "risk class" }, `${name}: ${word}`));
      }
    }
    return badges.length ? [h("section", { class: "risks", "aria-label": "Risk" }, h("h3", {}, "Risk"), badges)] : [];
  }

  values(span) {
    const parts = [];
    const messages = messagesOf(span.payload);
    if (messages) parts.push(h("section", {}, h("h3", {}, "Conversation"), conversation(messages, span.payload.messages, answerOf(span.result))));
    parts.push(section("Payload", span.payload));
    if (span.result !== null) parts.push(section("Result", span.result));
    return parts;
  }

  links(span) {
    const link = (run, id, text) => h("a", { href: `/agent_instances/${run}?span=${id}` }, text);
    const button = h("button", { type: "button", onclick: () => copy(location.href, button) }, "copy link");
    return h("section", {}, h("h3", {}, "See also", button),
      span.parent && h("p", {}, link(span.run, span.parent, "The span that it is in")),
      ...span.elsewhere.map((one) => h("p", {}, link(one.run, one.id, `${span.type} in another run, ${clock(one.start)}`), " ", badge(one.status))));
  }
}
