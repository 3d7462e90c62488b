// One run: its tree and its waterfall on one time axis, a row a span, only those in sight drawn.

import { ask } from "./api.js";
import { Axis } from "./axis.js";
import { duration, h, moment, morph, number, show, silence } from "./dom.js";
import { Find } from "./find.js";
import { Head } from "./head.js";
import { SpanPanel } from "./span.js";
import { Tree } from "./tree.js";

const ROW = 26; // pixels, as in the style sheet
const SPARE = 12; // rows drawn above and below those in sight
const INDENT = 14; // pixels a level, less where the tree is deeper than there is room for
const LETTER = 6.5; // pixels of a letter beside a bar

export class Run {
  constructor(app, id) {
    this.app = app;
    this.id = id;
    this.tree = new Tree();
    this.since = "";
    this.chosen = app.query.get("span");
    this.window = this.readWindow();
    this.found = null;
    this.drawn = new Map();
  }

  readWindow() {
    const [from, to] = (this.app.query.get("zoom") ?? "").split("-").map(Number);
    return to > from ? [from, to] : null;
  }

  async show() {
    this.head = new Head(this);
    this.axis = new Axis((window) => this.zoom(window));
    this.find = new Find(this, this.app.query.get("find") ?? "", (found, text) => this.take(found, text), (step) => this.nextFound(step));
    this.list = h("div", { class: "rows", role: "tree", tabindex: "0", "aria-label": "Spans" });
    this.space = h("div", { class: "space", role: "presentation" });
    this.empty = h("p", { class: "empty", hidden: true });
    this.list.append(this.space, this.empty);
    this.waterfall = h("div", { class: "waterfall" },
      h("div", { class: "columns" }, this.find.element, this.axis.element), this.list, this.axis.selection);
    this.side = h("aside", { "aria-label": "The chosen span", hidden: true });
    this.panel = new SpanPanel(this.app, this.side, () => this.choose(null), () => this.tree.from);
    this.app.main.replaceChildren(this.head.element, this.head.charts, h("div", { class: "split" }, this.waterfall, this.side));
    this.list.addEventListener("scroll", () => this.draw(), { passive: true });
    this.list.addEventListener("click", (event) => this.clicked(event));
    this.waterfall.addEventListener("pointerdown", (event) => this.axis.drag(event, this.shown.map((one) => one - this.tree.from), () => {
      this.dragged = true; // and no click on what lies below
      setTimeout(() => (this.dragged = false));
    }));
    this.waterfall.addEventListener("dblclick", (event) => { if (!event.target.closest(".find")) this.zoom(null); });
    this.resized = new ResizeObserver(() => this.draw(true));
    this.resized.observe(this.waterfall);
    this.printing = (event) => {
      this.onPaper = event.type === "beforeprint"; // which has all rows in sight
      this.draw(true);
    };
    for (const name of ["beforeprint", "afterprint"]) addEventListener(name, this.printing);
    await this.refresh();
    if (this.app.view !== this) return; // somebody has gone on meanwhile
    if (this.found && !this.found.size) await this.find.clear(); // the list has found the run by its name
    if (this.chosen) this.choose(this.chosen);
    this.timer = setInterval(() => {
      if (this.ended) return;
      this.head.draw(); // how long it took so far, or is silent: nothing comes that would tell
      if (this.tree.open) this.draw(true);
    }, 400);
  }

  leave() {
    clearInterval(this.timer);
    this.resized?.disconnect();
    for (const name of ["beforeprint", "afterprint"]) removeEventListener(name, this.printing);
  }

  async refresh() {
    const answer = await ask(`runs/${this.id}?since=${encodeURIComponent(this.since)}`);
    this.run = answer.run;
    this.since = answer.now;
    this.ended = !["active", "pending"].includes(this.run.status);
    this.tree.take(answer.spans);
    this.head.draw();
    this.arrange();
    if (this.find.text) await this.find.look();
    if (this.chosen && (this.panel.missing || answer.spans.some((span) => span.id === this.chosen))) await this.panel.show(this.chosen);
  }

  // For how long nothing was heard of it.
  get silent() {
    return silence(this.run);
  }

  // The time axis

  get now() {
    if (!this.tree.open || this.ended) return this.tree.to;
    // What a silent run does now nobody knows: its steps are drawn as far as they are.
    return Math.max(this.silent ? moment(this.run.heard_at) : Date.now(), this.tree.to);
  }

  get shown() {
    const from = this.tree.from;
    if (this.window) return [from + this.window[0], from + this.window[1]];
    return [from, Math.max(this.now, from + 0.001)];
  }

  zoom(window) {
    this.window = window && window.map((one) => Number(one.toFixed(4))); // as the address keeps it
    this.app.keep("zoom", this.window?.join("-"));
    this.draw(true);
  }

  zoomToChosen() {
    const span = this.tree.spans.get(this.chosen);
    if (!span || span.from === null) return;
    const [from, to] = [span.from - this.tree.from, (span.to ?? this.now) - this.tree.from];
    const isShown = this.window && Math.abs(this.window[0] - from) < 0.001 && Math.abs(this.window[1] - to) < 0.01;
    this.zoom(isShown ? null : [from, Math.max(to, from + 0.001)]);
  }

  // The rows

  arrange() {
    this.rows = this.tree.rows({ found: this.found });
    this.deepest = this.rows.reduce((most, row) => Math.max(most, row.depth), 1);
    this.empty.hidden = this.rows.length > 0;
    this.list.setAttribute("role", this.rows.length ? "tree" : "group"); // a tree must have items
    this.empty.textContent = this.found ? "No span is like that." : this.ended ? "Nothing was recorded of this run's steps." : "No step has begun yet.";
    this.draw(true);
  }

  draw(anew = false) {
    if (!this.rows) return;
    const [from, to] = this.shown;
    if (anew) {
      this.axis.draw(from - this.tree.from, to - this.tree.from, this.window !== null, this.list);
      this.room = this.find.element.clientWidth / 2; // the names have the other half
      this.indent = Math.min(INDENT, Math.max(this.room / this.deepest, INDENT / 3));
    }
    this.space.style.height = `${this.rows.length * ROW}px`;
    const first = this.onPaper ? 0 : Math.max(Math.floor(this.list.scrollTop / ROW) - SPARE, 0);
    const last = this.onPaper ? this.rows.length : Math.min(first + Math.ceil(this.list.clientHeight / ROW) + 2 * SPARE, this.rows.length);
    const drawn = new Map();
    for (let at = first; at < last; at += 1) {
      const id = this.rows[at].span.id;
      const old = this.drawn.get(id);
      const row = old && !anew ? old : this.row(this.rows[at], at, from, to);
      if (old && anew) morph(old, row);
      drawn.set(id, old ?? row);
    }
    this.drawn = drawn;
    show(this.space, [...drawn.values()]);
    this.list.setAttribute("aria-activedescendant", drawn.has(this.chosen) ? `row-${this.chosen}` : "");
  }

  row({ span, depth }, at, from, to) {
    const isFolded = this.tree.collapsed.has(span.id) && !this.found;
    const holding = isFolded && this.tree.holding.get(span.id);
    const took = span.to === null ? (span.from === null ? "" : "open") : duration(span.to - (span.from ?? from));
    const classes = ["row", span.status, this.tree.critical.has(span.id) && "critical", span.id === this.chosen && "chosen",
      this.found && !this.found.has(span.id) && "leading"];
    const indent = Math.min(depth * this.indent, this.room);
    const twist = h("button", { type: "button", class: "twist", tabindex: "-1", hidden: !span.children.length, "aria-label": isFolded ? "Unfold" : "Fold", "data-fold": "1" }, isFolded ? "▸" : "▾");
    return h("div", {
      class: classes.filter(Boolean).join(" "), id: `row-${span.id}`, role: "treeitem", "aria-level": depth + 1,
      "aria-selected": String(span.id === this.chosen), "aria-expanded": span.children.length ? String(!isFolded) : null,
      "aria-label": [span.name, span.status, took, holding && `${holding} failed in it`, span.error ?? span.summary ?? span.hint].filter(Boolean).join(", "),
      "data-id": span.id, style: { top: `${at * ROW}px` },
    },
      h("span", { class: "name", style: { "padding-left": `${indent + 4}px` } }, twist,
        indent < depth * this.indent && h("i", { class: "depth", title: "How deep it lies" }, depth),
        h("b", {}, span.name), span.wrong && h("em", { class: "wrong", title: "Does not match its declared type" }, "≠"),
        holding && h("em", { class: "holding" }, `${number(holding)} failed`),
        h("small", {}, span.error ?? span.summary ?? span.hint)),
      this.lane(span, from, to, took));
  }

  lane(span, from, to, took) {
    const start = span.from ?? from;
    const left = ((start - from) / (to - from)) * 100;
    const right = (((span.to ?? this.now) - from) / (to - from)) * 100;
    if (!(left <= 100 && right >= 0)) return h("span", { class: "lane" });
    const [begins, ends] = [Math.max(left, 0), Math.min(right, 100)];
    const bar = h("i", { class: "bar", style: { left: `${begins}%`, width: `${ends - begins}%` } });
    // How long it took stands where there is room: behind the bar, before it, else on it.
    const room = ((took.length + 2) * LETTER * 100) / Math.max(this.axis.width, 1);
    const [place, style] = 100 - ends > room ? ["", { left: `${ends}%` }]
      : begins > room ? ["before", { right: `${100 - begins}%` }] : ["on", { right: `${100 - ends}%` }];
    return h("span", { class: "lane" }, bar, h("span", { class: `took ${place}`.trim(), style }, took));
  }

  clicked(event) {
    const row = event.target.closest(".row");
    if (!row || this.dragged) return;
    if (event.target.closest("[data-fold]")) this.toggle(row.dataset.id);
    else this.choose(row.dataset.id);
  }

  toggle(id, fold = !this.tree.collapsed.has(id)) {
    if (fold) this.tree.collapsed.add(id); else this.tree.collapsed.delete(id);
    this.head.draw();
    this.arrange();
  }

  fold() {
    if (this.tree.collapsed.size) this.tree.collapsed.clear();
    else for (const span of this.tree.spans.values()) if (span.children.length) this.tree.collapsed.add(span.id);
    this.head.draw();
    this.arrange();
  }

  choose(id) {
    this.chosen = id;
    this.app.keep("span", id);
    if (!id) {
      if (this.side.contains(document.activeElement)) this.list.focus();
      this.side.hidden = true;
    } else {
      this.tree.reveal(id);
      if (this.found && this.tree.spans.has(id) && !this.rows.some((row) => row.span.id === id)) this.find.clear();
      this.app.tell(() => this.panel.show(id));
      this.arrange();
      this.scrollTo(this.rows.findIndex((row) => row.span.id === id));
    }
    this.draw(true);
  }

  scrollTo(at) {
    const top = at * ROW;
    if (at < 0) return;
    if (top < this.list.scrollTop) this.list.scrollTop = top;
    else if (top + ROW > this.list.scrollTop + this.list.clientHeight) this.list.scrollTop = top + ROW - this.list.clientHeight;
  }

  key(event) {
    if (event.key.startsWith("Arrow") && this.side.contains(event.target)) return false; // it scrolls
    const at = this.rows?.findIndex((row) => row.span.id === this.chosen) ?? -1;
    const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1, Home: -Infinity, End: Infinity }[event.key];
    if (step) {
      const next = this.rows[Math.min(Math.max(at + step, 0), this.rows.length - 1)];
      if (next) this.choose(next.span.id);
    } else if (["h", "ArrowLeft"].includes(event.key) && at >= 0) {
      const { span } = this.rows[at];
      if (span.children.length && !this.tree.collapsed.has(span.id)) this.toggle(span.id, true);
      else if (span.above) this.choose(span.above.id);
    } else if (["l", "ArrowRight"].includes(event.key) && at >= 0) this.toggle(this.chosen, false);
    else if (event.key === "e") this.nextError();
    else if (event.key === "p") this.head.toggleCharts();
    else if (event.key === "z") this.zoomToChosen();
    else if (event.key === "/") this.find.input.focus();
    else if (event.key === "Enter" && at >= 0) this.side.focus();
    else if (event.key === "Escape") {
      if (this.window) this.zoom(null);
      else if (this.chosen) this.choose(null);
      else if (this.found) this.find.clear();
      else this.app.back();
    } else return false;
    return true;
  }

  nextError(first = null) {
    // From a span that did not fail, to the one that was told first.
    if (first && this.tree.spans.get(this.chosen)?.status !== "failed") return this.choose(first);
    this.next(new Set(this.tree.failures.map((span) => span.id)), this.tree.rows({ collapsed: new Set() }), 1);
  }

  take(found, text) {
    this.found = found;
    this.app.keep("find", text);
    this.arrange();
  }

  nextFound(step) {
    this.next(this.found ?? new Set(), this.rows, step);
  }

  // The next of some spans behind the chosen one, or before it; after the last comes the first.
  next(wanted, rows, step) {
    const some = rows.map((row, at) => [row.span.id, at]).filter(([id]) => wanted.has(id));
    const from = rows.findIndex((row) => row.span.id === this.chosen);
    const next = step > 0 ? some.find(([, at]) => at > from) ?? some[0] : some.findLast(([, at]) => at < from) ?? some.at(-1);
    if (next) this.choose(next[0]);
  }
}
