// Finds spans of a run by what stands in their rows, payloads and results.

import { ask } from "./api.js";
import { h, number, whenTyped } from "./dom.js";

export class Find {
  // `found` is told the ids, or nothing where nothing is looked for; `go` steps to one of them.
  constructor(run, text, found, go) {
    this.run = run;
    this.found = found;
    this.input = h("input", { type: "search", placeholder: "Find a span  /", "aria-label": "Find a span", value: text });
    this.told = h("span", { class: "told", role: "status" });
    this.element = h("span", { class: "find" }, this.input, this.told);
    whenTyped(this.input, () => this.look());
    this.input.addEventListener("keydown", (event) => {
      const step = { Enter: event.shiftKey ? -1 : 1, ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      go(step);
    });
  }

  get text() {
    return this.input.value.trim();
  }

  clear() {
    this.input.value = "";
    return this.look();
  }

  async look() {
    const text = this.text;
    const ids = text ? await ask(`runs/${this.run.id}/search?search=${encodeURIComponent(text)}`).catch(() => []) : [];
    if (text !== this.text) return; // more was typed meanwhile
    const found = text ? this.run.tree.matching(text, ids) : null;
    this.told.textContent = found ? `${number(found.size)} of ${number(this.run.tree.spans.size)}` : "";
    this.found(found, text);
  }
}
