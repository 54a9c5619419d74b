// The narrow rail (who am I, language, panel) and the list of chats.
import { toast } from "./announce.js";
import { avatar, personName } from "./people.js";
import { h, icon, keyed } from "./dom.js";
import { language, t, useLanguage } from "./i18n.js";
import { act, choose, me, now, state, view } from "./store.js";
import { dayOf, listTime } from "./time.js";
import { preview } from "./text.js";

export function buildRail(redraw) {
  const face = h("div", { class: "rail-face" });
  const who = h("select", {
    class: "who",
    "aria-label": t("who.label"),
    data: { testid: "who" },
    on: { change: () => choose({ me: who.value, chat: "" }) },
  });
  const other = language() === "zh" ? "en" : "zh";
  const rail = h(
    "nav",
    { class: "rail", "aria-label": t("rail.label") },
    h("label", { class: "who-box", title: t("who.label") }, face, who),
    h("div", { class: "rail-space" }),
    h(
      "button",
      {
        type: "button",
        class: "rail-button",
        lang: other,
        "aria-label": t("language.switch"),
        title: t("language.switch"),
        data: { testid: "language" },
        on: { click: () => { useLanguage(other); redraw(); } },
      },
      other === "zh" ? "中" : "EN",
    ),
    h(
      "button",
      {
        type: "button",
        class: "rail-button",
        "aria-label": t("panel.toggle"),
        title: t("panel.toggle"),
        data: { testid: "panel-toggle" },
        on: { click: () => choose({ panel: !view.panel }) },
      },
      icon("panel"),
    ),
  );
  const update = () => {
    const own = me();
    face.replaceChildren(own ? avatar(own.name, "user", "large") : "");
    rail.querySelector("[data-testid=panel-toggle]").setAttribute("aria-expanded", String(view.panel));
    const people = state.people.filter((one) => one.kind === "user");
    keyed(
      who,
      people,
      (one) => one.id,
      (one) => personName(one) + one.left,
      (one) => h("option", { value: one.id }, one.left ? t("who.left", { name: personName(one) }) : personName(one)),
    );
    if (document.activeElement !== who || who.value !== view.me) who.value = view.me;
  };
  return { node: rail, update };
}

// Opening the private chat with the bot tells the bot, every time, as the client does.
async function openChat(one) {
  // One that does not exist yet is shown when it does: what is typed must have a place to stand.
  const exists = !one.chat_id.startsWith("bot:");
  if (exists) choose({ chat: one.chat_id });
  if (one.kind !== "p2p") return;
  const before = { ...view };
  try {
    const { chat_id: id } = await act("open");
    if (!exists && view.me === before.me && view.chat === before.chat) choose({ chat: id });
  } catch (error) {
    toast(error.message, "error");
  }
}

function chatRow(one) {
  const last = one.last;
  const text = last ? preview(last, one.kind === "group") : "";
  const current = one.chat_id === view.chat;
  return h(
    "button",
    {
      type: "button",
      class: current ? "chat-row current" : "chat-row",
      "aria-current": current ? "true" : null,
      "aria-label": one.unread ? t("chat.row_unread", { name: one.name, count: one.unread }) : one.name,
      data: { chatId: one.chat_id, testid: "chat-row", unread: String(one.unread) },
      on: { click: () => openChat(one) },
    },
    h("span", { class: "face-box" }, avatar(one.name, one.kind === "group" ? "group" : "app"), one.unread > 0 && h("span", { class: "badge", "aria-hidden": "true" }, one.unread > 99 ? "99+" : one.unread)),
    h(
      "span",
      { class: "chat-row-text" },
      h("span", { class: "chat-row-top" }, h("span", { class: "chat-name" }, one.name, one.kind === "p2p" && h("span", { class: "text-tag tag-yellow" }, t("chat.bot"))), h("time", null, last ? listTime(last.created_at, now()) : "")),
      h("span", { class: "chat-last" }, last?.urgent && h("span", { class: "urgent" }, t("message.urgent")), text),
    ),
  );
}

export function buildChatList() {
  const rows = h("div", { class: "chat-rows" });
  const node = h("section", { class: "chat-list", "aria-label": t("chats.label") }, h("header", { class: "bar" }, h("h1", null, t("chats.title"))), rows);
  const update = () => {
    const order = [...state.chats].sort((a, b) => (b.last?.created_at || 0) - (a.last?.created_at || 0));
    const day = dayOf(now());
    keyed(rows, order, (one) => one.chat_id, (one) => JSON.stringify([one, one.chat_id === view.chat, day]), (one, old) => {
      const fresh = chatRow(one);
      if (old && old === document.activeElement) setTimeout(() => fresh.focus({ preventScroll: true }));
      return fresh;
    });
  };
  return { node, update };
}
