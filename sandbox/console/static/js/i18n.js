// The console's own words in Chinese and English, and the choice between translations that a card carries.
import { english } from "./texts_en.js";
import { chinese } from "./texts_zh.js";

const KEY = "sandbox-console-language";
const CATALOGUES = { zh: chinese, en: english };

function initial() {
  const asked = new URLSearchParams(location.search).get("lang");
  if (asked in CATALOGUES) return asked;
  try {
    const kept = localStorage.getItem(KEY);
    if (kept in CATALOGUES) return kept;
  } catch {
    // storage may be switched off; the browser's language will do
  }
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
}

let current = initial();

export function language() {
  return current;
}

export function locale() {
  return current === "zh" ? "zh_cn" : "en_us";
}

export function useLanguage(name) {
  current = name;
  try {
    localStorage.setItem(KEY, name);
  } catch {
    // not remembered then
  }
}

export function t(key, values = {}) {
  const text = CATALOGUES[current][key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

// The text of a card's text object (or plain string) in the viewer's language.
export function words(object, field = "content") {
  if (object === null || object === undefined) return "";
  if (typeof object !== "object") return String(object);
  const translated = object[`i18n_${field}`];
  if (translated && typeof translated === "object") {
    const order = [locale(), "zh_cn", "en_us", ...Object.keys(translated)];
    for (const name of order) if (typeof translated[name] === "string" && translated[name]) return translated[name];
  }
  return String(object[field] ?? "");
}
