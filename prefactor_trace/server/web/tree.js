// The spans of a run as a tree: which rows are shown, and which steps the run waited for.

import { moment } from "./dom.js";

export class Tree {
  constructor() {
    this.spans = new Map();
    this.collapsed = new Set();
  }

  // Takes what is new or has changed, and puts the tree together again.
  take(spans) {
    for (const span of spans) this.spans.set(span.id, { ...span, from: moment(span.start), to: moment(span.end), children: [] });
    const all = [...this.spans.values()];
    for (const span of all) span.children = [];
    this.roots = [];
    for (const span of all) {
      const parent = this.spans.get(span.parent);
      span.above = parent && parent !== span ? parent : null;
      (span.above?.children ?? this.roots).push(span);
    }
    const inOrder = (one, other) => (one.from ?? Infinity) - (other.from ?? Infinity);
    // They come in order, but for those that began long before they were sent.
    const sort = (siblings) => { if (siblings.some((one, at) => at && inOrder(siblings[at - 1], one) > 0)) siblings.sort(inOrder); };
    sort(this.roots);
    for (const span of all) if (span.children.length > 1) sort(span.children);
    [this.from, this.to] = [Infinity, -Infinity];
    for (const span of all) {
      if (span.from === null) continue;
      this.from = Math.min(this.from, span.from);
      this.to = Math.max(this.to, span.to ?? span.from);
    }
    this.failures = this.findFailures();
    this.critical = this.findCritical();
    this.holding = new Map(); // how many failed below a span
    for (const span of all) {
      if (span.status !== "failed") continue;
      const seen = new Set([span]);
      for (let above = span.above; above && !seen.has(above); above = above.above) {
        seen.add(above);
        this.holding.set(above.id, (this.holding.get(above.id) ?? 0) + 1);
      }
    }
  }

  get open() {
    for (const span of this.spans.values()) if (span.from !== null && span.to === null) return true;
    return false;
  }

  // Where errors began, in the order of the rows: what a span only passes on from one in it, with the
  // same words, is no failure of its own.
  findFailures() {
    return this.rows({ collapsed: new Set() }).map((row) => row.span)
      .filter((span) => span.status === "failed" && !this.passesOn(span));
  }

  passesOn(span) {
    return span.error !== null && span.children.some((one) => one.status === "failed" && one.error === span.error);
  }

  // The failure to look at first: of a run that failed, the one that reached the top last.
  firstFailure(runFailed) {
    const failures = this.failures;
    const top = runFailed ? this.roots.filter((span) => span.status === "failed").at(-1) : null;
    let span = top;
    while (span && this.passesOn(span)) span = span.children.filter((one) => one.status === "failed" && one.error === span.error).at(-1);
    return { failed: span ?? failures.find((one) => one.error) ?? failures[0], more: failures.length - 1 };
  }

  // The spans that hold a text where it can be seen, and those that are known to.
  matching(text, ids) {
    const found = new Set(ids.filter((id) => this.spans.has(id)));
    const wanted = text.toLowerCase();
    for (const span of this.spans.values()) {
      if ([span.id, span.name, span.error, span.summary, span.hint].some((one) => one?.toLowerCase().includes(wanted))) found.add(span.id);
    }
    return found;
  }

  // The rows that are not folded away; of those found, where some were looked for, with what leads to them.
  rows({ collapsed = this.collapsed, found = null } = {}) {
    const rows = [];
    const leading = new Set(found);
    for (const id of found ?? []) {
      for (let span = this.spans.get(id)?.above; span && !leading.has(span.id); span = span.above) leading.add(span.id);
    }
    const waiting = this.roots.map((span) => [span, 0]).reverse();
    const seen = new Set();
    while (waiting.length) {
      const [span, depth] = waiting.pop();
      if (seen.has(span) || (found && !leading.has(span.id))) continue;
      seen.add(span);
      rows.push({ span, depth });
      if (!found && collapsed.has(span.id)) continue;
      for (let at = span.children.length - 1; at >= 0; at -= 1) waiting.push([span.children[at], depth + 1]);
    }
    return rows;
  }

  // From the end backwards: the child that ended last is what its parent waited for, and before
  // it began, the one that had ended last by then.
  findCritical() {
    const critical = new Set();
    const waiting = [[this.roots, Infinity]];
    while (waiting.length) {
      const [spans, until] = waiting.pop();
      let end = until;
      for (const span of [...spans].filter((one) => one.to !== null).sort((a, b) => b.to - a.to)) {
        if (span.to > end || critical.has(span.id)) continue;
        critical.add(span.id);
        waiting.push([span.children, span.to]);
        end = span.from;
      }
    }
    return critical;
  }

  reveal(id) {
    const seen = new Set();
    for (let span = this.spans.get(id)?.above; span && !seen.has(span); span = span.above) {
      seen.add(span);
      this.collapsed.delete(span.id);
    }
  }
}
