// Inline markdown of cards, made into nodes. Whatever is not understood stays the text it is.
import { h } from "./dom.js";
import { fontColour, safeLink, tagClass } from "./style.js";
import { localTime } from "./time.js";

const NAMED = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'", nbsp: "\u00a0", ensp: "\u2002", emsp: "\u2003" };
const ENTITY = /^&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([a-z]{2,6}));/;
const PUNCTUATION = /[!-/:-@[-`{-~]/;
const TAG = /^<(\/?)(at|a|font|text_tag|link|person|local_datetime|number_tag|raw|br|hr|b|i|u|s)((?:\s+[a-z_]+(?:\s*=\s*(?:'[^']*'|"[^"]*"|[^\s'">]+))?)*)\s*(\/?)>/i;
const ATTRIBUTE = /([a-z_]+)(?:\s*=\s*(?:'([^']*)'|"([^"]*)"|([^\s'">]+)))?/gi;
const BARE_LINK = /^https?:\/\/[^\s<>"'`，。；、（）【】《》]+/;
// How far an opening mark looks for its end: hostile text must not make this slow.
const LOOK_TAGS = 100;
const LOOK_CHARACTERS = 4000;
const LONE = new Set(["br", "hr"]);

function entityAt(text, index) {
  const found = ENTITY.exec(text.slice(index, index + 12));
  if (!found) return null;
  const [whole, decimal, hex, name] = found;
  if (name) return name in NAMED ? { length: whole.length, text: NAMED[name] } : null;
  const point = decimal ? Number.parseInt(decimal, 10) : Number.parseInt(hex, 16);
  if (point === 0 || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return null;
  return { length: whole.length, text: String.fromCodePoint(point) };
}

export function decodeEntities(text) {
  let out = "";
  for (let index = 0; index < text.length; ) {
    const entity = text[index] === "&" ? entityAt(text, index) : null;
    out += entity ? entity.text : text[index];
    index += entity ? entity.length : 1;
  }
  return out;
}

function tagAt(text, index) {
  const found = TAG.exec(text.slice(index, index + 2000));
  if (!found) return null;
  const attributes = {};
  for (const [, name, single, double, bare] of found[3].matchAll(ATTRIBUTE)) {
    attributes[name.toLowerCase()] = decodeEntities(single ?? double ?? bare ?? "");
  }
  const name = found[2].toLowerCase();
  return { name, attributes, closing: found[1] === "/", alone: found[4] === "/" || LONE.has(name), length: found[0].length };
}

// The index of the closing tag that belongs to the opening one just before `index`, or null.
function closingOf(text, index, name) {
  let open = 1;
  let looks = 0;
  for (let at = text.indexOf("<", index); at >= 0 && looks < LOOK_TAGS; at = text.indexOf("<", at + 1), looks++) {
    const tag = tagAt(text, at);
    if (!tag || tag.name !== name || tag.alone) continue;
    open += tag.closing ? -1 : 1;
    if (open === 0) return { start: at, end: at + tag.length };
  }
  return null;
}

function element(tag, inner, context, depth) {
  const { name, attributes } = tag;
  const inside = name === "a" || name === "link" ? { ...context, inLink: true } : context;
  const kids = () => inlineNodes(inner, inside, depth + 1);
  if (name === "font") {
    const font = h("span", { class: "md-font" }, kids());
    fontColour(font, attributes.color, context);
    return font;
  }
  if (name === "at") return context.mention(attributes.id || attributes.user_id || attributes.email || "", decodeEntities(inner));
  if (name === "person") return context.person(attributes.id || "", attributes);
  if (name === "text_tag") return h("span", { class: `text-tag ${tagClass(attributes.color)}` }, kids());
  if (name === "number_tag") return h("span", { class: "number-tag" }, kids());
  if (name === "raw") return document.createTextNode(inner);
  if (name === "local_datetime") return h("time", { class: "md-time" }, localTime(attributes, context));
  if (name === "a" || name === "link") return link(attributes.href || attributes.url || attributes.pc_url, kids());
  return h(name === "b" ? "strong" : name === "i" ? "em" : name, null, kids());
}

function link(address, kids) {
  const href = safeLink(address);
  if (!href) return h("span", { class: "md-dead-link" }, kids);
  return h("a", { href, target: "_blank", rel: "noopener noreferrer nofollow" }, kids);
}

function bracketEnd(text, index, left = "[", right = "]") {
  let depth = 0;
  for (let at = index; at < Math.min(text.length, index + LOOK_CHARACTERS); at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === left) depth++;
    else if (text[at] === right && --depth === 0) return at;
  }
  return -1;
}

function linkAt(text, index, context, depth) {
  const image = text[index] === "!";
  const start = image ? index + 1 : index;
  const end = bracketEnd(text, start);
  if (end < 0 || text[end + 1] !== "(") return null;
  const close = bracketEnd(text, end + 1, "(", ")");
  if (close < 0) return null;
  const target = decodeEntities(text.slice(end + 2, close).trim().split(/\s+/)[0] || "");
  const label = text.slice(start + 1, end);
  const inside = { ...context, inLink: true };
  const node = image ? context.image(target, decodeEntities(label)) : link(target, inlineNodes(label, inside, depth + 1));
  return { node, end: close + 1 };
}

const MARKS = [
  ["**", "strong"],
  ["__", "strong"],
  ["~~", "s"],
  ["*", "em"],
  ["_", "em"],
];

function emphasisAt(text, index, context, depth) {
  for (const [mark, tag] of MARKS) {
    if (!text.startsWith(mark, index)) continue;
    const start = index + mark.length;
    if (/^\s|^$/.test(text.slice(start, start + 1))) continue;
    if (mark[0] === "_" && /[\p{L}\p{N}]/u.test(text[index - 1] || " ")) continue;
    const last = start + LOOK_CHARACTERS;
    for (let end = text.indexOf(mark, start + 1); end > 0 && end < last; end = text.indexOf(mark, end + 1)) {
      if (/\s/.test(text[end - 1]) || text[end - 1] === "\\") continue;
      if (mark.length === 1 && (text[end + 1] === mark || text[end - 1] === mark)) continue;
      if (mark[0] === "_" && /[\p{L}\p{N}]/u.test(text[end + mark.length] || " ")) continue;
      return { node: h(tag, null, inlineNodes(text.slice(start, end), context, depth + 1)), end: end + mark.length };
    }
  }
  return null;
}

function codeAt(text, index) {
  const ticks = /^`+/.exec(text.slice(index))[0];
  const end = text.slice(0, index + LOOK_CHARACTERS).indexOf(ticks, index + ticks.length);
  if (end < 0) return null;
  return { node: h("code", null, text.slice(index + ticks.length, end).trim()), end: end + ticks.length };
}

function tagNode(text, index, context, depth) {
  const tag = tagAt(text, index);
  if (!tag || tag.closing) return null;
  const start = index + tag.length;
  if (tag.name === "br") return { node: h("br"), end: start };
  if (tag.name === "hr") return { node: h("hr", { class: "card-hr" }), end: start };
  const close = tag.alone ? null : closingOf(text, start, tag.name);
  // People and times may stand without an end; every other open tag is just text.
  if (!close && !tag.alone && !["at", "person", "local_datetime"].includes(tag.name)) return null;
  const inner = close ? text.slice(start, close.start) : "";
  return { node: element(tag, inner, context, depth), end: close ? close.end : start };
}

// `context` offers mention(id, name), person(id, attributes), image(key, alt), colours and language.
export function inlineNodes(text, context, depth = 0) {
  if (depth > 12) return [text];
  const out = [];
  let plain = "";
  const put = (node) => {
    if (plain) out.push(plain);
    plain = "";
    out.push(node);
  };
  for (let index = 0; index < text.length; ) {
    const sign = text[index];
    let found = null;
    if (sign === "\\" && PUNCTUATION.test(text[index + 1] || "")) {
      plain += text[index + 1];
      index += 2;
      continue;
    }
    if (sign === "\n") found = { node: h("br"), end: index + 1 };
    else if (sign === "&") {
      const entity = entityAt(text, index);
      if (entity) {
        plain += entity.text;
        index += entity.length;
        continue;
      }
    } else if (sign === "`") found = codeAt(text, index);
    else if (sign === "<") found = tagNode(text, index, context, depth);
    else if (sign === "[" || (sign === "!" && text[index + 1] === "[")) found = linkAt(text, index, context, depth);
    else if (sign === "*" || sign === "_" || sign === "~") found = emphasisAt(text, index, context, depth);
    else if (sign === "h" && !context.inLink) {
      const bare = BARE_LINK.exec(text.slice(index, index + 2000));
      if (bare) found = { node: link(bare[0], [bare[0]]), end: index + bare[0].length };
    }
    if (found) {
      put(found.node);
      index = found.end;
    } else {
      plain += sign;
      index += 1;
    }
  }
  if (plain) out.push(plain);
  return out;
}
