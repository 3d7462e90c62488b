// The page: which view the address asks for, keys, and news from the server.

import { Away, listen } from "./api.js";
import { Compare } from "./compare.js";
import { h } from "./dom.js";
import { Run } from "./run.js";
import { Runs } from "./runs.js";

const KEYS = [
  ["j k", "next and previous"], ["Enter", "open"], ["Esc", "back"], ["/", "search, find a span"], ["x c", "pick a run, compare two"],
  ["h l", "fold and unfold"], ["e", "next failed span"], ["z", "only the chosen span's time"], ["p", "the run's picture"],
  ["t", "light or dark"], ["?", "these keys"],
];

class App {
  main = document.getElementById("main");

  get query() {
    return new URLSearchParams(location.search);
  }

  async start() {
    addEventListener("popstate", () => this.open());
    addEventListener("keydown", (event) => this.key(event));
    document.addEventListener("click", (event) => this.follow(event));
    document.getElementById("help").addEventListener("click", () => this.help());
    document.getElementById("theme").addEventListener("click", () => this.theme());
    document.documentElement.dataset.theme = localStorage.getItem("theme") ?? "";
    const opened = this.open();
    const listenAgain = listen(() => this.refresh(), (on) => this.live(on));
    await opened; // perhaps with a token, without which the stream was refused
    listenAgain();
  }

  async open() {
    this.view?.leave?.();
    document.getElementById("crumbs").replaceChildren();
    document.title = "Prefactor";
    const [, kind, one, other] = location.pathname.split("/");
    if (kind === "agent_instances") this.view = new Run(this, one);
    else if (kind === "compare") this.view = new Compare(this, one, other);
    else this.view = this.runs ??= new Runs(this); // which is as it was when one comes back to it
    await this.tell((view) => view.show(), true);
  }

  go(address) {
    history.pushState({ fromHere: true }, "", address);
    return this.open();
  }

  // To the page before, if that was one of these, with all that it had been narrowed to.
  back() {
    if (history.state?.fromHere) history.back(); else this.go("/");
  }

  // Puts a word of the state into the address, which leads to it again.
  keep(name, value) {
    const query = this.query;
    if (value) query.set(name, value); else query.delete(name);
    history.replaceState(history.state, "", location.pathname + (query.size ? `?${query}` : ""));
  }

  follow(event) {
    const link = event.target.closest("a[href]");
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey;
    if (!link || !plain || link.download || link.origin !== location.origin || link.pathname.startsWith("/ui/")) return;
    event.preventDefault();
    this.go(link.pathname + link.search);
  }

  crumb(...parts) {
    document.getElementById("crumbs").replaceChildren(...parts.map((part) => h("span", { title: part }, part)));
    document.title = `${parts[0]} · Prefactor`;
  }

  // One look at a time: while one is under way, all news together make one more.
  async refresh() {
    if (this.looking) {
      this.again = true;
      return;
    }
    this.looking = true;
    do {
      this.again = false;
      if (this.broken) await this.open();
      else await this.tell((view) => view?.refresh?.());
      await new Promise((resolve) => setTimeout(resolve, 150));
    } while (this.again);
    this.looking = false;
  }

  // What cannot be shown is said in its place, and tried again with the next news.
  async tell(look, opening = false) {
    const view = this.view;
    try {
      await look(view);
      if (opening) this.broken = false;
    } catch (error) {
      if (view !== this.view || (error instanceof Away && !opening)) return;
      if (error instanceof TypeError) console.error(error);
      view.leave?.();
      this.broken = true;
      this.main.replaceChildren(h("div", { class: "empty", role: "alert" }, h("h1", {}, "Nothing to show"), h("p", {}, error.message), h("a", { href: "/" }, "All runs")));
    }
  }

  live(on) {
    const element = document.getElementById("live");
    element.textContent = on ? "live" : "the server is away";
    element.className = on ? "on" : "off";
  }

  key(event) {
    if (event.metaKey || event.ctrlKey || event.altKey || document.getElementById("dialog").open) return;
    if (event.target.matches("input:not([type=checkbox]), select, textarea")) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (event.target.matches("button, summary, a, input") && [" ", "Enter"].includes(event.key)) return;
    if (event.key === "?") this.help();
    else if (event.key === "t") this.theme();
    else if (!this.view?.key?.(event)) return;
    event.preventDefault();
  }

  help() {
    const dialog = document.getElementById("dialog");
    dialog.replaceChildren(h("h2", {}, "Keys"),
      h("dl", { class: "keys" }, KEYS.flatMap(([key, does]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, does)])),
      h("form", { method: "dialog" }, h("button", {}, "Close")));
    dialog.showModal();
  }

  theme() {
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    const now = document.documentElement.dataset.theme || (dark ? "dark" : "light");
    document.documentElement.dataset.theme = now === "dark" ? "light" : "dark";
    localStorage.setItem("theme", document.documentElement.dataset.theme);
  }
}

new App().start();
