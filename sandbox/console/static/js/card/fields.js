// Fields: what they hold, how a form reads them, and how a wrong one says so.
import { h } from "../dom.js";
import { t, words } from "../i18n.js";
import { pixels } from "../style.js";
import { click } from "./click.js";

// The key under which the viewer's own value is kept while cards are redrawn.
export function fieldKey(component, context) {
  return `${context.form ? context.form.name : ""}/${component.name || context.path}`;
}

let labels = 0;

// Puts label, control and the place for its error together, and registers the field with its form.
// `field` offers get(), filled(), reset(), and optionally error().
export function fieldBox(component, context, control, field) {
  const id = `field-${++labels}`;
  const label = words(component.label);
  const required = Boolean(context.form && (component.required ?? /^multi_select/.test(component.tag)));
  const error = h("div", { class: "field-error", id: `${id}-error`, hidden: true });
  const target = field.target || control;
  target.id = id;
  target.dataset.focusKey = fieldKey(component, context);
  target.dataset.name = component.name || "";
  target.setAttribute("aria-describedby", error.id);
  if (required) target.setAttribute("aria-required", "true");
  if (!label || !("labels" in target)) target.setAttribute("aria-label", label || words(component.placeholder) || component.name || t(`field.${component.tag}`));
  const node = h(
    "div",
    { class: `field${component.label_position === "left" ? " label-left" : ""}` },
    label && h("label", { for: id, class: required ? "required" : null }, label),
    h("div", { class: "field-control" }, control, error),
  );
  if (!label && required) node.classList.add("required-alone");
  if (component.width === "fill") node.classList.add("fill");
  else if (pixels(component.width, 100, 999)) node.style.width = component.width;
  const complain = (text) => {
    error.hidden = !text;
    error.textContent = text;
    if (text) target.setAttribute("aria-invalid", "true");
    else target.removeAttribute("aria-invalid");
  };
  target.addEventListener("input", () => complain(""));
  target.addEventListener("change", () => complain(""));
  if (context.form) context.form.fields.push({ ...field, name: component.name, required, complain, target });
  return node;
}

// A choice made outside a form is a click of its own.
export function chosen(component, context, sent, undo) {
  if (context.form) return;
  click(component, context, sent).then((ok) => {
    if (!ok) undo?.();
  });
}

export function readForm(form) {
  const values = {};
  let first = null;
  for (const field of form.fields) {
    const problem = field.required && !field.filled() ? t("field.required") : field.error?.() || "";
    field.complain(problem);
    if (problem && !first) first = { field, problem };
    if (field.name) values[field.name] = field.get();
  }
  if (first) {
    first.field.target.focus({ preventScroll: true });
    first.field.target.scrollIntoView({ block: "center" });
    return { ok: false, error: t("form.incomplete"), values };
  }
  return { ok: true, values };
}

export function resetForm(form) {
  form.state.forget(`${form.name}/`);
  for (const field of form.fields) {
    field.complain("");
    field.reset();
  }
}
