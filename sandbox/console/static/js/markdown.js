// Block markdown of cards: headings, lists, quotes, code, tables, rules, paragraphs.
import { h } from "./dom.js";
import { t } from "./i18n.js";
import { inlineNodes } from "./markdown_inline.js";

const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([\w+-]*)\s*$/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*?)\s*#*$/;
const RULE = /^ {0,3}(?:(?:-\s*){3,}|(?:\*\s*){3,}|(?:_\s*){3,}|<hr\s*\/?>)\s*$/;
const QUOTE = /^ {0,3}>\s?(.*)$/;
const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/;
const DIVIDER = /^\s*\|?\s*:?-{1,}:?\s*(\|\s*:?-{1,}:?\s*)*\|?\s*$/;
const TABLE_ROWS = 5; // rows a page, as the client shows them

function starts(line, next) {
  return FENCE.test(line) || HEADING.test(line) || RULE.test(line) || QUOTE.test(line) || ITEM.test(line) || isTable(line, next);
}

function isTable(line, next) {
  return line.includes("|") && next !== undefined && next.includes("-") && DIVIDER.test(next) && cells(line).length === cells(next).length;
}

function cells(line) {
  const trimmed = line.trim().replace(/^\|/, "").replace(/(?<!\\)\|$/, "");
  return trimmed.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));
}

function list(lines, start, context, depth) {
  const first = ITEM.exec(lines[start]);
  const indent = first[1].length;
  const ordered = /\d/.test(first[2]);
  const root = ordered ? h("ol", { start: Number.parseInt(first[2], 10) }) : h("ul");
  let index = start;
  while (index < lines.length) {
    const item = ITEM.exec(lines[index]);
    if (!item || item[1].length < indent || /\d/.test(item[2]) !== ordered) break;
    const own = [item[3]];
    index += 1;
    while (index < lines.length) {
      const next = ITEM.exec(lines[index]);
      if (next && next[1].length <= indent) break;
      if (!next && (lines[index].trim() === "" || !/^\s{2,}/.test(lines[index]))) break;
      own.push(lines[index].slice(Math.min(indent + 2, /^\s*/.exec(lines[index])[0].length)));
      index += 1;
    }
    root.append(h("li", null, blockNodes(own, context, depth + 1)));
  }
  return { node: root, end: index };
}

function table(lines, start, context) {
  const head = cells(lines[start]);
  const align = cells(lines[start + 1]).map((cell) => (/^:.*:$/.test(cell) ? "center" : /:$/.test(cell) ? "right" : "left"));
  const rows = [];
  let index = start + 2;
  while (index < lines.length && lines[index].includes("|") && lines[index].trim()) rows.push(cells(lines[index++]));
  const cell = (tag, text, column) =>
    h(tag, { style: { textAlign: align[column] }, scope: tag === "th" ? "col" : null }, inlineNodes(text || "", context));
  const body = rows.map((row) => h("tr", null, head.map((_, column) => cell("td", row[column], column))));
  const node = h(
    "div",
    { class: "md-table", tabindex: "0", role: "group", "aria-label": t("card.table") },
    h("table", null, h("thead", null, h("tr", null, head.map((text, column) => cell("th", text, column)))), h("tbody", null, body)),
  );
  return { node: h("div", null, node, pager(body, TABLE_ROWS)), end: index };
}

// Shows `size` of the given rows at a time; returns the bar that turns the pages, or null when one page holds all.
export function pager(rows, size, start = 0, remember = () => {}) {
  const pages = Math.max(1, Math.ceil(rows.length / size));
  let page = Math.min(start, pages - 1);
  const label = h("span", { "aria-live": "polite" });
  const turn = (step) => {
    page = Math.min(Math.max(page + step, 0), pages - 1);
    remember(page);
    rows.forEach((row, index) => (row.hidden = Math.floor(index / size) !== page));
    label.textContent = `${page + 1} / ${pages}`;
    back.disabled = page === 0;
    next.disabled = page === pages - 1;
  };
  const back = h("button", { type: "button", "aria-label": t("card.page_back"), on: { click: () => turn(-1) } }, "‹");
  const next = h("button", { type: "button", "aria-label": t("card.page_next"), on: { click: () => turn(1) } }, "›");
  turn(0);
  return pages > 1 ? h("div", { class: "pager" }, back, label, next) : null;
}

function blockNodes(lines, context, depth = 0) {
  const out = [];
  let index = 0;
  while (index < lines.length) {
    const line = lines[index];
    const fence = FENCE.exec(line);
    const heading = HEADING.exec(line);
    if (!line.trim()) {
      index += 1;
    } else if (fence) {
      const code = [];
      index += 1;
      while (index < lines.length && !lines[index].trim().startsWith(fence[1])) code.push(lines[index++]);
      index += 1;
      out.push(h("pre", { tabindex: "0" }, h("code", null, code.join("\n"))));
    } else if (heading) {
      out.push(h("div", { class: `md-h md-h${heading[1].length}`, role: "heading", "aria-level": heading[1].length + 2 }, inlineNodes(heading[2], context)));
      index += 1;
    } else if (RULE.test(line)) {
      out.push(h("hr", { class: "card-hr" }));
      index += 1;
    } else if (QUOTE.test(line) && depth < 6) {
      const quoted = [];
      while (index < lines.length && QUOTE.test(lines[index])) quoted.push(QUOTE.exec(lines[index++])[1]);
      out.push(h("blockquote", null, blockNodes(quoted, context, depth + 1)));
    } else if (ITEM.test(line) && depth < 6) {
      const found = list(lines, index, context, depth);
      out.push(found.node);
      index = found.end;
    } else if (isTable(line, lines[index + 1])) {
      const found = table(lines, index, context);
      out.push(found.node);
      index = found.end;
    } else {
      const text = [line.replace(/^ {0,3}/, "")];
      index += 1;
      while (index < lines.length && lines[index].trim() && !starts(lines[index], lines[index + 1])) text.push(lines[index++]);
      out.push(h("p", null, inlineNodes(text.join("\n"), context)));
    }
  }
  return out;
}

export function markdown(content, context) {
  return h("div", { class: "md" }, blockNodes(String(content ?? "").replace(/\r\n?/g, "\n").split("\n"), context));
}
