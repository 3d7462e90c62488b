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
    for (const siblings of [this.roots, ...all.map((span) => span.children)]) siblings.sort(inOrder);
    const started = all.filter((span) => span.from !== null);
    this.from = started.reduce((least, span) => Math.min(least, span.from), Infinity);
    this.to = started.reduce((most, span) => Math.max(most, span.to ?? span.from), -Infinity);
    this.critical = this.findCritical();
  }

  get open() {
    return [...this.spans.values()].some((span) => span.from !== null && span.to === null);
  }

  // The first failed span that says why, and how many others there are.
  get failure() {
    const all = [...this.spans.values()].filter((span) => span.status === "failed");
    return { failed: all.find((span) => span.error), more: all.length > 1 ? all.length - 1 : "" };
  }

  rows(collapsed = this.collapsed) {
    const rows = [];
    const waiting = this.roots.map((span) => [span, 0]).reverse();
    const seen = new Set();
    while (waiting.length) {
      const [span, depth] = waiting.pop();
      if (seen.has(span)) continue;
      seen.add(span);
      rows.push({ span, depth });
      if (collapsed.has(span.id)) continue;
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
    for (let span = this.spans.get(id)?.above; span; span = span.above) this.collapsed.delete(span.id);
  }
}
