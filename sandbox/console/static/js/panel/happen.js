// Making things happen: what customers do, and what happens to people and messages.
import { h } from "../dom.js";
import { t } from "../i18n.js";
import { personName } from "../people.js";
import { act, state } from "../store.js";
import { choices, doing, fenOf, labelled, refill, yuan } from "./fields.js";

const TYPES = ["REFUND", "SERVICE_NOT_WORK", "OTHERS"];

function complaintForm() {
  const samples = choices([]);
  samples.dataset.testid = "sample";
  const merchants = choices([]);
  const text = h("textarea", { rows: "3", class: "panel-input", maxlength: "200000", data: { testid: "complaint-text" } });
  const amount = h("input", { class: "panel-input", inputmode: "decimal", autocomplete: "off", data: { testid: "complaint-amount" } });
  const type = choices(TYPES.map((one) => [one, t(`problem.${one}`)]), { "data-testid": "complaint-type" });
  const asked = h("input", { class: "panel-input", inputmode: "decimal", autocomplete: "off" });
  const own = h("div", { hidden: true }, labelled(t("happen.text"), text), labelled(t("happen.amount"), amount), labelled(t("happen.type"), type), labelled(t("happen.asked"), asked));
  const quote = h("p", { class: "sample-text" });
  const merchantField = labelled(t("happen.merchant"), merchants);
  const show = () => {
    const sample = state.samples.find((one) => one.key === samples.value);
    own.hidden = Boolean(sample);
    quote.hidden = !sample;
    quote.textContent = sample ? `${sample.text.slice(0, 160)}${sample.text.length > 160 ? "…" : ""} · ${yuan(sample.amount_fen)}` : "";
  };
  samples.addEventListener("change", show);
  const body = () => {
    if (samples.value) return { sample: samples.value, merchant_id: merchants.value };
    const fen = fenOf(amount.value);
    const refund = fenOf(asked.value);
    if (Number.isNaN(fen) || Number.isNaN(refund)) throw new Error(t("happen.bad_amount"));
    return { text: text.value, amount_fen: fen, problem_type: type.value, apply_refund_fen: refund, merchant_id: merchants.value };
  };
  const node = h(
    "fieldset",
    null,
    h("legend", null, t("happen.complain_title")),
    merchantField,
    labelled(t("happen.sample"), samples),
    quote,
    own,
    doing(t("happen.complain"), () => act("complain", body()), { said: t("happen.complained"), kind: "strong", "data-testid": "complain" }),
  );
  const update = () => {
    refill(samples, [...state.samples.map((one) => [one.key, one.title]), ["", t("happen.own")]]);
    refill(merchants, state.merchants.map((one) => [one.id, `${one.name || ""} ${one.id}`]));
    merchantField.hidden = state.merchants.length < 2;
    show();
  };
  return { node, update };
}

function laterForm() {
  const which = choices([]);
  which.dataset.testid = "complaint";
  const words = h("input", { class: "panel-input", autocomplete: "off", placeholder: t("happen.words_default"), data: { testid: "later-text" } });
  const later = (action, label) => doing(label, () => act("complaint", { complaint_id: which.value, action, text: words.value || t("happen.words_default") }), { said: t("happen.done"), "data-testid": `later-${action}` });
  const node = h(
    "fieldset",
    null,
    h("legend", null, t("happen.later_title")),
    labelled(t("happen.complaint"), which),
    labelled(t("happen.words"), words),
    h("div", { class: "chips" }, later("write", t("happen.write")), later("again", t("happen.again")), later("platform", t("happen.platform"))),
  );
  const update = () => {
    const all = state.books.wechatpay?.complaints || [];
    refill(which, all.map((one) => [one.id, `${one.id.slice(-6)} · ${t(`complaint.${one.state}`)} · ${one.text.replace(/\s+/g, " ").slice(0, 18)}`]));
    node.disabled = !all.length;
  };
  return { node, update };
}

function peopleForm() {
  const who = choices([]);
  const node = h(
    "fieldset",
    null,
    h("legend", null, t("happen.people_title")),
    labelled(t("happen.person"), who),
    doing(t("happen.leave"), () => act("leave", { open_id: who.value }), { said: t("happen.done"), "data-testid": "leave" }),
  );
  const update = () => {
    refill(who, state.people.filter((one) => one.kind === "user" && !one.left).map((one) => [one.id, personName(one)]));
  };
  return { node, update };
}

export function buildHappen() {
  const parts = { wechatpay: [complaintForm(), laterForm()], feishu: [peopleForm()] };
  const all = Object.entries(parts).flatMap(([platform, list]) => list.map((part) => ({ platform, part })));
  const node = h("div", null, all.map(({ part }) => part.node), h("p", { class: "muted" }, t("happen.hint")));
  const update = () => {
    if (state.version < 0) return;
    for (const { platform, part } of all) {
      part.node.hidden = !state.platforms.includes(platform);
      part.update();
    }
  };
  return { node, update };
}
