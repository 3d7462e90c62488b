// A run's picture: for each type of span how many, how they ended and how long they took.

import { duration, h, number, svg } from "./dom.js";

export function charts(types) {
  return types.map((type) => h("figure", {},
    h("figcaption", {}, h("b", {}, type.schema_name), ` ${number(type.count)}`),
    outcome(type), histogram(type),
    h("p", { class: "dim" }, [
      type.p50 !== null && `p50 ${duration(type.p50 * 1000)}`,
      type.p95 !== null && `p95 ${duration(type.p95 * 1000)}`,
      type.tokens && `${number(type.tokens.total)} tokens`,
    ].filter(Boolean).join("  ·  "))));
}

function outcome(type) {
  const parts = [["complete", type.count - type.failed - type.cancelled - type.open], ["failed", type.failed], ["cancelled", type.cancelled], ["active", type.open]];
  let at = 0;
  const told = parts.filter(([, count]) => count).map(([name, count]) => `${count} ${name}`).join(", ");
  return svg("svg", { class: "outcome", viewBox: "0 0 100 4", preserveAspectRatio: "none", role: "img", "aria-label": told },
    parts.map(([name, count]) => {
      const width = (count / type.count) * 100;
      at += width;
      return svg("rect", { class: name, x: at - width, width, height: 4 });
    }));
}

function histogram(type) {
  const most = Math.max(...type.histogram, 1);
  const width = 100 / type.histogram.length;
  return svg("svg", { class: "histogram", viewBox: "0 0 100 30", preserveAspectRatio: "none", role: "img", "aria-label": `durations of ${type.schema_name}` },
    type.histogram.map((count, at) => {
      const height = count ? Math.max((count / most) * 30, 1) : 0;
      return svg("rect", { x: at * width + 0.3, y: 30 - height, width: width - 0.6, height });
    }));
}
