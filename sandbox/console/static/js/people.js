// Faces and names.
import { h, icon } from "./dom.js";
import { language, t } from "./i18n.js";
import { person, view } from "./store.js";

const SHADES = 8;

function shade(text) {
  let sum = 0;
  for (const sign of text) sum = (sum * 31 + sign.codePointAt(0)) % 9973;
  return sum % SHADES;
}

// The last two Chinese characters, or the first letters of two words, as Feishu does without a picture.
export function initials(name, kind = "user") {
  const clean = String(name || "?").trim() || "?";
  const han = [...clean].filter((sign) => /\p{Script=Han}/u.test(sign));
  if (han.length) return (kind === "group" ? han.slice(0, 2) : han.slice(-2)).join("");
  const letters = clean.split(/[\s_-]+/).map((word) => [...word][0] || "");
  return letters.slice(0, 2).join("").toUpperCase() || "?";
}

export function avatar(name, kind = "user", size = "") {
  // The colour follows the name, so that a person looks the same on every page.
  const shape = kind === "app" ? "avatar bot" : kind === "group" ? "avatar group" : "avatar";
  return h("span", { class: `${shape} shade-${shade(String(name))} ${size}`, "aria-hidden": "true" }, kind === "app" ? icon("bot") : initials(name, kind));
}

export function personName(one) {
  return language() === "en" && one.en_name ? one.en_name : one.name;
}

// The name that stands for an open id on cards and in messages; an unknown id is shown as the client does.
export function nameOf(id, fallback = "") {
  const one = person(id);
  return one ? personName(one) : fallback || t("person.unknown");
}

export function mention(id, fallback = "") {
  if (id === "all") return h("span", { class: "mention everyone", data: { mention: "all" } }, `@${t("person.all")}`);
  const own = id === view.me ? " own" : "";
  return h("span", { class: `mention${own}`, data: { mention: id } }, `@${nameOf(id, fallback)}`);
}
