// What the server knows. Every answer is JSON; a refusal says in words what is wrong.

import { h } from "./dom.js";

// No answer came. What is shown stays as it is, until the server is back.
export class Away extends Error {}

export async function ask(path, options = {}) {
  const asked = fetch(`/ui/api/${path}`, { headers: { accept: "application/json" }, ...options });
  const answer = await asked.catch(() => { throw new Away("The server is away. This page goes on when it is back."); });
  if (answer.status === 401) {
    await logIn();
    return ask(path, options);
  }
  const content = await answer.json();
  if (!answer.ok) throw new Error(content.message ?? `HTTP ${answer.status}`);
  return content;
}

export function send(path, content) {
  const headers = { "content-type": "application/json" };
  return ask(path, { method: "POST", headers, body: JSON.stringify(content) });
}

let asking = null;

// One dialog, however many requests were refused at once.
function logIn() {
  asking ??= new Promise((resolve) => {
    const dialog = document.getElementById("dialog");
    const input = h("input", { type: "password", "aria-label": "Token", autocomplete: "current-password" });
    const told = h("p", { role: "alert" });
    const form = h("form", {
      onsubmit: async (event) => {
        event.preventDefault();
        const answer = await fetch("/ui/api/login", {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ token: input.value }),
        });
        if (!answer.ok) {
          told.textContent = (await answer.json()).message;
          return;
        }
        dialog.close();
        asking = null;
        resolve();
      },
    }, h("h2", {}, "Token"), h("p", {}, "This server was started with a token. Give it to look at the runs."), input, told,
      h("button", { type: "submit" }, "Open"));
    dialog.replaceChildren(form);
    if (!dialog.open) dialog.showModal();
    input.focus();
  });
  return asking;
}

// Calls back at once and with each change; goes on by itself when the server was away. Only while
// the page is in sight: a browser allows a server six connections, and each page that listens keeps
// one, also a page that the back button leads to. What was missed meanwhile, the first event tells.
// Returns what listens again where that was refused: a stream that was does not try by itself.
export function listen(changed, live) {
  let source = null;
  const open = () => {
    if (source || document.hidden) return;
    const stream = new EventSource("/ui/api/events");
    source = stream;
    stream.addEventListener("change", () => changed());
    stream.addEventListener("open", () => live(true));
    stream.addEventListener("error", () => {
      live(false);
      if (stream.readyState === EventSource.CLOSED && source === stream) source = null;
    });
  };
  const close = () => {
    source?.close();
    source = null;
  };
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  addEventListener("pagehide", close);
  addEventListener("pageshow", open);
  open();
  return open;
}
