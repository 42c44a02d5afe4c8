// The server over HTTP.

import { failureOf } from "./conversation.js";
import { SessionError } from "./outbox.js";

const KEPT_AS = "steno.api_key";

/** The user's API key: this tab keeps it until it is closed, no longer. */
export const apiKey = () => sessionStorage.getItem(KEPT_AS);

export const keepApiKey = (key) => sessionStorage.setItem(KEPT_AS, key);

/** Ask the server; gives its answer. A refused key is also told to the page, by an event. */
async function ask(path, options = {}) {
  const key = apiKey();
  const headers = { ...options.headers, ...(key && { Authorization: `Bearer ${key}` }) };
  const answer = await fetch(path, { ...options, headers });
  if (answer.status === 401) dispatchEvent(new Event("unauthorized"));
  return answer;
}

/** Ask the server; gives the answer's JSON or throws SessionError. */
export async function request(path, options = {}) {
  let answer;
  try {
    answer = await ask(path, options);
    if (answer.status === 204) return null;
    const body = await answer.json();
    if (answer.ok) return body;
    throw failureOf(body);
  } catch (error) {
    if (error instanceof SessionError) throw error;
    const message = answer
      ? `The server answered with status ${answer.status}, not in words.`
      : "The server does not answer.";
    throw new SessionError("connection_lost", message, { retryable: true });
  }
}

/** Get a file that only the key opens: a link cannot show one. */
export async function download(path, name) {
  const answer = await ask(path);
  if (!answer.ok) return;
  const link = Object.assign(document.createElement("a"), { download: name });
  link.href = URL.createObjectURL(await answer.blob());
  link.click();
  URL.revokeObjectURL(link.href);
}
