// The messages of the chat that is open.
import { announce, openMenu, toast } from "./announce.js";
import { buildCard, cardStateOf } from "./card/card.js";
import { h, icon, keyed } from "./dom.js";
import { t } from "./i18n.js";
import { avatar, nameOf } from "./people.js";
import { picture, postNodes, preview, textNodes } from "./text.js";
import { act, chat, now, person, state, view } from "./store.js";
import { dayOf, fullTime, messageTime } from "./time.js";

const GAP = 5 * 60_000; // a line with the time stands before a message that comes this much later (milliseconds)
const EMOJI = { OK: "👌", THUMBSUP: "👍", DONE: "✅", Typing: "⌨️", OnIt: "🫡", LGTM: "👀", CheckMark: "✔️", HEART: "❤️", SMILE: "😊" };

function senderName(message) {
  return message.sender.kind === "bot" ? message.sender.name : nameOf(message.sender.open_id, message.sender.name);
}

function quote(message, known) {
  const parent = message.parent_id && known.get(message.parent_id);
  if (!parent) return null;
  return h(
    "button",
    { type: "button", class: "quote", on: { click: () => document.querySelector(`[data-message-id="${CSS.escape(parent.message_id)}"]`)?.scrollIntoView({ block: "center", behavior: "smooth" }) } },
    t("message.reply_to", { name: senderName(parent) }),
    " ",
    preview(parent, false).slice(0, 80),
  );
}

function content(message) {
  if (message.msg_type === "text") return h("div", { class: "bubble", data: { testid: "text" } }, textNodes(String(message.text ?? ""), message.mentions));
  if (message.msg_type === "post") return h("div", { class: "bubble" }, postNodes(message.content || {}, message.mentions));
  if (message.msg_type === "image") return h("div", { class: "bubble image" }, picture(message.image_key || "", ""));
  return h("div", { class: "bubble file" }, `📎 ${message.file_name || message.msg_type}`);
}

function reactions(message) {
  if (!message.reactions?.length) return null;
  const counted = new Map();
  for (const one of message.reactions) counted.set(one.emoji, [...(counted.get(one.emoji) || []), one]);
  return h(
    "div",
    { class: "reactions" },
    [...counted].map(([emoji, all]) =>
      h("span", { class: all.some((one) => one.mine) ? "reaction mine" : "reaction", title: all.map((one) => nameOf(one.by, "bot")).join(", ") }, `${EMOJI[emoji] || emoji} ${all.length}`),
    ),
  );
}

function messageMenu(message, hooks) {
  const own = message.sender.open_id === view.me;
  const items = [{ label: t("message.reply"), run: () => hooks.reply(message) }];
  items.push({ label: "👍", run: () => act("react", { message_id: message.message_id, emoji: "THUMBSUP" }).catch((error) => toast(error.message, "error")) });
  if (own && message.msg_type === "text") items.push({ label: t("message.edit"), run: () => hooks.edit(message) });
  if (own) items.push({ label: t("message.recall"), run: () => act("recall", { message_id: message.message_id }).catch((error) => toast(error.message, "error")) });
  const button = h(
    "button",
    { type: "button", class: "plain icon-button message-menu", "aria-haspopup": "menu", "aria-expanded": "false", "aria-label": t("message.menu", { name: senderName(message) }), on: { click: () => openMenu(button, items) } },
    icon("more"),
  );
  return button;
}

function build(message, known, hooks, old) {
  const own = message.sender.open_id === view.me;
  if (message.recalled) {
    return h("div", { class: "notice", data: { messageId: message.message_id, recalled: "true" } }, t("message.recalled_by", { name: own ? t("you") : senderName(message) }));
  }
  const gone = person(message.sender.open_id)?.left;
  const head = h(
    "div",
    { class: "message-head" },
    h("span", { class: "message-name" }, senderName(message)),
    message.sender.kind === "bot" && h("span", { class: "text-tag tag-yellow" }, t("chat.bot")),
    gone && h("span", { class: "muted" }, t("person.left")),
    h("time", { title: fullTime(message.created_at) }, messageTime(message.created_at, now())),
    message.edited && h("span", { class: "muted" }, t("message.edited")),
    message.only_for_me && h("span", { class: "muted" }, t("message.only_you")),
    message.urgent && h("span", { class: "urgent" }, t("message.urgent")),
  );
  const around = [head, quote(message, known)];
  const below = reactions(message);
  const slot = message.card && old?.querySelector(".card-slot");
  if (slot) {
    // The card stays where it is: moving it would take the focus from a field in it.
    buildCard(slot, message, cardStateOf(message.message_id));
    const line = slot.closest(".message-line");
    for (const part of [...line.parentNode.children]) if (part !== line) part.remove();
    line.before(...around.filter(Boolean));
    if (below) line.after(below);
    return old;
  }
  const place = message.card ? h("div", { class: "card-slot" }) : content(message);
  if (message.card) buildCard(place, message, cardStateOf(message.message_id));
  return h(
    "div",
    {
      class: `message${own ? " own" : ""}${message.card ? " with-card" : ""}`,
      role: "article",
      "aria-label": t("message.from", { name: senderName(message), time: messageTime(message.created_at, now()) }),
      data: { messageId: message.message_id, testid: "message", type: message.msg_type },
    },
    avatar(message.sender.name, message.sender.kind === "bot" ? "app" : "user"),
    h("div", { class: "message-body" }, around, h("div", { class: "message-line" }, place, messageMenu(message, hooks)), below),
  );
}

export function buildMessages(hooks) {
  const list = h("div", { class: "message-list", role: "log", "aria-live": "off", "aria-label": t("messages.label") });
  const scroller = h("div", { class: "messages", tabindex: "0", "aria-label": t("messages.label"), role: "region" }, list);
  const newer = h("button", { type: "button", class: "newer", hidden: true, on: { click: () => toEnd() } }, t("messages.newer"));
  let shown = { chat: "", me: "", last: 0 };
  let stuck = true;

  const toEnd = () => {
    scroller.scrollTop = scroller.scrollHeight;
    stuck = true;
    newer.hidden = true;
  };
  scroller.addEventListener("scroll", () => {
    stuck = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 60;
    if (stuck) newer.hidden = true;
  });
  new ResizeObserver(() => {
    if (stuck) toEnd();
  }).observe(list);

  const markRead = (last) => {
    const open = chat();
    // At phone width the chat may stand behind the list, unread.
    if (open?.unread && last && !document.hidden && scroller.offsetParent) act("read", { chat: open.chat_id }).catch(() => {});
  };

  const update = () => {
    const messages = state.messages;
    const known = new Map(messages.map((one) => [one.message_id, one]));
    const fresh = shown.chat !== view.chat || shown.me !== view.me;
    const entries = [];
    let before = 0;
    for (const message of messages) {
      if (message.created_at - before > GAP) entries.push({ key: `at-${message.message_id}`, time: message.created_at });
      before = message.created_at;
      entries.push({ key: message.message_id, message });
    }
    const day = dayOf(now());
    const names = JSON.stringify(state.people.map((one) => [one.id, one.name, one.left]));
    keyed(
      list,
      entries,
      (entry) => entry.key,
      (entry) => (entry.message ? JSON.stringify([entry.message, view.me, day, names, known.get(entry.message.parent_id)?.recalled]) : `${entry.time} ${day}`),
      (entry, old) => (entry.message ? build(entry.message, known, hooks, old) : h("div", { class: "time-line" }, messageTime(entry.time, now()))),
    );
    const last = messages[messages.length - 1];
    if (last && !fresh && last.number > shown.last) {
      if (last.sender.open_id !== view.me) announce(t("messages.announce", { name: senderName(last), text: preview(last, false) }));
      if (stuck || last.sender.open_id === view.me) toEnd();
      else newer.hidden = false;
    }
    if (fresh) toEnd();
    // Until the first state is there, nothing has been shown.
    shown = { chat: state.version < 0 ? "" : view.chat, me: view.me, last: last?.number || 0 };
    markRead(last);
  };
  return { node: h("div", { class: "messages-box" }, scroller, newer), update };
}
