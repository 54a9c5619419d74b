// The log of everything that crossed the wire, newest on top.
import { h, keyed } from "../dom.js";
import { t } from "../i18n.js";
import { state } from "../store.js";
import { clockTime } from "../time.js";
import { choices, refill, titleOf } from "./fields.js";

const SHOWN = 150;

function row(call) {
  const bad = call.status === 0 || call.status >= 400;
  return h(
    "details",
    { class: `call${bad ? " bad" : ""}`, data: { call: String(call.number) } },
    h(
      "summary",
      null,
      h("span", { class: "call-way", title: t(call.direction === "in" ? "calls.in" : "calls.out") }, call.direction === "in" ? "→" : "←"),
      h("span", { class: "call-path" }, `${call.direction === "in" ? `${call.method} ` : ""}${call.path}`),
      h("span", { class: "call-status" }, call.status || t("calls.lost"), call.code && call.code !== "0" ? ` ${call.code}` : ""),
    ),
    h("div", { class: "muted" }, `${clockTime(call.at, true)} · ${titleOf(call.platform)} · ${call.milliseconds} ms`),
    call.summary && h("pre", { tabindex: "0" }, call.summary),
  );
}

export function buildCalls() {
  const platform = choices([["", t("calls.all")]], { "aria-label": t("calls.platform"), "data-testid": "calls-platform" });
  const words = h("input", { class: "panel-input", type: "search", placeholder: t("calls.search"), "aria-label": t("calls.search") });
  const list = h("div", { class: "calls", data: { testid: "calls" } });
  const none = h("p", { class: "muted" }, t("calls.none"));
  const node = h("div", null, h("div", { class: "two" }, platform, words), none, list);
  const update = () => {
    refill(platform, [["", t("calls.all")], ...state.platforms.map((one) => [one, titleOf(one)])]);
    const part = words.value.trim().toLowerCase();
    const shown = state.calls
      .filter((call) => (!platform.value || call.platform === platform.value) && (!part || `${call.path} ${call.summary}`.toLowerCase().includes(part)))
      .slice(-SHOWN)
      .reverse();
    none.hidden = shown.length > 0;
    keyed(list, shown, (call) => call.number, () => "", row);
  };
  platform.addEventListener("change", update);
  words.addEventListener("input", update);
  return { node, update };
}
