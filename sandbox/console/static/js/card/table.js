// The table component, with its own pages.
import { h } from "../dom.js";
import { t, words } from "../i18n.js";
import { markdown, pager } from "../markdown.js";
import { inlineNodes } from "../markdown_inline.js";
import { background, fontColour, sizeClass, tagClass } from "../style.js";
import { fullTime, ZONE } from "../time.js";
import { personChip } from "./persons.js";

function number(value, format = {}) {
  const precision = Number.isInteger(format.precision) ? format.precision : undefined;
  const options = { useGrouping: Boolean(format.separator ?? format.seperator), maximumFractionDigits: 10 };
  if (precision !== undefined) Object.assign(options, { minimumFractionDigits: precision, maximumFractionDigits: precision });
  return `${format.symbol || ""}${new Intl.NumberFormat("en-US", options).format(value)}`;
}

function date(value, pattern) {
  if (!pattern) return fullTime(value);
  const shown = new Intl.DateTimeFormat("en-CA", { timeZone: ZONE, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
  const parts = Object.fromEntries(shown.formatToParts(new Date(value)).map((part) => [part.type, part.value]));
  const marks = { YYYY: parts.year, yyyy: parts.year, MM: parts.month, DD: parts.day, dd: parts.day, HH: parts.hour, hh: parts.hour, mm: parts.minute, ss: parts.second };
  return pattern.replace(/YYYY|yyyy|MM|DD|dd|HH|hh|mm|ss/g, (mark) => marks[mark]);
}

function cell(value, column, context) {
  if (value === null || value === undefined || value === "") return "—";
  const kind = column.data_type;
  if (kind === "number" && typeof value === "number") return number(value, column.format);
  if (kind === "date" && typeof value === "number") return date(value, column.date_format);
  if (kind === "lark_md") return inlineNodes(String(value), context);
  if (kind === "markdown") return markdown(String(value), context);
  if (kind === "options") {
    const options = Array.isArray(value) ? value : [{ text: value, color: "blue" }];
    return options.map((one) => h("span", { class: `text-tag ${tagClass(one.color)}` }, String(one.text ?? "")));
  }
  if (kind === "persons") return (Array.isArray(value) ? value : [value]).map((id) => personChip(String(id), {}));
  return typeof value === "object" ? words(value) : String(value);
}

export function table(component, context) {
  const columns = Array.isArray(component.columns) ? component.columns : [];
  const rows = Array.isArray(component.rows) ? component.rows : [];
  const style = component.header_style || {};
  const align = (column) => ({ left: "left", center: "center", right: "right" })[column.horizontal_align] || "left";
  const head = columns.map((column) => {
    const node = h("th", { scope: "col", class: sizeClass(style.text_size, context), style: { textAlign: style.text_align || align(column), fontWeight: style.bold === false ? "400" : "600" } }, words(column, "display_name"));
    if (style.text_color) fontColour(node, style.text_color, context);
    if (style.background_style === "grey") background(node, "grey", context);
    if (/^(\d{2,3}px|\d{1,3}%)$/.test(column.width || "")) node.style.width = column.width;
    return node;
  });
  const body = rows.map((row) => h("tr", null, columns.map((column) => h("td", { style: { textAlign: align(column), verticalAlign: { top: "top", center: "middle", bottom: "bottom" }[column.vertical_align] || "middle" } }, cell(row?.[column.name], column, context)))));
  const size = Math.min(Math.max(Number(component.page_size) || 5, 1), 10);
  const key = `page ${context.path}`;
  const bar = pager(body, size, context.state.local.get(key) || 0, (page) => context.state.local.set(key, page));
  return h(
    "div",
    { class: `card-table height-${["low", "middle", "high", "auto"].includes(component.row_height) ? component.row_height : "low"}` },
    h("div", { class: "md-table", tabindex: "0", role: "group", "aria-label": t("card.table") }, h("table", { class: component.freeze_first_column ? "freeze" : null }, h("thead", null, h("tr", null, head)), h("tbody", null, body))),
    bar,
  );
}
