// Building and updating the page without ever parsing data as HTML.

const SVG = "http://www.w3.org/2000/svg";

function apply(element, props) {
  for (const [name, value] of Object.entries(props || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "class") element.setAttribute("class", value);
    else if (name === "on") for (const [event, handler] of Object.entries(value)) element.addEventListener(event, handler);
    else if (name === "style") for (const [key, text] of Object.entries(value)) setStyle(element, key, text);
    else if (name === "data") for (const [key, text] of Object.entries(value)) element.dataset[key] = text;
    else if (name === "value") element.value = value;
    else if (name === "checked" || name === "selected" || name === "disabled" || name === "open") element[name] = Boolean(value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
}

// Through the style object, not the attribute: the page's policy forbids style attributes.
function setStyle(element, key, text) {
  if (text === null || text === undefined) return;
  if (key.startsWith("--")) element.style.setProperty(key, String(text));
  else element.style[key] = String(text);
}

function append(element, kids) {
  for (const kid of kids) {
    if (kid === null || kid === undefined || kid === false) continue;
    if (Array.isArray(kid)) append(element, kid);
    else element.append(kid instanceof Node ? kid : document.createTextNode(String(kid)));
  }
}

export function h(tag, props, ...kids) {
  const element = document.createElement(tag);
  append(element, kids);
  apply(element, props); // after the children, so that a select finds the option its value names
  return element;
}

export function s(tag, props, ...kids) {
  const element = document.createElementNS(SVG, tag);
  apply(element, props);
  append(element, kids);
  return element;
}

const ICONS = {
  chat: "M4 5h16v11H9l-5 4z",
  panel: "M4 5h16v14H4zM14 5v14",
  back: "M15 5l-7 7 7 7",
  close: "M6 6l12 12M18 6L6 18",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  send: "M4 12l16-7-6 16-3-7z",
  reply: "M10 6L4 12l6 6M4 12h9c4 0 7 2 7 6",
  edit: "M5 19l1-4L16 5l3 3L9 18z",
  recall: "M5 9h9a5 5 0 010 10H8M5 9l4-4M5 9l4 4",
  globe: "M12 3a9 9 0 100 18 9 9 0 000-18zM3 12h18M12 3c3 3 3 15 0 18M12 3c-3 3-3 15 0 18",
  down: "M6 9l6 6 6-6",
  bot: "M12 4v3M6 8h12a2 2 0 012 2v6a2 2 0 01-2 2H6a2 2 0 01-2-2v-6a2 2 0 012-2zM9 12v1M15 12v1M9.5 15.5h5M2 12v2M22 12v2",
  alert: "M12 4l9 16H3zM12 10v4M12 17h.01",
};

export function icon(name) {
  return s(
    "svg",
    { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true", focusable: "false" },
    s("path", { d: ICONS[name] || ICONS.chat }),
  );
}

// Makes `parent` hold one child per item, in order; a child is rebuilt only when its signature changed.
export function keyed(parent, items, keyOf, signatureOf, build) {
  const known = parent.knownChildren || new Map();
  const fresh = new Map();
  let at = parent.firstChild;
  for (const item of items) {
    const key = keyOf(item);
    const signature = signatureOf(item);
    const old = known.get(key);
    let node = old && old.node;
    if (!old || old.signature !== signature) {
      node = build(item, old ? old.node : null);
      if (old && old.node !== node) {
        if (at === old.node) at = old.node.nextSibling;
        old.node.replaceWith(node);
        if (node.parentNode === parent && at === node) at = node.nextSibling;
      }
    }
    fresh.set(key, { node, signature });
    if (at === node) at = at.nextSibling;
    else if (node.parentNode !== parent || node.nextSibling !== at) parent.insertBefore(node, at);
  }
  for (const [key, { node }] of known) if (!fresh.has(key)) node.remove();
  parent.knownChildren = fresh;
}

export function clear(parent) {
  parent.replaceChildren();
  parent.knownChildren = new Map();
}
