// Toasts, spoken announcements and the one dialog.
import { h, icon } from "./dom.js";
import { t } from "./i18n.js";

const STAY = 4500; // milliseconds

export function toast(text, kind = "info") {
  const box = document.getElementById("toasts");
  const signs = { success: "✓", error: "!", warning: "!", info: "i" };
  const type = kind in signs ? kind : "info";
  const node = h(
    "div",
    { class: `toast ${type}`, data: { testid: "toast", kind: type } },
    h("span", { class: "toast-sign", "aria-hidden": "true" }, signs[type]),
    h("span", null, text),
  );
  box.append(node);
  while (box.children.length > 3) box.firstChild.remove();
  setTimeout(() => node.remove(), STAY);
}

export function announce(text) {
  const region = document.getElementById("announcer");
  region.textContent = "";
  region.textContent = text;
}

// Opens a modal dialog around `body`; Escape and the backdrop close it. Answers with the value it was closed with.
export function openDialog({ title, body, actions, wide = false }) {
  return new Promise((resolve) => {
    const opener = document.activeElement;
    let result = null;
    const dialog = h(
      "dialog",
      { class: wide ? "dialog wide" : "dialog", "aria-labelledby": "dialog-title", data: { testid: "dialog" } },
      h(
        "div",
        { class: "dialog-head" },
        h("h2", { id: "dialog-title" }, title),
        h("button", { type: "button", class: "plain icon-button", "aria-label": t("close"), on: { click: () => dialog.close() } }, icon("close")),
      ),
      h("div", { class: "dialog-body" }, body),
      actions && h("div", { class: "dialog-actions" }, actions((value) => {
        result = value;
        dialog.close();
      })),
    );
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close();
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (opener instanceof HTMLElement && opener.isConnected) opener.focus();
      resolve(result);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

export async function confirmed(title, text) {
  const answer = await openDialog({
    title,
    body: text ? h("p", null, text) : null,
    actions: (done) => [
      h("button", { type: "button", class: "card-button", on: { click: () => done(false) } }, t("cancel")),
      h("button", { type: "button", class: "card-button primary_filled", autofocus: true, data: { testid: "confirm" }, on: { click: () => done(true) } }, t("confirm")),
    ],
  });
  return answer === true;
}

// A small list of choices that hangs on `anchor`; arrows move, Escape closes.
export function openMenu(anchor, items) {
  document.querySelector(".menu")?.remove();
  const menu = h("div", { class: "menu", role: "menu" });
  const close = (back) => {
    menu.remove();
    document.removeEventListener("pointerdown", outside, true);
    anchor.setAttribute("aria-expanded", "false");
    if (back) anchor.focus();
  };
  const outside = (event) => {
    if (!menu.contains(event.target) && event.target !== anchor) close(false);
  };
  for (const item of items) {
    menu.append(
      h("button", { type: "button", role: "menuitem", tabindex: "-1", on: { click: () => { close(true); item.run(); } } }, item.label),
    );
  }
  menu.addEventListener("keydown", (event) => {
    const buttons = [...menu.querySelectorAll("button")];
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      buttons[(buttons.indexOf(document.activeElement) + step + buttons.length) % buttons.length].focus();
      event.preventDefault();
    } else if (event.key === "Escape" || event.key === "Tab") {
      close(true);
      event.stopPropagation();
    }
  });
  document.addEventListener("pointerdown", outside, true);
  document.body.append(menu);
  const box = anchor.getBoundingClientRect();
  menu.style.top = `${Math.max(4, Math.min(box.bottom + 4, innerHeight - menu.offsetHeight - 8))}px`;
  menu.style.left = `${Math.max(8, Math.min(box.left, innerWidth - menu.offsetWidth - 8))}px`;
  anchor.setAttribute("aria-expanded", "true");
  menu.querySelector("button")?.focus();
}
