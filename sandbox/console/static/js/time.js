// Sandbox time in words. All of the console lives in one time zone, the company's.
import { language, t } from "./i18n.js";

export const ZONE = "Asia/Shanghai";
export const OFFSET = "+0800"; // how Feishu writes that zone in form values

function format(options, milliseconds) {
  const name = language() === "zh" ? "zh-CN" : "en-US";
  return new Intl.DateTimeFormat(name, { timeZone: ZONE, hourCycle: "h23", ...options }).format(new Date(milliseconds));
}

// 2026-11-22, the same in both languages.
export function dayOf(milliseconds) {
  const days = new Intl.DateTimeFormat("en-CA", { timeZone: ZONE, year: "numeric", month: "2-digit", day: "2-digit" });
  return days.format(new Date(milliseconds));
}

export function clockTime(milliseconds, seconds = false) {
  return format({ hour: "2-digit", minute: "2-digit", ...(seconds ? { second: "2-digit" } : {}) }, milliseconds);
}

// As a chat shows it: the time today, else the day before it.
export function messageTime(milliseconds, now) {
  const time = clockTime(milliseconds);
  if (dayOf(milliseconds) === dayOf(now)) return time;
  if (dayOf(milliseconds) === dayOf(now - 86_400_000)) return `${t("time.yesterday")} ${time}`;
  return `${format({ month: "short", day: "numeric" }, milliseconds)} ${time}`;
}

export function listTime(milliseconds, now) {
  if (dayOf(milliseconds) === dayOf(now)) return clockTime(milliseconds);
  if (dayOf(milliseconds) === dayOf(now - 86_400_000)) return t("time.yesterday");
  return format({ month: "numeric", day: "numeric" }, milliseconds);
}

export function fullTime(milliseconds) {
  const weekday = format({ weekday: "short" }, milliseconds);
  return `${dayOf(milliseconds)} ${weekday} ${clockTime(milliseconds, true)}`;
}

export function duration(seconds) {
  const sign = seconds < 0 ? "−" : "";
  const whole = Math.round(Math.abs(seconds));
  const [days, hours, minutes] = [Math.floor(whole / 86_400), Math.floor(whole / 3600) % 24, Math.floor(whole / 60) % 60];
  const parts = [days && `${days} d`, hours && `${hours} h`, minutes && `${minutes} min`].filter(Boolean);
  return sign + (parts.join(" ") || `${whole} s`);
}

const KINDS = {
  date_num: { year: "numeric", month: "2-digit", day: "2-digit" },
  date_short: { month: "short", day: "numeric" },
  date: { year: "numeric", month: "long", day: "numeric" },
  week: { weekday: "long" },
  week_short: { weekday: "short" },
  time: { hour: "2-digit", minute: "2-digit" },
  time_sec: { hour: "2-digit", minute: "2-digit", second: "2-digit" },
};

// `<local_datetime>` of card markdown; without a time it means the moment the card was made, which is now.
export function localTime(attributes, context) {
  const at = Number(attributes.millisecond) || context.now();
  if (attributes.format_type === "timezone") return `GMT${OFFSET.slice(0, 3)}`;
  const kind = KINDS[attributes.format_type];
  return kind ? format(kind, at) : `${format(KINDS.date_num, at)} ${format(KINDS.time, at)}`;
}
