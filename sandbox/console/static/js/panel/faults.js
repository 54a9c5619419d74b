// Switching failures on and off.
import { h, keyed } from "../dom.js";
import { t } from "../i18n.js";
import { act, state } from "../store.js";
import { choices, doing, labelled, refill, titleOf } from "./fields.js";

const TIMED = new Set(["late", "delay"]);

export function buildFaults() {
  const platform = choices([]);
  const kind = choices([]);
  platform.dataset.testid = "fault-platform";
  kind.dataset.testid = "fault-kind";
  const path = h("input", { class: "panel-input", autocomplete: "off", placeholder: t("faults.any") });
  const times = h("input", { class: "panel-input", type: "number", min: "1", max: "1000", value: "1" });
  const always = h("input", { type: "checkbox" });
  const seconds = h("input", { class: "panel-input", type: "number", min: "0", max: "600", step: "0.5", value: "5" });
  const secondsField = labelled(t("faults.seconds"), seconds);
  const list = h("ul", { class: "fault-list", "aria-label": t("faults.active") });
  const none = h("p", { class: "muted" }, t("faults.none"));
  const show = () => {
    secondsField.hidden = !TIMED.has(kind.value);
    times.disabled = always.checked;
  };
  kind.addEventListener("change", show);
  always.addEventListener("change", show);
  const add = () =>
    act("fault", {
      platform: platform.value,
      kind: kind.value,
      path: path.value.trim(),
      times: always.checked ? -1 : Number(times.value),
      seconds: TIMED.has(kind.value) ? Number(seconds.value) : 0,
    });
  const node = h(
    "div",
    null,
    h(
      "fieldset",
      null,
      h("legend", null, t("faults.title")),
      h("div", { class: "two" }, labelled(t("faults.platform"), platform), labelled(t("faults.kind"), kind)),
      labelled(t("faults.path"), path),
      h("div", { class: "two" }, labelled(t("faults.times"), times), secondsField),
      h("label", { class: "tick" }, always, t("faults.always")),
      doing(t("faults.add"), add, { kind: "strong", "data-testid": "fault-add" }),
    ),
    h("div", { class: "row" }, h("h2", null, t("faults.active")), doing(t("faults.clear"), () => act("fault/clear", {}), { "data-testid": "fault-clear" })),
    none,
    list,
  );
  const update = () => {
    refill(platform, state.platforms.map((one) => [one, titleOf(one)]));
    refill(kind, (state.fault_kinds || []).map((one) => [one.kind, `${t(one.push ? "faults.push" : "faults.call")} · ${t(`fault.${one.kind}`)}`]));
    show();
    none.hidden = state.faults.length > 0;
    keyed(
      list,
      state.faults.map((fault, index) => ({ ...fault, index })),
      (fault) => fault.index,
      (fault) => JSON.stringify(fault),
      (fault) =>
        h(
          "li",
          null,
          h("strong", null, `${titleOf(fault.platform)} · ${t(`fault.${fault.kind}`)}`),
          h("span", { class: "muted" }, [fault.path, fault.times < 0 ? t("faults.always") : t("faults.left", { times: fault.times }), fault.seconds ? `${fault.seconds} s` : "", t("faults.struck", { times: fault.struck })].filter(Boolean).join(" · ")),
        ),
    );
  };
  return { node, update };
}
