// The list of runs: newest first, live, narrowed by what stands in the address.

import { ask } from "./api.js";
import { badge, clock, duration, h, moment, number, SILENT, silence } from "./dom.js";

const STATUSES = ["active", "complete", "failed", "cancelled", "terminated", "pending"];
const PURPOSES = ["live", "smoke_test", "eval"];
const AGES = { "the last hour": 1, "the last day": 24, "the last week": 168 };

export class Runs {
  constructor(app) {
    this.app = app;
    this.at = -1;
    this.runs = [];
    this.picked = [];
    this.pages = 1;
  }

  async show() {
    const query = this.app.query;
    this.search = h("input", { type: "search", placeholder: "Search names and payloads  /", "aria-label": "Search", value: query.get("search") ?? "" });
    let waiting = 0;
    this.search.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => this.narrow("search", this.search.value.trim()), 250);
    });
    this.agents = this.choice("agent", [], query);
    this.body = h("tbody");
    this.told = h("p", { class: "empty", role: "status" });
    this.more = h("button", { type: "button", hidden: true, onclick: () => { this.pages += 1; this.refresh(); } }, "Older runs");
    this.compare = h("button", { type: "button", disabled: true, onclick: () => this.comparePicked() }, "Compare two");
    const titles = ["", "Agent", "Version", "Status", "Started", "Took", "Spans", "Failed", "Tokens", "Purpose"];
    const table = h("table", { class: "runs" },
      h("thead", {}, h("tr", {}, titles.map((title) => h("th", { scope: "col" }, title)))), this.body);
    const bar = h("form", { class: "bar", role: "search", onsubmit: (event) => event.preventDefault() }, this.search,
      this.choice("status", STATUSES, query), this.agents, this.choice("purpose", PURPOSES, query), this.age(query), this.compare);
    this.app.main.replaceChildren(bar, table, this.told, this.more);
    await this.refresh();
    this.timer = setInterval(() => this.draw(), 30_000); // how long it took so far, or is silent
  }

  leave() {
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
    const query = this.app.query;
    if (value) query.set(name, value); else query.delete(name);
    this.pages = 1;
    this.at = -1;
    this.app.replace(`/${query.size ? `?${query}` : ""}`);
    this.refresh();
  }

  async refresh() {
    const chosen = this.runs[this.at]?.id;
    let runs = [];
    let answer = { more: true, agents: [] };
    for (let page = 0; page < this.pages && answer.more; page += 1) {
      const query = this.app.query;
      if (runs.length) query.set("before", runs.at(-1).number);
      answer = await ask(`runs?${query}`);
      runs = [...runs, ...answer.runs];
    }
    this.runs = runs;
    this.more.hidden = !answer.more;
    if (document.activeElement !== this.agents) this.fill(this.agents, answer.agents, this.app.query.get("agent") ?? "");
    this.at = runs.findIndex((run) => run.id === chosen);
    this.draw();
  }

  draw() {
    this.body.replaceChildren(...this.runs.map((run, at) => this.row(run, at)));
    this.told.textContent = this.runs.length ? "" : this.app.query.size
      ? "No run is like that."
      : "Nothing was recorded yet. Point an agent here, or run one with prefactor-trace run.";
    this.compare.disabled = this.picked.length !== 2;
    this.select(this.at, false);
  }

  row(run, at) {
    const start = moment(run.started_at ?? run.inserted_at);
    const end = moment(run.finished_at) ?? (run.status === "active" ? Date.now() : null);
    const silent = silence(run);
    const pick = h("input", { type: "checkbox", "aria-label": `Compare run ${run.id}`, onclick: (event) => event.stopPropagation(), onchange: () => this.pick(run, pick.checked) });
    pick.checked = this.isPicked(run);
    const link = h("a", { href: `/agent_instances/${run.id}` }, run.agent);
    return h("tr", { id: run.id, onclick: (event) => { if (!event.target.closest("a, input")) this.open(at); } },
      h("td", {}, pick), h("td", {}, link), h("td", { class: "dim", title: run.version ?? "" }, (run.version ?? "").slice(0, 12)),
      h("td", {}, badge(run.status)), h("td", {}, clock(run.started_at ?? run.inserted_at)),
      h("td", { class: "number" }, silent ? h("span", { class: "silent", title: SILENT }, `silent ${silent}`) : end === null ? "–" : duration(end - start)),
      h("td", { class: "number" }, number(run.spans)), h("td", { class: run.failed ? "number bad" : "number dim" }, number(run.failed)),
      h("td", { class: "number" }, number(run.tokens)), h("td", { class: "dim" }, run.purpose));
  }

  isPicked(run) {
    return this.picked.some((one) => one.id === run.id);
  }

  pick(run, on) {
    this.picked = on ? [...this.picked, run].slice(-2) : this.picked.filter((one) => one.id !== run.id);
    this.draw();
  }

  // Whichever was picked first: the earlier run is what was before.
  comparePicked() {
    const began = (run) => moment(run.started_at ?? run.inserted_at);
    const [before, after] = [...this.picked].sort((one, other) => began(one) - began(other));
    this.app.go(`/compare/${before.id}/${after.id}`);
  }

  select(at, scroll = true) {
    this.at = at;
    [...this.body.children].forEach((row, number) => row.classList.toggle("chosen", number === at));
    if (scroll) this.body.children[at]?.scrollIntoView({ block: "nearest" });
  }

  open(at) {
    if (this.runs[at]) this.app.go(`/agent_instances/${this.runs[at].id}`);
  }

  key(event) {
    const last = this.runs.length - 1;
    if (event.key === "j" || event.key === "ArrowDown") this.select(Math.min(this.at + 1, last));
    else if (event.key === "k" || event.key === "ArrowUp") this.select(Math.max(this.at - 1, 0));
    else if (event.key === "Enter") this.open(this.at);
    else if (event.key === "x" && this.runs[this.at]) this.pick(this.runs[this.at], !this.isPicked(this.runs[this.at]));
    else if (event.key === "c" && this.picked.length === 2) this.compare.click();
    else if (event.key === "/") this.search.focus();
    else return false;
    return true;
  }
}
