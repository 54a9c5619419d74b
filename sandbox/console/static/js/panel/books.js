// What really happened at the platforms: complaints, refunds, money.
import { h, keyed } from "../dom.js";
import { t } from "../i18n.js";
import { now, state } from "../store.js";
import { messageTime } from "../time.js";
import { yuan } from "./fields.js";

function complaintRow(one) {
  return h(
    "details",
    { class: "book", data: { complaint: one.id, state: one.state } },
    h(
      "summary",
      null,
      h("span", { class: `text-tag ${{ PENDING: "tag-red", PROCESSING: "tag-blue", PROCESSED: "tag-green" }[one.state] || "tag-neutral"}` }, t(`complaint.${one.state}`)),
      h("span", { class: "book-text" }, one.text.slice(0, 60)),
      h("span", { class: "book-money" }, `${yuan(one.refunded_fen)} / ${yuan(one.amount_fen)}`),
    ),
    h("div", { class: "book-id muted" }, one.id, one.times > 1 ? ` · ${t("books.times", { times: one.times })}` : "", one.platform_assists ? ` · ${t("books.platform")}` : "", one.user_waits ? ` · ${t("books.waits")}` : ""),
    h("ol", { class: "history" }, one.history.map((step) => h("li", null, h("span", { class: "muted" }, `${messageTime(Date.parse(step.at), now())} ${step.operator} · ${t(`step.${step.kind}`) === `step.${step.kind}` ? step.kind : t(`step.${step.kind}`)}`), step.details && h("div", null, step.details.slice(0, 400))))),
  );
}

export function buildBooks() {
  const totals = h("dl", { class: "totals" });
  const complaints = h("div", { class: "books" });
  const refunds = h("div", { class: "books" });
  const none = h("p", { class: "muted" }, t("books.none"));
  const node = h("div", { data: { testid: "books" } }, totals, h("h2", null, t("books.complaints")), none, complaints, h("h2", null, t("books.refunds")), refunds);
  const update = () => {
    const pay = state.books.wechatpay;
    node.hidden = !pay;
    if (!pay) return;
    const lines = [
      ["books.complaints", pay.complaint_count, "complaints"],
      ["books.refunds", pay.refund_count, "refunds"],
      ["books.refunded", yuan(pay.refunded_fen), "refunded"],
      ["books.under_way", yuan(pay.under_way_fen), "under-way"],
      ["books.create_calls", pay.refund_create_calls, "create-calls"],
    ];
    keyed(totals, lines, ([key]) => key, ([, value]) => String(value), ([key, value, testid]) => h("div", null, h("dt", null, t(key)), h("dd", { data: { testid: `total-${testid}` } }, value)));
    none.hidden = pay.complaints.length > 0;
    keyed(complaints, pay.complaints, (one) => one.id, (one) => JSON.stringify(one), (one, old) => {
      const row = complaintRow(one);
      row.open = Boolean(old?.open);
      return row;
    });
    keyed(refunds, pay.refunds, (one) => one.out_refund_no, (one) => JSON.stringify(one), (one) =>
      h("div", { class: "refund", data: { refund: one.out_refund_no, status: one.status } }, h("span", { class: `text-tag ${one.status === "SUCCESS" ? "tag-green" : "tag-orange"}` }, one.status), h("span", { class: "book-text" }, one.out_refund_no), h("span", { class: "book-money" }, yuan(one.amount_fen))),
    );
  };
  return { node, update };
}
