// Date, time and date-time pickers; values carry the zone as Feishu sends it ("2024-04-01 +0800").
import { h } from "../dom.js";
import { words } from "../i18n.js";
import { OFFSET } from "../time.js";
import { tips } from "./click.js";
import { chosen, fieldBox, fieldKey } from "./fields.js";

const KINDS = {
  date_picker: { type: "date", initial: "initial_date" },
  picker_time: { type: "time", initial: "initial_time" },
  picker_datetime: { type: "datetime-local", initial: "initial_datetime" },
};

export function moment(component, context) {
  const kind = KINDS[component.tag];
  const initial = String(component[kind.initial] || "").replace(" ", "T");
  const key = fieldKey(component, context);
  const box = h("input", { class: "card-input moment", type: kind.type, disabled: component.disabled, title: tips(component) || words(component.placeholder), value: context.state.value(key, initial) });
  const value = () => (box.value ? `${box.value.replace("T", " ")} ${OFFSET}` : "");
  box.dataset.path = context.path;
  box.addEventListener("change", () => {
    if (context.form) context.state.put(key, box.value, initial);
    else if (box.value) chosen(component, context, { option: value() }, () => (box.value = initial));
  });
  return fieldBox(component, context, box, { get: value, filled: () => box.value !== "", reset: () => (box.value = initial) });
}
