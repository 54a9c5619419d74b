// Charts: by VChart where it is installed, else as a plain drawing of the same numbers.
import { h } from "../dom.js";
import { t } from "../i18n.js";
import { state } from "../store.js";
import { pixels } from "../style.js";
import { bars, legendTable, lines, pie } from "./chart_plain.js";

const RATIOS = { "1:1": 1, "2:1": 2, "4:3": 4 / 3, "16:9": 16 / 9 };
let library = null;

function load() {
  library ||= new Promise((resolve, reject) => {
    const script = h("script", { src: "/console/vchart.js" });
    script.addEventListener("load", () => (window.VChart ? resolve(window.VChart) : reject(new Error("no VChart"))));
    script.addEventListener("error", () => reject(new Error("no VChart")));
    document.head.append(script);
  });
  return library;
}

function plain(spec) {
  const kind = String(spec.type || "");
  if (kind === "pie" || kind === "rose") return pie(spec);
  if (kind === "line" || kind === "area") return lines(spec);
  if (kind === "bar" || kind === "funnel") return bars(spec);
  return legendTable(spec);
}

async function draw(place, spec) {
  const { default: own, VChart } = await load();
  const Chart = VChart || own;
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  // A copy without functions: the specification is data of a message.
  const copy = JSON.parse(JSON.stringify(spec));
  const chart = new Chart({ background: "transparent", animation: false, ...copy }, { dom: place, mode: "desktop-browser", theme: dark ? "dark" : "light", autoFit: true });
  await chart.renderAsync();
  place.dataset.drawn = "vchart";
}

export function chart(component) {
  const spec = component.chart_spec && typeof component.chart_spec === "object" ? component.chart_spec : {};
  const title = typeof spec.title === "object" ? spec.title?.text : "";
  const place = h("div", { class: "chart-place" });
  const node = h("div", { class: "chart", role: "img", "aria-label": t("card.chart", { title: title || spec.type || "" }) }, place);
  place.style.aspectRatio = String(RATIOS[component.aspect_ratio] || RATIOS["16:9"]);
  const height = pixels(component.height, 1, 999);
  if (height) Object.assign(place.style, { height, aspectRatio: "auto" });
  const fallback = () => {
    place.style.aspectRatio = "auto";
    place.dataset.drawn = "plain";
    place.replaceChildren(title ? h("div", { class: "chart-title" }, String(title)) : "", plain(spec));
  };
  if (!state.charts) fallback();
  // The place must be on the page before it is measured.
  else requestAnimationFrame(() => draw(place, spec).catch(fallback));
  return node;
}
