// Talking to the sandbox. Every action is a JSON POST to the page's own origin.

export class Refused extends Error {}

async function answerOf(response) {
  const text = await response.text();
  let data = {};
  try {
    data = text ? JSON.parse(text) : {};
  } catch {
    throw new Refused(`HTTP ${response.status}`);
  }
  if (!response.ok) throw new Refused(data.error || `HTTP ${response.status}`);
  return data;
}

export async function getState(query) {
  const response = await fetch(`/console/state?${new URLSearchParams(query)}`, { cache: "no-store" });
  return answerOf(response);
}

export async function post(action, body) {
  const response = await fetch(`/console/${action}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  return answerOf(response);
}
