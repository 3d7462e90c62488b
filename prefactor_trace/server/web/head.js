// What stands above the rows of a run: its name and how it stands, what went wrong, what can be done.

import { ask, send } from "./api.js";
import { charts } from "./charts.js";
import { badge, clock, counted, duration, h, moment, number, Parts, SILENT, show } from "./dom.js";
import { json } from "./json.js";

export class Head {
  // `view` is the run, as `run.js` shows it.
  constructor(view) {
    this.view = view;
    this.app = view.app;
    this.parts = new Parts();
    this.element = h("div", { class: "runhead" });
    this.title = h("div", { class: "title" });
    this.charts = h("section", { class: "charts", "aria-label": "Picture", tabindex: "0", hidden: true });
  }

  draw() {
    const { run, tree, silent, ended } = this.view;
    const began = moment(run.started_at ?? run.inserted_at);
    const took = run.finished_at ? duration(moment(run.finished_at) - began)
      : !ended && !silent && `${duration(Math.max(Math.floor((Date.now() - began) / 1000), 0) * 1000)} so far`;
    const { failed, more } = tree.firstFailure(run.status === "failed");
    const facts = [run.version, `${run.purpose.replace("_", " ")} run`, clock(run.started_at), took, counted(run.spans, "span"),
      run.tokens !== null && counted(run.tokens, "token")].filter(Boolean).join("  ·  ");
    const part = (name, facts, make) => facts && this.parts.part(name, facts, make);
    show(this.title, part("title", [run.agent, run.status], () => h("h1", {}, h("bdi", {}, run.agent), " ", badge(run.status))), this.tools());
    show(this.element, this.title,
      part("facts", facts, () => h("p", { class: "dim" }, facts)),
      part("ended", run.termination_reason, () => h("p", { class: "ended" }, `Ended by the platform: ${run.termination_reason}`)),
      part("silent", silent, () => h("p", { class: "silent" }, `Silent for ${silent}: ${SILENT}`)),
      failed && part("error", [failed.id, failed.error, more], () =>
        h("button", { type: "button", class: "error", onclick: () => this.view.nextError(failed.id) },
          h("bdi", {}, [failed.name, failed.error].filter(Boolean).join(": ")), more > 0 && `  ·  and ${number(more)} more`)),
      Object.entries(run.quality).map(([name, record]) => part(`quality ${name}`, [record], () => quality(name, record))));
    this.app.crumb(run.agent, run.id);
  }

  tools() {
    const { id, ended, tree } = this.view;
    const isFolded = tree.collapsed.size > 0;
    return this.parts.part("tools", [ended, isFolded], () => h("div", { class: "tools" },
      h("button", { type: "button", onclick: () => this.toggleCharts() }, "Picture"),
      h("button", { type: "button", onclick: () => this.view.fold() }, isFolded ? "Unfold all" : "Fold all"),
      h("span", { class: "exports" }, "Export ", ["jsonl", "otlp", "chrome"].map((format) =>
        h("a", { href: `/ui/api/runs/${id}/export?format=${format}`, download: true }, format))),
      !ended && h("button", { type: "button", class: "danger", onclick: () => this.terminate() }, "Terminate…")));
  }

  async toggleCharts() {
    this.charts.hidden = !this.charts.hidden;
    if (!this.charts.hidden) await this.app.tell(async () => this.charts.replaceChildren(...charts(await ask(`runs/${this.view.id}/statistics`))));
  }

  terminate() {
    const dialog = document.getElementById("dialog");
    const reason = h("input", { "aria-label": "Reason", maxlength: "1000", placeholder: "Why, for the agent and for the record" });
    const told = h("p", { role: "alert" });
    const form = h("form", { method: "dialog", onsubmit: async (event) => {
      event.preventDefault();
      try {
        await send(`runs/${this.view.id}/terminate`, { reason: reason.value });
        dialog.close();
        await this.view.refresh();
      } catch (error) { told.textContent = error.message; }
    } }, h("h2", {}, "Terminate this run?"), h("p", {}, "The agent is told with the answer to what it sends next."), reason, told,
      h("button", { type: "submit", class: "danger" }, "Terminate"), h("button", { type: "button", onclick: () => dialog.close() }, "Let it run"));
    dialog.replaceChildren(form);
    dialog.showModal();
    reason.focus();
  }
}

function quality(name, record) {
  const told = Object.entries(record ?? {}).map(([key, value]) => `${key}: ${typeof value === "string" ? value : JSON.stringify(value)}`).join(", ");
  return h("details", { class: "quality" }, h("summary", {}, h("b", {}, name), " ", h("span", { dir: "auto" }, told)), json(record));
}
