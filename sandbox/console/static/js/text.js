// Message texts: plain text with Feishu's few tags, posts, and the one-line preview of any message.
import { h } from "./dom.js";
import { t, words } from "./i18n.js";
import { mention, nameOf } from "./people.js";
import { safeLink } from "./style.js";

const LOOK = 4000; // characters an opening tag looks for its end
const PIECE = /<at\s+user_id=(?:"([^"]*)"|'([^']*)'|([^\s">]+))\s*>([^<]*)<\/at>|<(b|i|u|s)>|\[([^\]\n]{1,500})\]\((https?:\/\/[^\s)]+)\)|(https?:\/\/[^\s<>"'，。；、（）【】]+)/g;

function linked(label, address) {
  const href = safeLink(address);
  return href ? h("a", { href, target: "_blank", rel: "noopener noreferrer nofollow" }, label) : label;
}

// `people` are the mentions of this message; "@name" of one of them becomes a chip.
export function textNodes(text, people = [], depth = 0) {
  const out = [];
  let from = 0;
  PIECE.lastIndex = 0;
  const pattern = new RegExp(PIECE);
  for (let found = pattern.exec(text); found; found = pattern.exec(text)) {
    const [whole, double, single, bare, name, style, label, address, link] = found;
    let node = null;
    let end = found.index + whole.length;
    if (style) {
      const close = text.slice(end, end + LOOK).indexOf(`</${style}>`);
      if (close < 0 || depth > 8) continue;
      node = h({ b: "strong", i: "em", u: "u", s: "s" }[style], null, textNodes(text.slice(end, end + close), people, depth + 1));
      end += close + style.length + 3;
    } else if (label) node = linked(label, address);
    else if (link) node = linked(link, link);
    else node = mention(double ?? single ?? bare ?? "", name);
    out.push(...named(text.slice(from, found.index), people), node);
    from = end;
    pattern.lastIndex = end;
  }
  out.push(...named(text.slice(from), people));
  return out;
}

// "@name" of the people mentioned here, made into chips; the longest name wins.
function named(text, people) {
  const marks = people.map((one) => [one.open_id === "all" ? "@所有人" : `@${one.name}`, one.open_id]);
  const known = marks.filter(([word]) => word.length > 1 && text.includes(word)).sort((a, b) => b[0].length - a[0].length);
  const out = [];
  let plain = "";
  for (let at = 0; at < text.length; ) {
    const found = known.length && text[at] === "@" ? known.find(([word]) => text.startsWith(word, at)) : null;
    if (!found) {
      plain += text[at++];
      continue;
    }
    if (plain) out.push(plain);
    plain = "";
    out.push(mention(found[1], found[0].slice(1)));
    at += found[0].length;
  }
  if (plain) out.push(plain);
  return out;
}

function postPart(part, people) {
  const styles = Array.isArray(part.style) ? part.style : [];
  if (part.tag === "text" || part.tag === "md" || part.tag === "code_block") {
    const kinds = { bold: "strong", italic: "em", underline: "u", lineThrough: "s" };
    const node = part.tag === "code_block" ? h("pre", null, h("code", null, part.text || "")) : h("span", null, textNodes(String(part.text || ""), people));
    return styles.reduce((inner, style) => (kinds[style] ? h(kinds[style], null, inner) : inner), node);
  }
  if (part.tag === "a") return linked(part.text || part.href, part.href);
  if (part.tag === "at") return mention(part.user_id, part.user_name);
  if (part.tag === "hr") return h("hr", { class: "card-hr" });
  if (part.tag === "img" && part.image_key) return picture(part.image_key, "");
  if (part.tag === "emotion") return h("span", null, `[${part.emoji_type}]`);
  return h("span", { class: "muted" }, `[${part.tag}]`);
}

export function postNodes(content, people) {
  const post = Array.isArray(content.content) ? content : content.zh_cn || content.en_us || Object.values(content)[0] || {};
  const lines = Array.isArray(post.content) ? post.content : [];
  return [
    post.title && h("strong", { class: "post-title" }, String(post.title)),
    lines.map((line) => h("div", { class: "post-line" }, (Array.isArray(line) ? line : []).map((part) => postPart(part, people)))),
  ];
}

export function picture(key, alt, className = "picture") {
  const image = h("img", { class: className, src: `/console/image/${encodeURIComponent(key)}`, alt: alt || t("message.picture"), loading: "lazy" });
  image.addEventListener("error", () => image.replaceWith(h("span", { class: "picture-missing" }, alt || t("message.picture"))));
  return image;
}

function summaryOf(card) {
  const summary = words(card.config?.summary);
  const title = words(card.header?.title);
  return summary || title || t("message.card");
}

// One line for the chat list and for screen readers.
export function preview(message, withSender) {
  const who = withSender ? `${message.sender.kind === "bot" ? message.sender.name : nameOf(message.sender.open_id, message.sender.name)}: ` : "";
  if (message.recalled) return t("message.recalled_by", { name: nameOf(message.sender.open_id, message.sender.name) });
  if (message.card) return who + (message.card.schema || message.card.header ? summaryOf(message.card) : t("message.card"));
  if (message.msg_type === "text") return who + String(message.text || "").replace(/<\/?(at|b|i|u|s)\b[^>]*>/g, "").slice(0, 120);
  if (message.msg_type === "image") return who + t("message.picture_short");
  if (message.msg_type === "post") return who + String(postText(message.content)).slice(0, 120);
  return `${who}[${message.file_name || message.msg_type}]`;
}

function postText(content) {
  const post = Array.isArray(content?.content) ? content : content?.zh_cn || content?.en_us || {};
  const text = (post.content || []).flat().map((part) => part?.text || part?.user_name || "").join("");
  return post.title || text;
}
