// Components that only show: text, markdown, pictures, lines.
import { openDialog } from "../announce.js";
import { h } from "../dom.js";
import { t, words } from "../i18n.js";
import { markdown } from "../markdown.js";
import { inlineNodes } from "../markdown_inline.js";
import { fontColour, sizeClass } from "../style.js";
import { picture } from "../text.js";

const IMAGE_SIZES = { large: "160px", medium: "80px", small: "40px", tiny: "16px" };

function withIcon(component, node) {
  const own = component.icon;
  if (!own || own.tag !== "custom_icon" || !own.img_key) return node;
  return h("div", { class: "with-icon" }, picture(own.img_key, "", "card-icon"), node);
}

export function markdownBlock(component, context) {
  const node = markdown(words(component), context);
  node.classList.add(sizeClass(component.text_size, context));
  if (component.text_align) node.style.textAlign = { left: "left", center: "center", right: "right" }[component.text_align] || "";
  return withIcon(component, node);
}

// A text object in its place: plain text is never read as markdown.
export function textObject(object, context) {
  const plain = !object || object.tag !== "lark_md";
  const node = h("div", { class: `card-text ${sizeClass(object?.text_size, context)}` });
  node.append(...(plain ? [words(object)] : inlineNodes(words(object), context)));
  if (object?.text_color) fontColour(node, object.text_color, context);
  if (object?.text_align) node.style.textAlign = { left: "left", center: "center", right: "right" }[object.text_align] || "";
  const lines = Number(object?.lines);
  if (lines > 0) {
    node.classList.add("clamped");
    node.style.setProperty("--lines", String(lines));
  }
  return node;
}

export function plainText(component, context) {
  return textObject(component, context);
}

export function div(component, context) {
  const fields = Array.isArray(component.fields) ? component.fields : []; // 1.0 cards only
  const node = h(
    "div",
    null,
    component.text && textObject(component.text, context),
    fields.length > 0 && h("div", { class: "fields" }, fields.map((field) => h("div", { class: field.is_short ? "short" : "" }, textObject(field.text, context)))),
  );
  return withIcon(component, node);
}

function enlarged(key, alt) {
  return openDialog({ title: alt || t("message.picture"), body: picture(key, alt, "picture-large"), wide: true });
}

export function image(component) {
  const key = words(component, "img_key");
  const alt = words(component.alt);
  const shown = picture(key, alt, `card-image ${component.scale_type === "fit_horizontal" ? "" : "crop"}`);
  if (component.corner_radius && /^\d{1,3}(px|%)$/.test(component.corner_radius)) shown.style.borderRadius = component.corner_radius;
  const size = IMAGE_SIZES[component.size] || (/^\d{1,3}px( \d{1,3}px)?$/.test(component.size || "") ? component.size : "");
  if (size) {
    const [width, height] = size.split(" ");
    shown.style.width = width;
    shown.style.height = height || width;
    shown.classList.add("crop");
  }
  const title = words(component.title);
  const frame =
    component.preview === false
      ? shown
      : h("button", { type: "button", class: "plain image-button", "aria-label": t("card.enlarge", { name: alt || t("message.picture") }), on: { click: () => enlarged(key, alt) } }, shown);
  return h("div", { class: "card-image-box" }, title && h("div", { class: "card-text size-normal" }, title), frame);
}

export function combination(component) {
  const mode = ["double", "triple", "bisect", "trisect"].includes(component.combination_mode) ? component.combination_mode : "bisect";
  const list = Array.isArray(component.img_list) ? component.img_list : [];
  return h(
    "div",
    { class: `combination ${mode}` },
    list.map((one) =>
      h("button", { type: "button", class: "plain image-button", "aria-label": t("card.enlarge", { name: t("message.picture") }), on: { click: () => enlarged(one.img_key, "") } }, picture(one.img_key, "", "card-image crop")),
    ),
  );
}

export function line() {
  return h("hr", { class: "card-hr" });
}
