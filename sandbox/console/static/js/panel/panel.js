// The side panel: the clock on top, and one tab each for events, failures, books and calls.
import { h, icon } from "../dom.js";
import { t } from "../i18n.js";
import { choose, view } from "../store.js";
import { buildBooks } from "./books.js";
import { buildCalls } from "./calls.js";
import { buildClock } from "./clock.js";
import { buildFaults } from "./faults.js";
import { buildHappen } from "./happen.js";

const TABS = { happen: buildHappen, faults: buildFaults, books: buildBooks, calls: buildCalls };
let current = "happen";

export function buildPanel() {
  const clock = buildClock();
  const parts = Object.fromEntries(Object.entries(TABS).map(([name, build]) => [name, build()]));
  const buttons = {};
  const pages = {};
  const show = (name, focus) => {
    current = name;
    for (const key of Object.keys(TABS)) {
      buttons[key].setAttribute("aria-selected", String(key === name));
      buttons[key].tabIndex = key === name ? 0 : -1;
      pages[key].hidden = key !== name;
    }
    parts[name].update();
    if (focus) buttons[name].focus();
  };
  const names = Object.keys(TABS);
  for (const name of names) {
    buttons[name] = h("button", { type: "button", role: "tab", id: `tab-${name}`, "aria-controls": `page-${name}`, data: { testid: `tab-${name}` }, on: { click: () => show(name) } }, t(`panel.${name}`));
    pages[name] = h("div", { role: "tabpanel", id: `page-${name}`, "aria-labelledby": `tab-${name}`, class: "panel-page" }, parts[name].node);
  }
  const tabs = h("div", { role: "tablist", class: "tabs", "aria-label": t("panel.label") }, names.map((name) => buttons[name]));
  tabs.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step) show(names[(names.indexOf(current) + step + names.length) % names.length], true);
  });
  const node = h(
    "aside",
    { class: "panel", "aria-label": t("panel.label"), data: { testid: "panel" } },
    h("header", { class: "bar" }, h("h1", null, t("panel.label")), h("button", { type: "button", class: "plain icon-button", "aria-label": t("panel.close"), on: { click: () => choose({ panel: false }) } }, icon("close"))),
    clock.node,
    tabs,
    names.map((name) => pages[name]),
  );
  node.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && matchMedia("(max-width: 900px)").matches) {
      choose({ panel: false });
      document.querySelector("[data-testid=panel-open]")?.focus();
    }
  });
  show(current);
  const update = (what) => {
    node.hidden = !view.panel;
    if (!view.panel) return;
    clock.update();
    parts[current].update(what);
  };
  return { node, update };
}
