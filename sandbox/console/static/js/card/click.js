// What happens when the viewer uses an interactive component.
import { confirmed, toast } from "../announce.js";
import { locale, t, words } from "../i18n.js";
import { act } from "../store.js";
import { safeLink } from "../style.js";

const behaviours = (component) => (Array.isArray(component.behaviors) ? component.behaviors : []);

export function reacts(component) {
  return behaviours(component).some((one) => one?.type === "callback") || component.value !== undefined;
}

export function tips(component) {
  return words(component.disabled ? component.disabled_tips : component.hover_tips) || null;
}

function openAddress(component) {
  const found = behaviours(component).find((one) => one?.type === "open_url");
  const href = safeLink(found?.pc_url || found?.default_url || component.url || component.multi_url?.pc_url || component.multi_url?.url);
  if (href) window.open(href, "_blank", "noopener,noreferrer");
  return Boolean(found);
}

function showToast(shown) {
  if (!shown) return;
  const text = shown.i18n?.[locale()] || shown.content || Object.values(shown.i18n || {})[0];
  if (text) toast(text, shown.type);
}

// Asks, opens the address, calls back; `sent` is what this kind of component reports. True when it went well.
export async function click(component, context, sent = {}) {
  if (component.disabled) {
    toast(tips(component) || t("card.disabled"), "info");
    return false;
  }
  if (component.confirm && !(await confirmed(words(component.confirm.title), words(component.confirm.text)))) return false;
  openAddress(component);
  const submits = component.form_action_type === "submit" || component.action_type === "form_submit";
  if (!reacts(component) && !submits) return true;
  if (context.state.busy) return false;
  if (!context.clickable) {
    toast(t("card.expired"), "warning");
    return false;
  }
  context.state.busy = context.path;
  if (submits && context.form) context.state.submitted = `${context.form.name}/`;
  setBusy(context, true);
  try {
    const answer = await act("click", {
      message_id: context.message.message_id,
      path: context.path,
      tag: component.tag,
      name: component.name || "",
      ...sent,
    });
    if (answer.code) {
      context.state.submitted = "";
      toast(`${t("card.failed")} code: ${answer.code}`, "error");
    } else showToast(answer.toast);
    return !answer.code;
  } catch (error) {
    context.state.submitted = "";
    toast(error.message, "error");
    return false;
  } finally {
    context.state.busy = "";
    setBusy(context, false);
  }
}

// Found anew each time: the card may have been redrawn while the call was under way.
function setBusy(context, on) {
  const message = document.querySelector(`[data-message-id="${CSS.escape(context.message.message_id)}"]`);
  const node = [...(message?.querySelectorAll("[data-path]") || [])].find((one) => one.dataset.path === context.path);
  if (!node) return;
  node.classList.toggle("busy", on);
  node.setAttribute("aria-busy", String(on));
}
