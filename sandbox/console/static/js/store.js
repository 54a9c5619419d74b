// What the page knows: the last state from the sandbox, and what the viewer chose (kept in the address).
import { getState, post } from "./net.js";

const POLL = 400; // milliseconds
const KEEP_CALLS = 400;

const parameters = new URLSearchParams(location.search);

export const view = {
  me: parameters.get("me") || "",
  chat: parameters.get("chat") || "",
  panel: parameters.get("panel") !== "0" && (parameters.has("panel") || matchMedia("(min-width: 1100px)").matches),
};

export const state = {
  version: -1,
  now: Date.now(),
  people: [],
  chats: [],
  messages: [],
  faults: [],
  fault_kinds: [],
  calls: [],
  platforms: [],
  titles: {},
  samples: [],
  merchants: [],
  books: {},
};

const listeners = [];
let boot = "";
let lastCall = 0;
let asked = 0;
let clockGap = 0; // sandbox time minus this machine's, in milliseconds
let running = null;
let again = false;

export function onChange(listener) {
  listeners.push(listener);
}

export function now() {
  return Date.now() + clockGap;
}

export function person(id) {
  return state.people.find((one) => one.id === id) || null;
}

export function me() {
  return person(view.me);
}

export function chat() {
  return state.chats.find((one) => one.chat_id === view.chat) || null;
}

function tell(what) {
  for (const listener of listeners) listener(what);
}

export function choose(change) {
  Object.assign(view, change);
  const query = new URLSearchParams(location.search);
  query.set("me", view.me);
  query.set("chat", view.chat);
  query.set("panel", view.panel ? "1" : "0");
  history.replaceState(null, "", `?${query}`);
  // The chats on the page are somebody else's from here on: one of them, clicked, would open another than was meant.
  if ("me" in change) state.chats = [];
  if ("me" in change || "chat" in change) {
    state.version = -1;
    state.messages = [];
    asked += 1;
    refresh();
  }
  tell({ chosen: true });
}

function take(answer, ticket) {
  if (ticket !== asked) return; // the viewer moved on while this was under way
  const restarted = boot !== "" && answer.boot !== boot;
  boot = answer.boot;
  if (restarted) {
    state.calls = [];
    lastCall = 0;
    state.version = -1;
    again = true;
    return;
  }
  clockGap = answer.now - Date.now();
  const calls = answer.calls || [];
  if (calls.length) {
    lastCall = calls[calls.length - 1].number;
    state.calls = [...state.calls, ...calls].slice(-KEEP_CALLS);
  }
  const faults = JSON.stringify(answer.faults) !== JSON.stringify(state.faults);
  state.now = answer.now;
  state.offset = answer.offset;
  state.faults = answer.faults;
  if (!answer.unchanged) {
    Object.assign(state, answer.world, { version: answer.version });
    view.me = answer.world.me || "";
    view.chat = answer.world.chat || "";
  }
  tell({ world: !answer.unchanged, calls: calls.length > 0, faults, clock: true });
}

// Asks now; while a question is under way the next one waits for it.
export async function refresh() {
  if (running) {
    again = true;
    return running;
  }
  const ticket = asked;
  running = getState({ me: view.me, chat: view.chat, version: state.version, since: lastCall })
    .then(
      (answer) => {
        tell({ connected: true });
        take(answer, ticket);
      },
      () => tell({ connected: false }),
    )
    .catch((error) => console.error("the page could not be brought up to date", error))
    .finally(() => {
      running = null;
      if (again || ticket !== asked) {
        again = false;
        refresh();
      }
    });
  return running;
}

export async function act(action, body = {}) {
  try {
    return await post(action, { me: view.me, chat: view.chat, ...body });
  } finally {
    refresh();
  }
}

export function startPolling() {
  const round = async () => {
    if (!document.hidden) await refresh();
    setTimeout(round, POLL);
  };
  document.addEventListener("visibilitychange", () => refresh());
  round();
}
