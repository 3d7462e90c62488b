// The time axis: round numbers on it, and a part of it to look at.

import { duration, h, show } from "./dom.js";

const LABEL = 84; // pixels that a number on the axis has at least
const LONGER = [60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400].map((seconds) => seconds * 1000);

// A round step of which no more than so many fit.
function stepOf(span, most) {
  const least = span / Math.max(most, 1);
  const power = 10 ** Math.floor(Math.log10(least));
  const round = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= least * 0.999);
  if (round < 60_000) return Math.max(round, 0.001);
  return LONGER.find((one) => one >= least) ?? Math.ceil(least / 86_400_000) * 86_400_000;
}

function label(time, step, end) {
  if (Math.abs(time) < step / 2) return "0";
  if (end >= 60_000) return duration(time);
  const [unit, name] = end >= 1000 ? [1000, "s"] : end >= 1 ? [1, "ms"] : [0.001, "µs"];
  const places = Math.max(0, Math.ceil(-Math.log10(step / unit) - 1e-9));
  return `${(time / unit).toFixed(places)} ${name}`;
}

export class Axis {
  constructor(zoom) {
    this.zoom = zoom;
    this.element = h("div", { class: "axis" });
    this.selection = h("div", { class: "selection", hidden: true });
  }

  get width() {
    return this.element.clientWidth;
  }

  // Draws the time from one moment to another, both since the run began; `lanes` get lines at it.
  draw(from, to, isPart, lanes) {
    const length = to - from;
    const step = Number.isFinite(length) && length > 0 ? stepOf(length, this.width / LABEL) : null;
    const ticks = [];
    const first = step && Math.ceil(from / step - 1e-6);
    for (let at = first; step && at * step <= to; at += 1) {
      const left = (at * step - from) / length;
      if ((1 - left) * this.width < LABEL / 2) break;
      ticks.push(h("span", { class: "tick", style: { left: `${left * 100}%` } }, label(at * step, step, to)));
    }
    const pixels = (time) => `${step ? (time / length) * this.width : 1e6}px`;
    lanes.style.setProperty("--step", pixels(step));
    lanes.style.setProperty("--first", pixels(first * step - from));
    this.whole ??= h("button", { type: "button", class: "whole", title: "Double click does the same", onclick: () => this.zoom(null) }, "whole run");
    show(this.element, ticks, isPart && this.whole);
  }

  // Drags over a part of the time; `shown` is all of it.
  drag(event, [from, to], done) {
    const box = this.element.getBoundingClientRect();
    if (event.button !== 0 || event.clientX < box.left || event.clientX > box.right) return;
    const start = event.clientX;
    const at = (x) => from + ((Math.min(Math.max(x, box.left), box.right) - box.left) / box.width) * (to - from);
    const move = (moved) => {
      const [left, right] = [Math.min(start, moved.clientX), Math.max(start, moved.clientX)];
      this.selection.hidden = right - left < 4;
      const origin = this.selection.parentElement.getBoundingClientRect().left;
      this.selection.style.left = `${Math.max(left, box.left) - origin}px`;
      this.selection.style.width = `${Math.min(right, box.right) - Math.max(left, box.left)}px`;
    };
    const end = (ended) => {
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", end);
      removeEventListener("pointercancel", end);
      this.selection.hidden = true;
      if (ended.type === "pointercancel" || Math.abs(ended.clientX - start) < 4) return;
      done();
      this.zoom([at(Math.min(start, ended.clientX)), at(Math.max(start, ended.clientX))]);
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", end);
    addEventListener("pointercancel", end);
  }
}
