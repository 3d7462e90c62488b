// The page: which view the address asks for, keys, and news from the server.

import { listen } from "./api.js";
import { Compare } from "./compare.js";
import { h } from "./dom.js";
import { Run } from "./run.js";
import { Runs } from "./runs.js";

const KEYS = [
  ["j k", "next and previous"], ["Enter", "open"], ["Esc", "back"], ["/", "search"], ["x c", "pick a run, compare two"],
  ["h l", "fold and unfold"], ["e", "next failed span"], ["p", "the run's picture"], ["t", "light or dark"], ["?", "these keys"],
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
    else this.view = new Runs(this);
    await this.tell(this.view.show());
  }

  go(address) {
    history.pushState(null, "", address);
    return this.open();
  }

  replace(address) {
    history.replaceState(null, "", address);
  }

  follow(event) {
    const link = event.target.closest("a[href]");
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey;
    if (!link || !plain || link.download || link.origin !== location.origin || link.pathname.startsWith("/ui/")) return;
    event.preventDefault();
    this.go(link.pathname + link.search);
  }

  crumb(...parts) {
    document.getElementById("crumbs").replaceChildren(...parts.map((part) => h("span", {}, part)));
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
      await this.tell(this.view?.refresh?.());
      await new Promise((resolve) => setTimeout(resolve, 150));
    } while (this.again);
    this.looking = false;
  }

  async tell(promise) {
    try {
      await promise;
    } catch (error) {
      if (!(error instanceof TypeError)) this.main.replaceChildren(h("p", { class: "empty", role: "alert" }, error.message));
    }
  }

  live(on) {
    const element = document.getElementById("live");
    element.textContent = on ? "live" : "the server is away";
    element.className = on ? "on" : "off";
  }

  key(event) {
    if (event.metaKey || event.ctrlKey || event.altKey || document.getElementById("dialog").open) return;
    if (event.target.matches("input, select, textarea")) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (event.target.matches("button, summary, a") && [" ", "Enter"].includes(event.key)) return;
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
