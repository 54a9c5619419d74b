// One card: header, body, and what the viewer has typed into it so far.
import { h } from "../dom.js";
import { t, words } from "../i18n.js";
import { mention } from "../people.js";
import { now } from "../store.js";
import { headerClass, safeLink, space, tagClass } from "../style.js";
import { picture } from "../text.js";
import { family } from "./families.js";
import { personChip } from "./persons.js";

// What the viewer did on a card and no server knows: typed values, opened panels, turned pages.
class CardState {
  constructor() {
    this.values = new Map();
    this.local = new Map();
    this.busy = "";
    this.submitted = ""; // the keys of a form that was sent; its fields start anew when the card is redrawn
  }

  // The kept value, unless the card now proposes another one than when the viewer changed it.
  value(key, initial) {
    const kept = this.values.get(key);
    return kept && JSON.stringify(kept.initial) === JSON.stringify(initial) ? kept.value : initial;
  }

  put(key, value, initial) {
    this.values.set(key, { value, initial });
    this.submitted = "";
  }

  forget(prefix) {
    for (const key of [...this.values.keys()]) if (key.startsWith(prefix)) this.values.delete(key);
  }
}

const states = new Map();

export function cardStateOf(messageId) {
  if (!states.has(messageId)) states.set(messageId, new CardState());
  return states.get(messageId);
}

function header(card) {
  const head = card.header;
  if (!head || typeof head !== "object") return null;
  const tags = head.i18n_text_tag_list?.zh_cn || head.text_tag_list || [];
  return h(
    "div",
    { class: `card-head ${headerClass(head.template)}`, style: { padding: space(head.padding) }, data: { template: head.template || "default" } },
    h(
      "div",
      { class: "card-title-row" },
      h("div", { class: "card-title", role: "heading", "aria-level": "3" }, words(head.title)),
      tags.slice(0, 3).map((tag) => h("span", { class: `text-tag ${tagClass(tag.color)}` }, words(tag.text))),
    ),
    head.subtitle && words(head.subtitle) && h("div", { class: "card-subtitle" }, words(head.subtitle)),
  );
}

function contextOf(slot, message, state) {
  const card = message.card;
  const context = {
    message,
    state,
    style: card.config?.style,
    form: null,
    inside: null,
    now,
    clickable: message.clickable !== false,
    mention: (id, name) => mention(id, name),
    person: (id, attributes) => personChip(id, attributes),
    image: (key, alt) => picture(key, alt, "md-image"),
    redraw: () => draw(slot, message, state),
  };
  context.draw = (component, path, own = context) => drawComponent(component, path, own);
  context.drawAll = (elements, path, own = context) =>
    (Array.isArray(elements) ? elements : []).map((one, index) => drawComponent(one, `${path}.${index}`, own));
  return context;
}

function drawComponent(component, path, context) {
  if (!component || typeof component !== "object") return null;
  const build = family[component.tag];
  let node;
  try {
    node = build ? build(component, { ...context, path }) : h("div", { class: "card-unknown" }, t("card.unknown", { tag: component.tag }));
  } catch (error) {
    console.warn("a component could not be drawn", component.tag, error);
    node = h("div", { class: "card-unknown" }, t("card.unknown", { tag: component.tag }));
  }
  if (node && component.margin) node.style.margin = space(component.margin, -99);
  if (node && component.element_id) node.dataset.elementId = component.element_id;
  return node;
}

function body(card, context) {
  const second = card.schema === "2.0";
  const own = second ? card.body || {} : {};
  const elements = second ? own.elements : card.elements || Object.values(card.i18n_elements || {})[0];
  const alignment = { left: "flex-start", center: "center", right: "flex-end" };
  const across = own.direction === "horizontal";
  const drawn = context.drawAll(elements, second ? "body.elements" : "elements");
  if (!drawn.length) return null;
  return h(
    "div",
    {
      class: `card-body${across ? " across" : ""}`,
      style: {
        padding: space(own.padding),
        gap: `${space(own.vertical_spacing) || "8px"} ${space(own.horizontal_spacing) || "8px"}`,
        alignItems: across ? { top: "flex-start", center: "center", bottom: "flex-end" }[own.vertical_align] : alignment[own.horizontal_align],
        justifyContent: across ? alignment[own.horizontal_align] : null,
      },
    },
    drawn,
  );
}

function draw(slot, message, state) {
  const card = message.card;
  const focus = slot.contains(document.activeElement) ? document.activeElement : null;
  const kept = focus?.dataset?.focusKey && { key: focus.dataset.focusKey, from: focus.selectionStart, to: focus.selectionEnd };
  const context = contextOf(slot, message, state);
  const width = { compact: "compact", fill: "fill" }[card.config?.width_mode] || "normal";
  const empty = !card.header && !card.body && !card.elements && !card.i18n_elements;
  const title = words(card.header?.title) || t("message.card");
  const link = safeLink(card.card_link?.url || card.card_link?.pc_url);
  slot.replaceChildren(
    h(
      "div",
      { class: `card width-${width}${context.clickable ? "" : " expired"}`, role: "group", "aria-label": t("card.label", { title }), data: { testid: "card" } },
      header(card),
      empty ? h("div", { class: "card-body muted" }, t("card.empty")) : body(card, context),
      link && h("a", { class: "card-link", href: link, target: "_blank", rel: "noopener noreferrer" }, t("card.details")),
      !context.clickable && h("div", { class: "card-expired" }, t("card.expired")),
    ),
  );
  if (kept) {
    const again = [...slot.querySelectorAll("[data-focus-key]")].find((node) => node.dataset.focusKey === kept.key);
    if (again) {
      again.focus({ preventScroll: true });
      if (typeof kept.from === "number" && "setSelectionRange" in again) {
        try {
          again.setSelectionRange(kept.from, kept.to);
        } catch {
          // dates and times have no selection
        }
      }
    }
  }
}

// Draws the card into its slot; a card that did not change is left as it stands, with focus and typed text.
export function buildCard(slot, message, state) {
  const signature = JSON.stringify([message.card, message.clickable, document.documentElement.lang]);
  if (slot.shownCard === signature) return;
  slot.shownCard = signature;
  if (state.submitted) state.forget(state.submitted);
  state.submitted = "";
  draw(slot, message, state);
}
