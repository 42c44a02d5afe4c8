// The server over HTTP.

import { failureOf } from "./conversation.js";
import { SessionError } from "./outbox.js";

/** Ask the server; gives the answer's JSON or throws SessionError. */
export async function request(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, options);
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
