// Selects, multi-selects, overflow menus, checkers and picture choices.
import { openMenu } from "../announce.js";
import { h, icon } from "../dom.js";
import { t, words } from "../i18n.js";
import { nameOf } from "../people.js";
import { chat, person } from "../store.js";
import { picture } from "../text.js";
import { click, reacts, tips } from "./click.js";
import { chosen, fieldBox, fieldKey } from "./fields.js";

// Options as [value, label]; a person select without options offers everybody in the chat.
function optionsOf(component) {
  const own = Array.isArray(component.options) ? component.options : [];
  if (!component.tag.endsWith("person")) return own.map((one) => [String(one.value ?? ""), words(one.text) || String(one.value ?? "")]);
  const ids = own.length ? own.map((one) => one.value) : (chat()?.members || []).filter((id) => !person(id)?.left);
  return ids.map((id) => [id, nameOf(id)]);
}

function firstChoice(component, options) {
  const index = Number(component.initial_index);
  if (component.initial_option) return String(component.initial_option);
  return index > 0 && options[index - 1] ? options[index - 1][0] : "";
}

export function select(component, context) {
  const options = optionsOf(component);
  const initial = firstChoice(component, options);
  const key = fieldKey(component, context);
  const placeholder = words(component.placeholder) || t("field.choose");
  const box = h(
    "select",
    { class: `card-select${component.type === "text" ? " textual" : ""}`, disabled: component.disabled, title: tips(component), value: context.state.value(key, initial) },
    h("option", { value: "" }, placeholder),
    options.map(([value, label]) => h("option", { value }, label)),
  );
  box.dataset.path = context.path;
  box.classList.toggle("unset", !box.value);
  box.addEventListener("change", () => {
    box.classList.toggle("unset", !box.value);
    if (context.form) context.state.put(key, box.value, initial);
    else if (box.value) chosen(component, context, { option: box.value }, () => (box.value = initial));
  });
  return fieldBox(component, context, box, {
    get: () => box.value,
    filled: () => box.value !== "",
    reset: () => {
      box.value = initial;
      box.classList.toggle("unset", !box.value);
    },
  });
}

export function multiSelect(component, context) {
  const options = optionsOf(component);
  const initial = Array.isArray(component.selected_values) ? component.selected_values.map(String) : [];
  const key = fieldKey(component, context);
  const label = h("span", { class: "multi-label" });
  const summary = h("summary", { class: "card-select" }, label);
  const boxes = options.map(([value, text]) => [value, text, h("input", { type: "checkbox", value, disabled: component.disabled })]);
  const picked = () => boxes.filter(([, , box]) => box.checked).map(([value]) => value);
  const show = () => {
    const names = boxes.filter(([, , box]) => box.checked).map(([, text]) => text);
    label.textContent = names.join("、") || words(component.placeholder) || t("field.choose_many");
    label.classList.toggle("unset", !names.length);
  };
  const set = (values) => {
    for (const [value, , box] of boxes) box.checked = values.includes(value);
    show();
  };
  const list = h("div", { class: "multi-list" }, boxes.map(([, text, box]) => h("label", null, box, text)));
  const node = h("details", { class: "multi" }, summary, list);
  list.addEventListener("change", () => {
    context.state.put(key, picked(), initial);
    show();
    summary.dispatchEvent(new Event("change"));
  });
  node.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && node.open) {
      node.open = false;
      summary.focus();
      event.stopPropagation();
    }
  });
  node.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !node.contains(event.relatedTarget)) node.open = false;
  });
  set(context.state.value(key, initial));
  return fieldBox(component, context, node, { target: summary, get: picked, filled: () => picked().length > 0, reset: () => set(initial) });
}

export function overflow(component, context) {
  const node = h(
    "button",
    { type: "button", class: "card-button default overflow", "aria-haspopup": "menu", "aria-expanded": "false", "aria-label": t("card.more"), title: tips(component), data: { path: context.path, focusKey: context.path } },
    icon("more"),
  );
  const items = (Array.isArray(component.options) ? component.options : []).map((one) => ({
    label: words(one.text),
    run: () => click({ ...component, multi_url: one.multi_url || (one.url && { url: one.url }) }, context, { option: String(one.value ?? "") }),
  }));
  node.addEventListener("click", (event) => {
    event.stopPropagation();
    if (component.disabled) click(component, context);
    else openMenu(node, items);
  });
  return node;
}

export function checker(component, context) {
  const initial = Boolean(component.checked);
  const key = fieldKey(component, context);
  const box = h("input", { type: "checkbox", disabled: component.disabled, checked: context.state.value(key, initial) });
  const style = component.checked_style || {};
  const label = h("span", null, words(component.text));
  const show = () => {
    label.classList.toggle("struck", box.checked && Boolean(style.show_strikethrough));
    label.style.opacity = box.checked && Number(style.opacity) >= 0 ? String(style.opacity) : "";
  };
  show();
  box.dataset.focusKey = key;
  box.dataset.path = context.path;
  box.dataset.name = component.name || "";
  const keep = () => {
    context.state.put(key, box.checked, initial);
    show();
  };
  const back = () => {
    box.checked = !box.checked;
    keep();
  };
  box.addEventListener("change", () => {
    keep();
    if (reacts(component)) chosen(component, context, { checked: box.checked }, back);
  });
  if (context.form && component.name) {
    const reset = () => {
      box.checked = initial;
      show();
    };
    context.form.fields.push({ name: component.name, required: false, complain: () => {}, target: box, get: () => box.checked, filled: () => true, reset });
  }
  const buttons = component.button_area?.buttons || [];
  return h("div", { class: "checker" }, h("label", null, box, label), h("div", { class: "checker-buttons" }, context.drawAll(buttons, `${context.path}.button_area.buttons`, context)));
}

export function selectImage(component, context) {
  const many = Boolean(component.multi_select && context.form);
  const initial = many ? component.selected_values || [] : "";
  const key = fieldKey(component, context);
  let value = context.state.value(key, initial);
  const has = (one) => (many ? value.includes(one) : value === one);
  const group = h("div", { class: `combination ${component.layout === "trisect" ? "trisect" : "bisect"}`, role: "group", tabindex: "-1" });
  const show = () => {
    for (const button of group.children) button.setAttribute("aria-pressed", String(has(button.value)));
  };
  for (const one of component.options || []) {
    const pick = () => {
      if (many) value = has(one.value) ? value.filter((other) => other !== one.value) : [...value, one.value];
      else value = one.value;
      context.state.put(key, value, initial);
      show();
      group.dispatchEvent(new Event("change"));
      chosen(component, context, { option: one.value });
    };
    group.append(h("button", { type: "button", class: "plain image-choice", value: one.value, disabled: one.disabled || component.disabled, "aria-label": one.value, on: { click: pick } }, picture(one.img_key, "", "card-image crop")));
  }
  show();
  group.dataset.path = context.path;
  const reset = () => {
    value = initial;
    show();
  };
  return fieldBox(component, context, group, { get: () => value, filled: () => value.length > 0, reset });
}
