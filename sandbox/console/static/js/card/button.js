// Buttons, alone or in a form.
import { toast } from "../announce.js";
import { h } from "../dom.js";
import { t, words } from "../i18n.js";
import { pixels } from "../style.js";
import { click, tips } from "./click.js";
import { readForm, resetForm } from "./fields.js";

const TYPES = new Set(["default", "primary", "danger", "text", "primary_text", "danger_text", "primary_filled", "danger_filled", "laser"]);

function press(component, context) {
  const kind = component.form_action_type || { form_submit: "submit", form_reset: "reset" }[component.action_type];
  if (!context.form || !kind) return click(component, context);
  if (component.disabled) return click(component, context);
  if (kind === "reset") return resetForm(context.form);
  const form = readForm(context.form);
  if (!form.ok) {
    toast(form.error, "error");
    return null;
  }
  return click(component, context, { form_value: form.values });
}

export function button(component, context) {
  const type = TYPES.has(component.type) ? component.type : "default";
  const size = ["tiny", "small", "medium", "large"].includes(component.size) ? component.size : "medium";
  const busy = context.state.busy === context.path;
  const tip = tips(component);
  const text = words(component.text);
  const node = h(
    "button",
    {
      type: "button",
      class: `card-button ${type} button-${size}${component.disabled ? " off" : ""}${busy ? " busy" : ""}`,
      "aria-disabled": component.disabled ? "true" : null,
      "aria-busy": String(busy),
      "aria-label": text ? null : tip || t("card.button"),
      title: tip,
      data: { path: context.path, focusKey: context.path, name: component.name || "" },
      on: { click: (event) => { event.stopPropagation(); press(component, context); } },
    },
    text,
  );
  if (component.width === "fill") node.classList.add("fill");
  else if (pixels(component.width, 1, 999)) node.style.width = component.width;
  return node;
}
