// One run: its tree and its waterfall on one time axis, a row a span, only those in sight drawn.

import { ask, send } from "./api.js";
import { charts } from "./charts.js";
import { badge, clock, duration, h, moment, number, SILENT, show, silence } from "./dom.js";
import { SpanPanel } from "./span.js";
import { Tree } from "./tree.js";

const ROW = 26; // pixels, as in the style sheet
const SPARE = 12; // rows drawn above and below those in sight
const TICKS = 6;

export class Run {
  constructor(app, id) {
    this.app = app;
    this.id = id;
    this.tree = new Tree();
    this.since = "";
    this.chosen = app.query.get("span");
    this.window = this.readWindow();
    this.drawn = new Map();
  }

  readWindow() {
    const [from, to] = (this.app.query.get("zoom") ?? "").split("-").map(Number);
    return to > from ? [from, to] : null;
  }

  async show() {
    this.head = h("div", { class: "runhead" });
    this.axis = h("div", { class: "axis" });
    this.list = h("div", { class: "rows", role: "tree", tabindex: "0", "aria-label": "Spans" });
    this.space = h("div", { class: "space" });
    this.list.append(this.space);
    this.selection = h("div", { class: "selection", hidden: true });
    this.waterfall = h("div", { class: "waterfall" },
      h("div", { class: "columns" }, h("span", {}, "Span"), this.axis), this.list, this.selection);
    this.side = h("aside", { "aria-label": "The chosen span", hidden: true });
    this.panel = new SpanPanel(this.app, this.side, () => this.choose(null));
    this.charts = h("section", { class: "charts", hidden: true });
    this.app.main.replaceChildren(this.head, this.charts, h("div", { class: "split" }, this.waterfall, this.side));
    this.list.addEventListener("scroll", () => this.draw(), { passive: true });
    this.list.addEventListener("click", (event) => this.clicked(event));
    this.waterfall.addEventListener("pointerdown", (event) => this.drag(event));
    this.waterfall.addEventListener("dblclick", () => this.zoom(null));
    this.resized = new ResizeObserver(() => this.draw(true));
    this.resized.observe(this.waterfall);
    await this.refresh();
    if (this.chosen) this.choose(this.chosen);
    this.timer = setInterval(() => {
      if (this.ended) return;
      if (this.silent !== silence(this.run)) this.drawHead(); // nothing comes that would tell
      if (this.tree.open) this.draw(true);
    }, 400);
  }

  leave() {
    clearInterval(this.timer);
    this.resized?.disconnect();
  }

  async refresh() {
    const answer = await ask(`runs/${this.id}?since=${encodeURIComponent(this.since)}`);
    this.run = answer.run;
    this.since = answer.now;
    this.ended = !["active", "pending"].includes(this.run.status);
    this.tree.take(answer.spans);
    this.drawHead();
    this.rows = this.tree.rows();
    this.draw(true);
    if (answer.spans.some((span) => span.id === this.chosen)) this.panel.show(this.chosen);
  }

  drawHead() {
    const run = this.run;
    const start = moment(run.started_at ?? run.inserted_at);
    const end = moment(run.finished_at);
    this.silent = silence(run);
    const { failed, more } = this.tree.failure;
    const facts = [run.version, run.purpose, clock(run.started_at), end && duration(end - start), `${number(run.spans)} spans`,
      run.tokens !== null && `${number(run.tokens)} tokens`, run.termination_reason && `ended: ${run.termination_reason}`];
    const exports = ["jsonl", "otlp", "chrome"].map((format) =>
      h("a", { href: `/ui/api/runs/${this.id}/export?format=${format}`, download: true }, format));
    show(this.head,
      h("h1", {}, run.agent, " ", badge(run.status)),
      h("p", { class: "dim" }, facts.filter(Boolean).join("  ·  ")),
      this.silent && h("p", { class: "silent" }, `Silent for ${this.silent}: ${SILENT}`),
      ...Object.entries(run.quality).map(([name, record]) => h("p", { class: "quality" }, h("b", {}, name), " ", JSON.stringify(record))),
      failed && h("button", { type: "button", class: "error", onclick: () => this.nextError(failed.id) }, `${failed.name}: ${failed.error}${more && `  ·  and ${number(more)} more`}`),
      h("div", { class: "tools" },
        h("button", { type: "button", onclick: () => this.toggleCharts() }, "Picture"),
        h("button", { type: "button", onclick: () => this.fold() }, "Fold or unfold"),
        h("span", { class: "exports" }, "Export ", ...exports),
        !this.ended && h("button", { type: "button", class: "danger", onclick: () => this.terminate() }, "Terminate…")));
    this.app.crumb(run.agent, this.id);
  }

  async toggleCharts() {
    this.charts.hidden = !this.charts.hidden;
    if (!this.charts.hidden) this.charts.replaceChildren(...charts(await ask(`runs/${this.id}/statistics`)));
  }

  terminate() {
    const dialog = document.getElementById("dialog");
    const reason = h("input", { "aria-label": "Reason", maxlength: "1000", placeholder: "Why, for the agent and for the record" });
    const told = h("p", { role: "alert" });
    const form = h("form", { method: "dialog", onsubmit: async (event) => {
      event.preventDefault();
      try {
        await send(`runs/${this.id}/terminate`, { reason: reason.value });
        dialog.close();
        await this.refresh();
      } catch (error) { told.textContent = error.message; }
    } }, h("h2", {}, "Terminate this run?"), h("p", {}, "The agent is told with the answer to what it sends next."), reason, told,
      h("button", { type: "submit", class: "danger" }, "Terminate"), h("button", { type: "button", onclick: () => dialog.close() }, "Let it run"));
    dialog.replaceChildren(form);
    dialog.showModal();
    reason.focus();
  }

  // The time axis

  get now() {
    if (!this.tree.open || this.ended) return this.tree.to;
    // What a silent run does now nobody knows: its steps are drawn as far as they are.
    return Math.max(silence(this.run) ? moment(this.run.heard_at) : Date.now(), this.tree.to);
  }

  get shown() {
    const from = this.tree.from;
    if (this.window) return [from + this.window[0], from + this.window[1]];
    return [from, Math.max(this.now, from + 0.001)];
  }

  zoom(window) {
    this.window = window;
    const query = this.app.query;
    if (window) query.set("zoom", window.map((one) => one.toFixed(3)).join("-")); else query.delete("zoom");
    this.address(query);
    this.draw(true);
  }

  drag(event) {
    const box = this.axis.getBoundingClientRect();
    if (event.button !== 0 || event.clientX < box.left || event.clientX > box.right) return;
    const [from, to] = this.shown;
    const start = event.clientX;
    const at = (x) => from + ((Math.min(Math.max(x, box.left), box.right) - box.left) / box.width) * (to - from) - this.tree.from;
    const move = (moved) => {
      const [left, right] = [Math.min(start, moved.clientX), Math.max(start, moved.clientX)];
      this.selection.hidden = right - left < 4;
      const origin = this.waterfall.getBoundingClientRect().left;
      this.selection.style.left = `${Math.max(left, box.left) - origin}px`;
      this.selection.style.width = `${Math.min(right, box.right) - Math.max(left, box.left)}px`;
    };
    const end = (ended) => {
      removeEventListener("pointermove", move);
      this.selection.hidden = true;
      if (Math.abs(ended.clientX - start) >= 4) {
        this.dragged = true;
        this.zoom([at(Math.min(start, ended.clientX)), at(Math.max(start, ended.clientX))]);
        setTimeout(() => (this.dragged = false));
      }
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", end, { once: true });
  }

  // The rows

  draw(anew = false) {
    if (!this.rows) return;
    if (anew) {
      this.drawAxis();
      for (const row of this.drawn.values()) row.remove();
      this.drawn.clear();
    }
    this.space.style.height = `${this.rows.length * ROW}px`;
    const first = Math.max(Math.floor(this.list.scrollTop / ROW) - SPARE, 0);
    const last = Math.min(first + Math.ceil(this.list.clientHeight / ROW) + 2 * SPARE, this.rows.length);
    for (const [at, row] of this.drawn) if (at < first || at >= last) { row.remove(); this.drawn.delete(at); }
    const added = document.createDocumentFragment();
    for (let at = first; at < last; at += 1) {
      if (this.drawn.has(at)) continue;
      const row = this.row(this.rows[at], at);
      this.drawn.set(at, row);
      added.append(row);
    }
    this.space.append(added);
    this.list.setAttribute("aria-activedescendant", this.chosen ? `row-${this.chosen}` : "");
  }

  drawAxis() {
    const [from, to] = this.shown;
    show(this.axis, Array.from({ length: TICKS }, (_, at) =>
      h("span", { class: "tick", style: { left: `${(at / TICKS) * 100}%` } },
        duration(from - this.tree.from + ((to - from) * at) / TICKS))),
      this.window && h("button", { type: "button", class: "whole", title: "Double click does the same", onclick: () => this.zoom(null) }, "whole run"));
  }

  row({ span, depth }, at) {
    const [from, to] = this.shown;
    const folded = this.tree.collapsed.has(span.id);
    const classes = ["row", span.status, this.tree.critical.has(span.id) && "critical", span.id === this.chosen && "chosen"];
    const start = span.from ?? from;
    const end = span.to ?? this.now;
    const left = ((start - from) / (to - from)) * 100;
    const width = ((end - start) / (to - from)) * 100;
    const outside = left > 100 || left + width < 0;
    const bar = outside ? null : h("i", { class: "bar", style: { left: `${Math.max(left, 0)}%`, width: `${Math.min(left + width, 100) - Math.max(left, 0)}%` } });
    const took = span.to === null ? "open" : duration(span.to - start);
    const beside = !outside && h("span", { class: left + width > 80 ? "took before" : "took", style: left + width > 80 ? { right: `${100 - Math.max(left, 0)}%` } : { left: `${Math.max(left + width, 0)}%` } }, took);
    const twist = h("button", { type: "button", class: "twist", tabindex: "-1", hidden: !span.children.length, "aria-label": folded ? "Unfold" : "Fold", "data-fold": "1" }, folded ? "▸" : "▾");
    return h("div", {
      class: classes.filter(Boolean).join(" "), id: `row-${span.id}`, role: "treeitem", "aria-level": depth + 1,
      "aria-selected": span.id === this.chosen, "aria-expanded": span.children.length ? !folded : null,
      "aria-label": `${span.name}, ${span.status}, ${took}${span.error ? `, ${span.error}` : ""}`,
      "data-id": span.id, style: { top: `${at * ROW}px` },
    },
      h("span", { class: "name", style: { "padding-left": `${Math.min(depth, 24) * 14 + 4}px` } }, twist,
        h("b", {}, span.name), span.wrong && h("em", { class: "wrong", title: "Does not match its declared type" }, "≠"),
        h("small", {}, span.error ?? span.summary ?? span.hint ?? "")),
      h("span", { class: "lane" }, bar, beside));
  }

  clicked(event) {
    const row = event.target.closest(".row");
    if (!row || this.dragged) return;
    if (event.target.dataset.fold) this.toggle(row.dataset.id);
    else this.choose(row.dataset.id);
  }

  toggle(id, fold = !this.tree.collapsed.has(id)) {
    if (fold) this.tree.collapsed.add(id); else this.tree.collapsed.delete(id);
    this.rows = this.tree.rows();
    this.draw(true);
  }

  fold() {
    if (this.tree.collapsed.size) this.tree.collapsed.clear();
    else for (const span of this.tree.spans.values()) if (span.children.length && span.above) this.tree.collapsed.add(span.id);
    this.rows = this.tree.rows();
    this.draw(true);
  }

  choose(id) {
    this.chosen = id;
    const query = this.app.query;
    if (id) query.set("span", id); else query.delete("span");
    this.address(query);
    if (!id) {
      this.side.hidden = true;
    } else {
      this.tree.reveal(id);
      this.rows = this.tree.rows();
      this.panel.show(id);
      const at = this.rows.findIndex((row) => row.span.id === id);
      const top = at * ROW;
      if (top < this.list.scrollTop) this.list.scrollTop = top;
      else if (top + ROW > this.list.scrollTop + this.list.clientHeight) this.list.scrollTop = top + ROW - this.list.clientHeight;
    }
    this.draw(true);
  }

  address(query) {
    this.app.replace(`/agent_instances/${this.id}${query.size ? `?${query}` : ""}`);
  }

  key(event) {
    const at = this.rows?.findIndex((row) => row.span.id === this.chosen) ?? -1;
    const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key];
    if (step) {
      const next = this.rows[Math.min(Math.max(at + step, 0), this.rows.length - 1)];
      if (next) this.choose(next.span.id);
    } else if (["h", "ArrowLeft"].includes(event.key) && at >= 0) {
      const { span } = this.rows[at];
      if (span.children.length && !this.tree.collapsed.has(span.id)) this.toggle(span.id, true);
      else if (span.above) this.choose(span.above.id);
    } else if (["l", "ArrowRight"].includes(event.key) && at >= 0) this.toggle(this.chosen, false);
    else if (event.key === "e") this.nextError();
    else if (event.key === "p") this.toggleCharts();
    else if (event.key === "Enter" && at >= 0) this.side.focus();
    else if (event.key === "Escape") {
      if (this.window) this.zoom(null);
      else if (this.chosen) this.choose(null);
      else this.app.go("/");
    } else return false;
    return true;
  }

  nextError(first = null) {
    // From a span that did not fail, to the one that was told first.
    if (first && this.tree.spans.get(this.chosen)?.status !== "failed") return this.choose(first);
    const rows = this.tree.rows(new Set());
    const from = rows.findIndex((row) => row.span.id === this.chosen);
    const next = [...rows.slice(from + 1), ...rows.slice(0, Math.max(from, 0) + 1)].find((row) => row.span.status === "failed");
    if (next) this.choose(next.span.id);
  }
}
