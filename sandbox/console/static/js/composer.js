// Where the viewer writes. In groups the bot is mentioned unless the viewer switches that off.
import { toast } from "./announce.js";
import { h, icon } from "./dom.js";
import { t } from "./i18n.js";
import { act, chat, me, person, view } from "./store.js";
import { preview } from "./text.js";

// By person and chat; they outlive a change of language.
const drafts = new Map();

export function buildComposer() {
  let mentioning = true;
  let task = null; // {kind: "reply" | "edit", message}
  let shownFor = "";

  const chip = h("button", { type: "button", class: "mention-chip", data: { testid: "mention-toggle" }, on: { click: () => { mentioning = !mentioning; update(); box.focus(); } } });
  const box = h("textarea", { rows: "1", class: "composer-text", data: { testid: "composer" }, "aria-label": t("composer.label"), maxlength: "150000" });
  const doing = h("div", { class: "composer-task", hidden: true });
  const button = h("button", { type: "submit", class: "send", "aria-label": t("composer.send"), title: t("composer.send"), data: { testid: "send" } }, icon("send"));
  const form = h("form", { class: "composer", "aria-label": t("composer.label") }, doing, h("div", { class: "composer-row" }, chip, box, button));

  const grow = () => {
    box.style.height = "auto";
    box.style.height = `${Math.min(box.scrollHeight, 160)}px`;
  };
  const stopTask = () => {
    task = null;
    update();
  };

  async function send() {
    const text = box.value;
    if (!text.trim()) return;
    const target = view.chat;
    const bot = chat()?.kind === "group" && mentioning && task?.kind !== "edit" ? chat().bots[0] : null;
    const body = { chat: target, text, mention: bot ? [bot] : [] };
    const what = task?.kind === "edit" ? ["edit", { message_id: task.message.message_id, text }] : ["send", { ...body, reply_to: task?.message.message_id || "" }];
    const kept = task;
    box.value = "";
    drafts.delete(`${view.me} ${target}`);
    task = null;
    update();
    try {
      await act(...what);
    } catch (error) {
      toast(error.message, "error");
      if (!box.value && view.chat === target) {
        box.value = text;
        task = kept;
        update();
      }
    }
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      send();
    } else if (event.key === "Escape" && task) stopTask();
  });
  box.addEventListener("input", () => {
    drafts.set(`${view.me} ${view.chat}`, box.value);
    grow();
  });

  function update() {
    const open = chat();
    const key = `${view.me} ${view.chat}`;
    if (key !== shownFor) {
      shownFor = key;
      task = null;
      box.value = drafts.get(key) || "";
    }
    const bot = open?.kind === "group" ? open.bots[0] : null;
    const name = bot ? person(bot)?.name || "bot" : "";
    chip.hidden = !bot || task?.kind === "edit";
    chip.textContent = `@${name}`;
    chip.setAttribute("aria-pressed", String(mentioning));
    chip.setAttribute("aria-label", t("composer.mention", { name }));
    const gone = me()?.left;
    box.disabled = button.disabled = Boolean(gone) || !open;
    box.placeholder = gone ? t("composer.gone") : open ? t("composer.placeholder", { name: open.name }) : "";
    doing.hidden = !task;
    if (task) {
      doing.replaceChildren(
        h("span", null, `${t(task.kind === "reply" ? "composer.replying" : "composer.editing")} ${preview(task.message, task.kind === "reply").slice(0, 80)}`),
        h("button", { type: "button", class: "plain icon-button", "aria-label": t("cancel"), on: { click: stopTask } }, icon("close")),
      );
    }
    grow();
  }

  const begin = (kind) => (message) => {
    task = { kind, message };
    if (kind === "edit") box.value = message.text || "";
    update();
    box.focus();
  };
  return { node: form, update, reply: begin("reply"), edit: begin("edit") };
}
