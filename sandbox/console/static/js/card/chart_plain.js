// Simple drawings of chart specifications, without a library. Every drawing is followed by nothing but its numbers.
import { h, s } from "../dom.js";

const TONES = 8;
const WIDTH = 480; // units of the drawing
const HEIGHT = 200;

function rowsOf(spec) {
  const data = Array.isArray(spec.data) ? spec.data.flatMap((one) => one?.values || []) : spec.data?.values || [];
  return data.filter((row) => row && typeof row === "object").slice(0, 200);
}

function fieldsOf(spec) {
  const x = spec.categoryField || (Array.isArray(spec.xField) ? spec.xField[0] : spec.xField);
  const y = spec.valueField || (Array.isArray(spec.yField) ? spec.yField[0] : spec.yField);
  return spec.direction === "horizontal" && !spec.categoryField ? [y, x] : [x, y];
}

function pairs(spec) {
  const [x, y] = fieldsOf(spec);
  const series = spec.seriesField;
  return rowsOf(spec).map((row) => ({ label: String(row[x] ?? ""), value: Number(row[y]) || 0, series: series && series !== x ? String(row[series] ?? "") : "" }));
}

const seriesOf = (points) => [...new Set(points.map((one) => one.series))];

function legend(names) {
  const shown = names.filter(Boolean);
  return shown.length ? h("div", { class: "chart-legend" }, shown.map((name, index) => h("span", null, h("i", { class: `tone-${index % TONES}` }), name))) : null;
}

export function bars(spec) {
  const points = pairs(spec);
  const names = seriesOf(points);
  const most = Math.max(1, ...points.map((one) => one.value));
  const rows = points.map((one) =>
    h(
      "div",
      { class: "bar-row" },
      h("span", { class: "bar-label" }, names.length > 1 ? `${one.label} · ${one.series}` : one.label),
      h("span", { class: "bar-track" }, h("span", { class: `bar-fill tone-${names.indexOf(one.series) % TONES}`, style: { width: `${(Math.max(one.value, 0) / most) * 100}%` } })),
      h("span", { class: "bar-value" }, one.value),
    ),
  );
  return h("div", null, legend(names), rows);
}

export function lines(spec) {
  const points = pairs(spec);
  const labels = [...new Set(points.map((one) => one.label))];
  const names = seriesOf(points);
  const most = Math.max(1, ...points.map((one) => one.value));
  const at = (one) => [labels.length > 1 ? 30 + (labels.indexOf(one.label) / (labels.length - 1)) * (WIDTH - 50) : WIDTH / 2, HEIGHT - 30 - (one.value / most) * (HEIGHT - 55)];
  const drawing = s("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "chart-svg" }, s("line", { x1: 30, x2: WIDTH - 20, y1: HEIGHT - 30, y2: HEIGHT - 30, class: "axis" }));
  names.forEach((name, index) => {
    const own = points.filter((one) => one.series === name);
    drawing.append(s("polyline", { points: own.map((one) => at(one).join(",")).join(" "), class: `chart-line tone-${index % TONES}` }));
    for (const one of own) {
      const [x, y] = at(one);
      drawing.append(s("circle", { cx: x, cy: y, r: 3, class: `chart-dot tone-${index % TONES}` }), s("text", { x, y: y - 8, class: "chart-text" }, one.value));
    }
  });
  const step = Math.ceil(labels.length / 10);
  labels.forEach((label, index) => {
    if (index % step === 0) drawing.append(s("text", { x: at({ label, value: 0 })[0], y: HEIGHT - 12, class: "chart-text" }, label));
  });
  return h("div", null, legend(names), drawing);
}

export function pie(spec) {
  const points = pairs(spec).filter((one) => one.value > 0);
  const sum = points.reduce((total, one) => total + one.value, 0) || 1;
  const drawing = s("svg", { viewBox: "-1.05 -1.05 2.1 2.1", class: "chart-pie" });
  let from = -Math.PI / 2;
  points.forEach((one, index) => {
    const to = from + (one.value / sum) * 2 * Math.PI;
    const tone = `tone-${index % TONES}`;
    if (points.length === 1) drawing.append(s("circle", { r: 1, class: tone }));
    else drawing.append(s("path", { d: `M0 0 L${Math.cos(from)} ${Math.sin(from)} A1 1 0 ${to - from > Math.PI ? 1 : 0} 1 ${Math.cos(to)} ${Math.sin(to)} Z`, class: tone }));
    from = to;
  });
  if (spec.innerRadius) drawing.append(s("circle", { r: 0.5, class: "chart-hole" }));
  const list = points.map((one, index) => h("li", null, h("i", { class: `tone-${index % TONES}` }), `${one.label}: ${one.value} (${Math.round((one.value / sum) * 100)}%)`));
  return h("div", { class: "pie-box" }, drawing, h("ul", { class: "pie-list" }, list));
}

export function legendTable(spec) {
  const rows = rowsOf(spec);
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))].slice(0, 6);
  return h(
    "div",
    { class: "md-table" },
    h("table", null, h("thead", null, h("tr", null, names.map((name) => h("th", { scope: "col" }, name)))), h("tbody", null, rows.slice(0, 20).map((row) => h("tr", null, names.map((name) => h("td", null, String(row[name] ?? ""))))))),
  );
}
