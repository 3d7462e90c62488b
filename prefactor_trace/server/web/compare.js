// Two runs side by side: what was added, removed, slower, or different.

import { ask } from "./api.js";
import { badge, clock, duration, h } from "./dom.js";

// What is alike is left out, but for what leads to a difference.
function leading(rows) {
  let wanted = -1;
  for (const row of [...rows].reverse()) {
    row.leads = row.level <= wanted;
    if (row.marks.length || row.leads) wanted = row.level - 1;
    wanted = Math.min(wanted, row.level);
  }
}

// In the order in which they matter.
const MARKS = { status: "ended otherwise", removed: "removed", added: "added", slower: "slower", faster: "faster", payload: "other payload", result_payload: "other result" };
const SIGNS = { added: "+", removed: "−" };

const MOST = 4; // places of a pair that are told before somebody asks for all

// What is said of a pair: how it differs, and where, from what to what.
function differences({ marks, paths, changes }) {
  const told = Object.keys(MARKS).filter((mark) => marks.includes(mark) && !["payload", "result_payload"].includes(mark));
  const places = paths.map((path, at) => h("div", {}, h("code", {}, path), " ", value(changes[at][0]), " → ", value(changes[at][1])));
  const more = places.splice(MOST);
  return [told.map((mark) => MARKS[mark]).join(", "), ...places,
    more.length > 0 && h("details", {}, h("summary", {}, `${more.length} more`), more)];
}

function value(told) {
  return h("bdi", { class: told === null ? "null" : null }, told ?? "nothing");
}

export class Compare {
  constructor(app, left, right) {
    this.app = app;
    this.ids = [left, right];
    this.at = -1;
  }

  async show() {
    const found = await ask(`compare?a=${this.ids[0]}&b=${this.ids[1]}`);
    const alike = h("input", { type: "checkbox", onchange: () => table.classList.toggle("all", alike.checked) });
    const counts = {};
    for (const row of found.spans) for (const mark of row.marks) counts[mark] = (counts[mark] ?? 0) + 1;
    const told = Object.keys(MARKS).filter((mark) => counts[mark]).map((mark) => `${counts[mark]} ${MARKS[mark]}`).join("  ·  ");
    const side = (run, name) => h("div", {}, h("small", {}, name), " ", h("a", { href: `/agent_instances/${run.id}` }, h("bdi", {}, run.agent)), " ", badge(run.status), " ", h("span", { class: "dim" }, clock(run.started_at)));
    leading(found.spans);
    const body = h("tbody", {}, found.spans.map((row) => this.row(row)));
    const table = h("table", { class: "comparison" },
      h("thead", {}, h("tr", {}, ["Change", "Span", "Before", "After", "What differs"].map((title) => h("th", { scope: "col" }, h("span", {}, title))))), body);
    this.body = body;
    this.app.main.replaceChildren(
      h("div", { class: "runhead" }, h("h1", {}, "Two runs"), side(found.left, "before"), side(found.right, "after"),
        h("p", { role: "status" }, told || "Nothing differs."),
        h("div", { class: "tools" }, h("label", {}, alike, " also what is alike"),
          h("button", { type: "button", onclick: () => this.app.go(`/compare/${this.ids[1]}/${this.ids[0]}`) }, "The other way round"))),
      table);
    this.app.crumb("compare", this.ids.map((id) => id.slice(0, 10)).join(" / "));
  }

  row(row) {
    const sign = row.marks.map((mark) => SIGNS[mark]).find(Boolean) ?? (row.marks.length ? "~" : "");
    const cell = (side, run) => h("td", { class: "number" }, side && h("a", { href: `/agent_instances/${run}?span=${side.id}` },
      side.seconds === null ? "open" : duration(side.seconds * 1000)), " ", side && side.status !== "complete" && badge(side.status));
    return h("tr", { class: row.marks.length ? row.marks.join(" ") : row.leads ? "leads" : "alike" },
      h("td", { class: "sign" }, sign), h("td", { style: { "padding-left": `${row.level * 14 + 6}px` } }, row.schema_name),
      cell(row.left, this.ids[0]), cell(row.right, this.ids[1]),
      h("td", { class: "dim" }, differences(row)));
  }

  async refresh() {}

  key(event) {
    const rows = [...this.body.children].filter((row) => row.offsetParent !== null);
    const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key];
    if (step) {
      this.at = Math.min(Math.max(this.at + step, 0), rows.length - 1);
      rows.forEach((row, at) => row.classList.toggle("chosen", at === this.at));
      rows[this.at]?.scrollIntoView({ block: "nearest" });
    } else if (event.key === "Enter") rows[this.at]?.querySelector("a")?.click();
    else if (event.key === "Escape") this.app.back();
    else return false;
    return true;
  }
}
