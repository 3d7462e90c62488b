// The list of runs: newest first, live, narrowed by what stands in the address.

import { ask } from "./api.js";
import { badge, clock, duration, h, moment, morph, number, SILENT, show, silence, whenTyped } from "./dom.js";

const STATUSES = ["active", "complete", "failed", "cancelled", "terminated", "pending"];
const PURPOSES = ["live", "smoke_test", "eval"];
const AGES = { "the last hour": 1, "the last day": 24, "the last week": 168 };
const COLUMNS = { pick: "Pick", agent: "Agent", version: "Version", status: "Status", about: "Began with", started: "Started",
  took: "Took", spans: "Spans", failed: "Failed", tokens: "Tokens", purpose: "Purpose" };

export class Runs {
  constructor(app) {
    this.app = app;
    this.picked = [];
    this.asked = 0;
    this.begin();
  }

  begin() {
    this.narrowed = location.search;
    this.chosen = null; // the id of a run
    this.runs = [];
    this.agentNames = [];
    this.pages = 1;
    this.scroll = 0;
  }

  // Who comes back to the same list finds it as it was.
  async show() {
    if (this.narrowed !== location.search) this.begin();
    const query = this.app.query;
    this.drawn = new Map();
    this.search = h("input", { type: "search", placeholder: "Search names, payloads and ids  /", "aria-label": "Search", value: query.get("search") ?? "" });
    whenTyped(this.search, () => this.narrow("search", this.search.value.trim()));
    this.agents = this.choice("agent", this.agentNames, query);
    this.body = h("tbody");
    this.told = h("p", { class: "empty", role: "status" });
    this.more = h("button", { type: "button", hidden: true, onclick: () => { this.pages += 1; this.app.tell(() => this.refresh()); } }, "Older runs");
    this.compare = h("button", { type: "button", disabled: true, title: "Pick two runs (x), then compare them (c)", onclick: () => this.comparePicked() }, "Compare two");
    const table = h("table", { class: "runs" },
      h("thead", {}, h("tr", {}, Object.entries(COLUMNS).map(([name, title]) => h("th", { scope: "col", class: name }, h("span", {}, title))))), this.body);
    const bar = h("form", { class: "bar", role: "search", onsubmit: (event) => event.preventDefault() }, this.search,
      this.choice("status", STATUSES, query), this.agents, this.choice("purpose", PURPOSES, query), this.age(query), this.compare);
    this.app.main.replaceChildren(h("h1", { class: "unseen" }, "Runs"), bar, table, this.told, this.more);
    if (this.runs.length) this.draw();
    this.app.main.scrollTop = this.scroll;
    this.timer = setInterval(() => this.draw(), 30_000); // how long it took so far, or is silent
    await this.refresh();
  }

  leave() {
    this.scroll = this.app.main.scrollTop;
    this.asked += 1; // an answer that is under way comes too late
    clearInterval(this.timer);
  }

  choice(name, options, query) {
    const select = h("select", { "aria-label": name, name, onchange: () => this.narrow(name, select.value) });
    this.fill(select, options, query.get(name) ?? "");
    return select;
  }

  fill(select, options, value) {
    const all = options.includes(value) || !value ? options : [...options, value];
    select.replaceChildren(h("option", { value: "" }, `any ${select.name}`), ...all.map((one) => h("option", { value: one }, one)));
    select.value = value;
  }

  age(query) {
    const select = h("select", { "aria-label": "time", name: "time", onchange: () => {
      const hours = AGES[select.value];
      this.narrow("since", hours ? new Date(Date.now() - hours * 3_600_000).toISOString() : "");
    } }, h("option", { value: "" }, "any time"), Object.keys(AGES).map((one) => h("option", { value: one }, one)));
    if (query.get("since")) {
      select.append(h("option", { value: "since" }, `since ${clock(query.get("since"))}`));
      select.value = "since";
    }
    return select;
  }

  narrow(name, value) {
    this.app.keep(name, value);
    this.narrowed = location.search;
    this.pages = 1;
    this.chosen = null;
    this.app.main.scrollTop = 0;
    this.app.tell(() => this.refresh());
  }

  async refresh() {
    const asked = (this.asked += 1);
    let runs = [];
    let answer = { more: true, agents: [] };
    for (let page = 0; page < this.pages && answer.more; page += 1) {
      const query = this.app.query;
      if (runs.length) query.set("before", runs.at(-1).number);
      answer = await ask(`runs?${query}`);
      if (asked !== this.asked) return; // what was asked later is what is wanted
      runs = [...runs, ...answer.runs];
    }
    this.runs = runs;
    this.agentNames = answer.agents;
    this.more.hidden = !answer.more;
    if (document.activeElement !== this.agents) this.fill(this.agents, answer.agents, this.app.query.get("agent") ?? "");
    this.draw();
  }

  draw() {
    const drawn = new Map();
    for (const run of this.runs) {
      const [row, old] = [this.row(run), this.drawn.get(run.id)];
      if (old) morph(old, row);
      drawn.set(run.id, old ?? row);
      (old ?? row).querySelector("input").checked = this.isPicked(run.id);
    }
    this.drawn = drawn;
    show(this.body, [...drawn.values()]);
    this.told.textContent = this.runs.length ? "" : this.app.query.size
      ? "No run is like that."
      : "Nothing was recorded yet. Point an agent here, or run one with prefactor-trace run.";
    this.compare.disabled = this.picked.length !== 2;
  }

  // Its listeners know the run by its id: the row stays when the run has changed.
  row({ id, ...run }) {
    const start = moment(run.started_at ?? run.inserted_at);
    const end = moment(run.finished_at) ?? (run.status === "active" ? Date.now() : null);
    const silent = silence(run);
    const pick = h("input", { type: "checkbox", "aria-label": `Compare run ${id}`, onclick: (event) => event.stopPropagation(), onchange: () => this.pick(id) });
    const search = this.app.query.get("search");
    const link = h("a", { href: this.address(id, search), title: run.agent }, run.agent);
    const cell = (name, content, more = "", title = null) => h("td", { class: `${name} ${more}`.trim(), title }, content);
    const error = run.error && run.error.slice(0, 300);
    return h("tr", { id, class: id === this.chosen ? "chosen" : null, onclick: (event) => {
      if (event.target.closest("a")) this.chosen = id; // which the page follows by itself
      else if (!event.target.closest("input")) this.open(id);
    } },
      cell("pick", pick), cell("agent", link), cell("version", brief(run.version ?? ""), "dim", run.version), cell("status", badge(run.status)),
      cell("about", error ?? run.about, error ? "error" : "dim", error ?? run.about), cell("started", clock(run.started_at ?? run.inserted_at)),
      cell("took", silent ? h("span", { class: "silent", title: SILENT }, `silent ${silent}`) : end === null ? "–" : duration(end - start), "number"),
      cell("spans", number(run.spans), "number"), cell("failed", number(run.failed), run.failed ? "number bad" : "number dim"),
      cell("tokens", number(run.tokens), "number"), cell("purpose", run.purpose, "dim"));
  }

  // What was searched is looked for in the run, too.
  address(id, search) {
    return `/agent_instances/${id}${search ? `?${new URLSearchParams({ find: search })}` : ""}`;
  }

  isPicked(id) {
    return this.picked.some((one) => one.id === id);
  }

  pick(id) {
    const run = this.runs.find((one) => one.id === id);
    this.picked = this.isPicked(id) ? this.picked.filter((one) => one.id !== id) : [...this.picked, run].slice(-2);
    this.draw();
  }

  // Whichever was picked first: the earlier run is what was before.
  comparePicked() {
    const began = (run) => moment(run.started_at ?? run.inserted_at);
    const [before, after] = [...this.picked].sort((one, other) => began(one) - began(other));
    this.app.go(`/compare/${before.id}/${after.id}`);
  }

  select(at) {
    this.chosen = this.runs[Math.min(Math.max(at, 0), this.runs.length - 1)]?.id ?? null;
    this.draw();
    this.drawn.get(this.chosen)?.scrollIntoView({ block: "nearest" });
  }

  open(id) {
    if (!id) return;
    this.chosen = id;
    this.app.go(this.address(id, this.app.query.get("search")));
  }

  key(event) {
    const at = this.runs.findIndex((run) => run.id === this.chosen);
    if (event.key === "j" || event.key === "ArrowDown") this.select(at + 1);
    else if (event.key === "k" || event.key === "ArrowUp") this.select(at - 1);
    else if (event.key === "Enter") this.open(this.chosen);
    else if (event.key === "x" && at >= 0) this.pick(this.chosen);
    else if (event.key === "c" && this.picked.length === 2) this.compare.click();
    else if (event.key === "/") this.search.focus();
    else return false;
    return true;
  }
}

// A commit is known by its first characters; another version that is cut says so.
function brief(version) {
  if (/^[0-9a-f]{40,}$/.test(version)) return version.slice(0, 12);
  return version.length > 14 ? `${version.slice(0, 13)}…` : version;
}
