// Elements without HTML: what agents recorded becomes text, and never anything else.

export function h(tag, props = {}, ...children) {
  return fill(document.createElement(tag), props, children);
}

export function svg(tag, props = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), props, children);
}

const isThere = (child) => child !== null && child !== undefined && child !== false && child !== "";

// Puts children in the place of those before; what is not there is left out. One that stays is not
// touched: what has the focus keeps it, and a click that is under way its target.
export function show(element, ...children) {
  const wanted = children.flat().filter(isThere).map((child) => (child instanceof Node ? child : document.createTextNode(child)));
  const staying = new Set(wanted);
  for (const child of [...element.childNodes]) if (!staying.has(child)) child.remove();
  wanted.forEach((child, at) => {
    if (element.childNodes[at] !== child) element.insertBefore(child, element.childNodes[at] ?? null);
  });
}

// Makes an element like another one, and leaves alone what is so already. Listeners stay.
export function morph(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (old.nodeName !== fresh.nodeName || !old.attributes) return void old.replaceWith(fresh);
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) {
    if (name === "style") old.style.cssText = fresh.style.cssText; // as an attribute, the policy refuses it
    else if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  const children = [...fresh.childNodes];
  [...old.childNodes].forEach((child, at) => (children[at] ? morph(child, children[at]) : child.remove()));
  old.append(...children.slice(old.childNodes.length));
}

// Elements by their names, each made anew only when what it shows has changed.
export class Parts {
  made = new Map();

  part(name, facts, make) {
    const key = JSON.stringify(facts);
    if (this.made.get(name)?.key !== key) this.made.set(name, { key, element: make() });
    return this.made.get(name).element;
  }
}

function fill(element, props, children) {
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [key, one] of Object.entries(value)) element.style.setProperty(key, one);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter(isThere));
  return element;
}

// Calls back when somebody who types in a field has paused.
export function whenTyped(input, then) {
  let waiting = 0;
  input.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(then, 200);
  });
}

export function duration(milliseconds) {
  if (milliseconds === null || Number.isNaN(milliseconds)) return "–";
  if (milliseconds < 1) return `${Math.round(milliseconds * 1000)} µs`;
  if (milliseconds < 1000) return `${trim(milliseconds)} ms`;
  if (milliseconds < 60_000) return `${trim(milliseconds / 1000)} s`;
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

export const SILENT = "nothing was heard of it for that long. It may be in a long step, or its process is gone.";

// For how long nothing was heard of a run that is not over; nothing where that is not long.
export function silence(run) {
  const minutes = run.heard_at ? Math.floor((Date.now() - moment(run.heard_at)) / 60_000) : 0;
  if (minutes < 1) return "";
  return minutes < 60 ? `${minutes} min` : minutes < 1440 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1440)} d`;
}

function trim(number) {
  return number >= 100 ? String(Math.round(number)) : String(Number(number.toPrecision(3)));
}

// Microseconds count: `Date` alone keeps milliseconds.
export function moment(text) {
  if (!text) return null;
  const fraction = /\.\d{3}(\d{1,3})/.exec(text);
  return Date.parse(text.replace(/(\.\d{3})\d+/, "$1")) + (fraction ? Number(`0.${fraction[1]}`) : 0);
}

export function clock(text) {
  const time = moment(text);
  if (time === null) return "–";
  const date = new Date(time);
  const today = new Date().toDateString() === date.toDateString();
  return today ? date.toLocaleTimeString() : date.toLocaleString();
}

export function badge(status) {
  return h("span", { class: `badge ${status}` }, status);
}

export function number(value) {
  return value === null || value === undefined ? "" : value.toLocaleString("en");
}

export function counted(count, word) {
  return `${number(count)} ${word}${count === 1 ? "" : "s"}`;
}

export async function copy(text, button) {
  const before = button.textContent;
  button.textContent = (await put(text)) ? "copied" : "no clipboard";
  setTimeout(() => (button.textContent = before), 1200);
}

// A page that came over plain HTTP from another machine has the old way only.
async function put(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const focused = document.activeElement;
    const area = h("textarea", { class: "unseen", "aria-hidden": "true" });
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    focused?.focus();
    return done;
  }
}
