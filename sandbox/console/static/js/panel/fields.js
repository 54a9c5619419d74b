// The panel's own small form parts.
import { toast } from "../announce.js";
import { h } from "../dom.js";
import { language } from "../i18n.js";
import { state } from "../store.js";

let count = 0;

export function labelled(label, control) {
  control.id ||= `panel-field-${++count}`;
  return h("div", { class: "panel-field" }, h("label", { for: control.id }, label), control);
}

export function choices(options, attributes = {}) {
  return h("select", { class: "panel-select", ...attributes }, options.map(([value, label]) => h("option", { value }, label)));
}

// What people call a platform.
export function titleOf(platform) {
  return state.titles[platform]?.[language()] ?? platform;
}

// Keeps what is chosen while the options change.
export function refill(select, options) {
  const signature = JSON.stringify(options);
  if (select.shownOptions === signature) return;
  const first = select.shownOptions === undefined;
  const chosen = first ? options[0]?.[0] : select.value;
  select.replaceChildren(...options.map(([value, label]) => h("option", { value }, label)));
  select.shownOptions = signature;
  if (options.some(([value]) => value === chosen)) select.value = chosen;
}

// A button that runs `work` once at a time and says what went wrong; `said` is told when it went well.
export function doing(label, work, { said = "", kind = "chip", ...attributes } = {}) {
  const button = h("button", { type: "button", class: kind, ...attributes }, label);
  button.addEventListener("click", async () => {
    if (button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    try {
      await work();
      if (said) toast(said, "success");
    } catch (error) {
      toast(error.message, "error");
    } finally {
      button.setAttribute("aria-busy", "false");
    }
  });
  return button;
}

export function yuan(fen) {
  if (typeof fen !== "number") return "—";
  return `¥${(fen / 100).toFixed(2)}`;
}

// "12.50" yuan in fen; null for empty, NaN for anything that is no amount.
export function fenOf(text) {
  const clean = text.trim();
  if (!clean) return null;
  const found = /^(\d{1,7})(?:\.(\d{1,2}))?$/.exec(clean);
  return found ? Number(found[1]) * 100 + Number((found[2] || "").padEnd(2, "0")) : Number.NaN;
}
