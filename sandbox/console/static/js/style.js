// Feishu's names of colours, sizes and spacings, turned into classes and safe style values.

const COLOURS = new Set([
  "blue", "wathet", "turquoise", "green", "lime", "yellow", "orange", "red", "carmine", "violet", "purple", "indigo",
  "grey", "neutral", "default", "white", "black", "sunflower",
]);
const SPACES = { small: "4px", medium: "8px", large: "12px", extra_large: "16px" };
const SIZES = new Set([
  "heading-0", "heading-1", "heading-2", "heading-3", "heading-4", "heading", "normal", "notation", "xxxx-large",
  "xxx-large", "xx-large", "x-large", "large", "medium", "small", "x-small", "normal_v2",
]);

function named(colour) {
  const [name] = String(colour || "").split("-");
  return COLOURS.has(name) ? name : "";
}

function custom(colour, context) {
  const own = context?.style?.color?.[colour];
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const value = own ? (dark ? own.dark_mode : own.light_mode) : colour;
  return /^(rgba?\([\d\s.,%]+\)|#[0-9a-fA-F]{3,8})$/.test(String(value || "")) ? value : "";
}

export function fontColour(element, colour, context) {
  const name = named(colour);
  if (name) element.classList.add(`colour-${name}`);
  else if (custom(colour, context)) element.style.color = custom(colour, context);
}

export function background(element, colour, context) {
  if (!colour || colour === "default" || colour === "none") return;
  const name = named(colour);
  if (name) element.classList.add(`back-${name}`);
  else if (custom(colour, context)) element.style.backgroundColor = custom(colour, context);
  else if (colour === "laser") element.classList.add("back-laser");
}

export function border(element, colour, context) {
  const name = named(colour);
  if (name) element.classList.add(`edge-${name}`);
  else if (custom(colour, context)) element.style.borderColor = custom(colour, context);
}

export function tagClass(colour) {
  return `tag-${named(colour) || "neutral"}`;
}

export function headerClass(template) {
  return `head-${named(template) || "default"}`;
}

export function sizeClass(size, context) {
  const own = context?.style?.text_size?.[size];
  const wide = matchMedia("(min-width: 700px)").matches;
  const name = own ? (wide ? own.pc : own.mobile) || own.default : size;
  return SIZES.has(name) ? `size-${name}` : "size-normal";
}

// One to four spacings ("12px 8px", "small"); anything else is null.
export function space(value, lowest = 0) {
  const parts = String(value ?? "").trim().split(/\s+/).filter(Boolean);
  if (!parts.length || parts.length > 4) return null;
  const lengths = parts.map((part) => {
    if (part in SPACES) return SPACES[part];
    const found = /^(-?\d{1,2})px$/.exec(part);
    return found && Number(found[1]) >= lowest ? part : null;
  });
  return lengths.includes(null) ? null : lengths.join(" ");
}

export function pixels(value, least, most) {
  const found = /^(\d{1,4})px$/.exec(String(value ?? ""));
  return found && Number(found[1]) >= least && Number(found[1]) <= most ? value : null;
}

// Only http and https leave the page; everything else is not a link.
export function safeLink(address) {
  try {
    const url = new URL(String(address || ""));
    return url.protocol === "http:" || url.protocol === "https:" ? url.href : null;
  } catch {
    return null;
  }
}
