// Sandbox time, and moving it.
import { toast } from "../announce.js";
import { h } from "../dom.js";
import { t } from "../i18n.js";
import { act, now, state } from "../store.js";
import { duration, fullTime } from "../time.js";

const STEPS = [
  ["5m", 300],
  ["1h", 3600],
  ["4h", 14_400],
  ["1d", 86_400],
];

// The next day's morning, also for somebody who tries this at night: the digest is about a day that has ended.
export function buildClock() {
  const time = h("time", { class: "clock-now", data: { testid: "clock" } });
  const gap = h("span", { class: "muted", data: { testid: "clock-offset" } });
  const move = async (body) => {
    try {
      await act("advance", body);
    } catch (error) {
      toast(error.message, "error");
    }
  };
  const step = ([name, seconds]) => h("button", { type: "button", class: "chip", data: { testid: `advance-${name}` }, on: { click: () => move({ seconds }) } }, t(`clock.${name}`));
  const node = h(
    "section",
    { class: "clock", "aria-label": t("clock.label") },
    h("div", { class: "clock-line" }, time, gap),
    h("div", { class: "chips" }, STEPS.slice(0, 3).map(step), h("button", { type: "button", class: "chip", data: { testid: "advance-9" }, on: { click: () => move({ to: "09:00", tomorrow: true }) } }, t("clock.nine")), step(STEPS[3])),
  );
  const tick = () => {
    const text = fullTime(now());
    if (time.textContent !== text) time.textContent = text;
    const ahead = Math.abs(state.offset || 0) < 1 ? "" : t("clock.ahead", { time: duration(state.offset) });
    if (gap.textContent !== ahead) gap.textContent = ahead;
  };
  const timer = setInterval(() => (node.isConnected ? tick() : clearInterval(timer)), 500);
  return { node, update: tick };
}
