// Puts the page together and keeps it up to date.
import { buildChatList, buildRail } from "./chatlist.js";
import { buildComposer } from "./composer.js";
import { h, icon } from "./dom.js";
import { language, t } from "./i18n.js";
import { buildMessages } from "./messages.js";
import { buildPanel } from "./panel/panel.js";
import { choose, chat, onChange, startPolling, state, view } from "./store.js";

let parts = null;

function buildChat() {
  const composer = buildComposer();
  const messages = buildMessages(composer);
  const name = h("h1", { class: "chat-title" });
  const members = h("span", { class: "muted" });
  const head = h(
    "header",
    { class: "bar" },
    h("button", { type: "button", class: "plain icon-button only-narrow", "aria-label": t("chat.back"), data: { testid: "back" }, on: { click: () => showList(true) } }, icon("back")),
    h("div", { class: "chat-head" }, name, members),
    h("button", { type: "button", class: "plain icon-button", "aria-label": t("panel.toggle"), data: { testid: "panel-open" }, on: { click: () => choose({ panel: !view.panel }) } }, icon("panel")),
  );
  const nothing = h("p", { class: "nothing" }, t("chat.none"));
  const node = h("main", { class: "chat", "aria-label": t("chat.label") }, head, nothing, messages.node, composer.node);
  const update = (what) => {
    const open = chat();
    nothing.hidden = Boolean(open);
    messages.node.hidden = composer.node.hidden = !open;
    name.textContent = open?.name || "";
    members.textContent = open?.kind === "group" ? t("chat.members", { count: open.members.length }) : "";
    node.dataset.chatId = open?.chat_id || "";
    if (what.world || what.chosen) {
      messages.update();
      composer.update();
    }
  };
  return { node, update };
}

// At phone width either the list or the chat is shown.
function showList(on) {
  document.body.classList.toggle("in-list", on);
}

function draw() {
  document.documentElement.lang = language() === "zh" ? "zh-CN" : "en";
  document.title = t("title");
  const rail = buildRail(draw);
  const list = buildChatList();
  const middle = buildChat();
  const panel = buildPanel();
  const lost = h("div", { class: "lost", role: "status", hidden: true }, t("lost"));
  document.getElementById("app").replaceChildren(rail.node, list.node, middle.node, panel.node, lost);
  list.node.addEventListener("click", (event) => {
    if (event.target.closest("[data-chat-id]")) showList(false);
  });
  parts = { rail, list, middle, panel, lost };
  updateAll({ world: true, chosen: true, calls: true, faults: true });
}

function updateAll(what) {
  if ("connected" in what) {
    parts.lost.hidden = what.connected;
    return;
  }
  document.body.classList.toggle("with-panel", view.panel);
  if (what.world || what.chosen) {
    parts.rail.update();
    parts.list.update();
    parts.middle.update(what);
    const unread = state.chats.reduce((sum, one) => sum + one.unread, 0);
    document.title = `${unread ? `(${unread}) ` : ""}${t("title")}`;
  }
  if (what.world || what.chosen || what.calls || what.faults) parts.panel.update(what);
}

showList(!view.chat);
draw();
onChange(updateAll);
startPolling();
