// Containers: columns, forms, interactive areas, folding panels.
import { h, icon } from "../dom.js";
import { t, words } from "../i18n.js";
import { inlineNodes } from "../markdown_inline.js";
import { background, border, pixels, safeLink, sizeClass, space } from "../style.js";
import { click, tips } from "./click.js";
import { textObject } from "./display.js";

const ALONG = { left: "flex-start", center: "center", right: "flex-end", justify: "space-between" };
const DOWN = { top: "flex-start", center: "center", bottom: "flex-end" };

function stack(component, kids, name) {
  const across = component.direction === "horizontal";
  const node = h("div", { class: `stack${across ? " across" : ""} ${name}` }, kids);
  node.style.gap = `${space(component.vertical_spacing) || "8px"} ${space(component.horizontal_spacing) || "8px"}`;
  const padding = space(component.padding);
  if (padding) node.style.padding = padding;
  if (across) {
    node.style.alignItems = DOWN[component.vertical_align] || "";
    node.style.justifyContent = ALONG[component.horizontal_align] || "";
  } else {
    node.style.justifyContent = DOWN[component.vertical_align] || "";
    if (component.horizontal_align) node.style.alignItems = ALONG[component.horizontal_align] || "";
  }
  return node;
}

function column(component, context, path) {
  const node = stack(component, context.drawAll(component.elements, `${path}.elements`), "column");
  const fixed = pixels(component.width, 16, 600);
  if (fixed) node.style.flex = `0 0 ${fixed}`;
  else if (component.width === "weighted") {
    node.classList.add("weighted");
    node.style.flex = `${Math.min(Math.max(Number(component.weight) || 1, 1), 5)} 1 0`;
  }
  if (component.width === "auto") node.style.flex = "0 1 auto";
  background(node, component.background_style, context);
  goes(node, component.action);
  return node;
}

function goes(node, action) {
  const href = safeLink(action?.multi_url?.pc_url || action?.multi_url?.url);
  if (!href) return;
  node.classList.add("clickable");
  node.addEventListener("click", (event) => {
    if (!event.target.closest("a,button,input,select,textarea,label,summary")) window.open(href, "_blank", "noopener,noreferrer");
  });
}

export function columnSet(component, context) {
  const mode = ["none", "stretch", "flow", "bisect", "trisect"].includes(component.flex_mode) ? component.flex_mode : "none";
  const columns = Array.isArray(component.columns) ? component.columns : [];
  const node = h("div", { class: `column-set flex-${mode}` }, columns.map((one, index) => column(one, context, `${context.path}.columns.${index}`)));
  node.style.columnGap = space(component.horizontal_spacing) || "8px";
  if (ALONG[component.horizontal_align]) node.style.justifyContent = ALONG[component.horizontal_align];
  background(node, component.background_style, context);
  goes(node, component.action);
  return node;
}

export function form(component, context) {
  const own = { name: component.name || "form", fields: [], state: context.state };
  const inside = { ...context, form: own };
  const node = stack(component, [], "card-form");
  inside.drawAll = (elements, path, given = inside) => context.drawAll(elements, path, given);
  node.append(...inside.drawAll(component.elements, `${context.path}.elements`).filter(Boolean));
  node.setAttribute("role", "group");
  node.setAttribute("aria-label", t("card.form"));
  node.dataset.form = own.name;
  return node;
}

export function interactive(component, context) {
  const tip = tips(component);
  const node = stack(component, context.drawAll(component.elements, `${context.path}.elements`), "interactive");
  const run = (event) => {
    if (event.target !== node && event.target.closest("a,button,input,select,textarea,label,summary,[role=button]") !== node) return;
    click(component, context);
  };
  node.setAttribute("role", "button");
  node.tabIndex = 0;
  node.dataset.path = context.path;
  node.dataset.focusKey = context.path;
  if (tip) node.title = tip;
  if (component.disabled) node.setAttribute("aria-disabled", "true");
  node.addEventListener("click", run);
  node.addEventListener("keydown", (event) => {
    if (event.target === node && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      run(event);
    }
  });
  background(node, component.background_style, context);
  if (component.has_border) {
    node.classList.add("bordered");
    border(node, component.border_color, context);
  }
  if (pixels(component.corner_radius, 0, 999)) node.style.borderRadius = component.corner_radius;
  if (pixels(component.width, 16, 999)) node.style.width = component.width;
  if (pixels(component.height, 10, 999)) node.style.height = component.height;
  return node;
}

export function collapsible(component, context) {
  const head = component.header || {};
  const key = `open ${component.element_id || context.path}`;
  const title = head.title || {};
  const text = title.tag === "markdown" || title.tag === "lark_md" ? h("span", { class: sizeClass(title.text_size, context) }, inlineNodes(words(title), context)) : textObject(title, context);
  const sign = h("span", { class: "fold-sign" }, icon("down"));
  const summary = h("summary", { class: `fold-head fold-${["left", "right", "follow_text"].includes(head.icon_position) ? head.icon_position : "right"}` }, text, sign);
  summary.dataset.focusKey = key;
  background(summary, head.background_color, context);
  if (space(head.padding)) summary.style.padding = space(head.padding);
  const inner = stack(component, context.drawAll(component.elements, `${context.path}.elements`), "fold-body");
  const open = context.state.local.get(key) ?? Boolean(component.expanded);
  const node = h("details", { class: `fold${component.border ? " bordered" : ""}`, open }, summary, inner);
  node.addEventListener("toggle", () => context.state.local.set(key, node.open));
  if (component.border) {
    border(node, component.border.color, context);
    if (pixels(component.border.corner_radius, 0, 99)) node.style.borderRadius = component.border.corner_radius;
  }
  background(node, component.background_color, context);
  return node;
}

export function actionRow(component, context) {
  return h("div", { class: "stack across" }, context.drawAll(component.actions, `${context.path}.actions`));
}

export function note(component, context) {
  return h("div", { class: "note" }, context.drawAll(component.elements, `${context.path}.elements`));
}
