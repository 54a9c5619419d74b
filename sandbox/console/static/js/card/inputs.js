// Text input.
import { h } from "../dom.js";
import { t, words } from "../i18n.js";
import { click } from "./click.js";
import { fieldBox, fieldKey } from "./fields.js";

export function input(component, context) {
  const initial = words(component, "default_value");
  const key = fieldKey(component, context);
  const long = component.input_type === "multiline_text";
  const most = Math.min(Math.max(Number(component.max_length) || 1000, 1), 1000);
  const box = h(long ? "textarea" : "input", {
    class: "card-input",
    type: long ? null : component.input_type === "password" ? "password" : "text",
    rows: long ? String(Math.min(Number(component.rows) || 5, 12)) : null,
    placeholder: words(component.placeholder),
    disabled: component.disabled,
    autocomplete: "off",
    value: context.state.value(key, initial),
  });
  const counter = h("span", { class: "counter", "aria-hidden": "true" });
  const count = () => {
    const length = [...box.value].length;
    counter.textContent = `${length}/${most}`;
    counter.classList.toggle("over", length > most);
  };
  const keep = () => {
    context.state.put(key, box.value, initial);
    count();
    if (component.auto_resize && long) {
      box.style.height = "auto";
      box.style.height = `${box.scrollHeight + 2}px`;
    }
  };
  count();
  box.addEventListener("input", keep);
  const send = () => {
    if (tooLong()) return;
    click(component, context, { input_value: box.value });
  };
  const tooLong = () => ([...box.value].length > most ? t("field.too_long", { most }) : "");
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.isComposing && !long && !context.form) {
      event.preventDefault();
      send();
    }
  });
  const alone = context.form
    ? null
    : h("button", { type: "button", class: "card-button primary_text input-send", "aria-label": t("field.send"), disabled: component.disabled, data: { path: context.path }, on: { click: send } }, "✓");
  const control = h("div", { class: `input-box${long ? " long" : ""}${component.max_length ? " counted" : ""}` }, box, alone, (long || component.max_length) && counter);
  return fieldBox(component, context, control, {
    target: box,
    get: () => box.value,
    filled: () => box.value.trim() !== "",
    error: tooLong,
    reset: () => {
      box.value = initial;
      count();
    },
  });
}
