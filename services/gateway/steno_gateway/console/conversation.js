// The client's side of the protocol without its sockets. Pure: times are seconds of any origin.
// The Python client has the same rules in domain/conversation.py, verdict.py and backoff.py.

import { Outbox, SessionError } from "./outbox.js";

export const DELAYS = [1, 2, 4, 8, 16]; // seconds before each try in a row
const STALL_SECONDS = 30;
const RETRY_SECONDS = 1;
const PATIENCE_SECONDS = 120;

const ENDING = new Set(["duration_limit", "too_many_chunks", "memory_exhausted"]);
const CLOSE_CODES = new Map([
  [1009, ["chunk_too_large", "The server takes no chunk of this size."]],
  [4400, ["invalid_session_id", "The server does not accept the session's name."]],
  [4401, ["unauthorized", "The server does not let this page in."]],
  [4403, ["forbidden", "The server does not let this page do that."]],
  [4404, ["session_not_found", "The server does not know this session any more."]],
  [4409, ["connection_superseded", "Another connection took this session over."]],
]);
export const TOKEN_FAILURES = new Set(["token_expired", "unauthorized"]); // a new token may help
// What a server says that has lost a session, or a part of it.
export const LOSSES = new Set(["session_not_found", "audio_forgotten"]);
const NUMBERED = new Set([
  "server:transcription_final", "server:utterance", "server:status", "server:warning",
  "server:session_completed",
]);

/** Delays between tries in a row; progress starts the row anew. */
export class Backoff {
  tries = 0;

  /** Seconds until the next try, null if there is none left. */
  delay({ told = null, atLeast = null } = {}) {
    if (this.tries === DELAYS.length) return null;
    const delay = DELAYS[this.tries++];
    return told ?? Math.max(delay, atLeast ?? 0);
  }

  progress() {
    this.tries = 0;
  }
}

/** Why a closed connection is the last one, null if a new one is worth a try. */
export function closeFailure(code) {
  const found = CLOSE_CODES.get(code);
  return found ? new SessionError(...found) : null;
}

/** A `server:error`, or the body of an HTTP error, as something to throw. */
export function failureOf({ code, message, retryable = false, retry_after_ms: after = null }) {
  const retryAfter = after === null ? null : after / 1000;
  return new SessionError(code, message || code, { retryable, retryAfter });
}

/** What an error on the connection means: "resend", "repeat", "tell", "end" or "fail". */
export function verdict({ code, retryable = false, resend_from: resendFrom = null }) {
  if (ENDING.has(code)) return "end";
  if (code === "illegal_transition") return resendFrom === null ? "tell" : "resend";
  if (!retryable) return "fail";
  return resendFrom === null ? "repeat" : "resend";
}

/**
 * One session with a server, over any number of connections.
 *
 * A reaction may have: `event`, a message for the user; `hold`, send nothing for so many seconds;
 * `leave`, connect anew after so many seconds; `failure`, the session is over.
 */
export class Conversation {
  outbox = new Outbox();
  backoff = new Backoff();
  kept = null; // what brings the session back that its server has lost; null without checkpoints
  lastEvent = 0; // in the server's count of now
  token = null; // the newest of the session, if its server gives any
  completed = null;
  ended = null; // why the server takes no more audio, although a transcript will come
  #epoch = null;
  #told = { end: 0, utterances: 0, number: 0 }; // what the user was told, by its place in the audio
  #owedSince = null;
  #refusedSince = null;
  #backlogFull = false;

  /** `state` is where the session stood when it was created, null without checkpoints. */
  begin(state) {
    if (state === null) return;
    this.kept = { state, done: 0, lastEvent: 0, log: [] };
    this.outbox.covered(0);
  }

  /** The event behind which the server is to go on telling: what comes twice is dropped. */
  get resumeFrom() {
    return Math.min(this.lastEvent, this.kept?.lastEvent ?? this.lastEvent);
  }

  /** Take a message of the server. */
  heard(message, now) {
    switch (message.type) {
      case "server:session_created":
        return this.#attached(message);
      case "server:ack":
        return this.#acked(message);
      case "server:error":
        return this.#refused(message, now);
      case "server:transcription_partial":
        return message.start_time < this.#told.end ? {} : { event: message };
      case "server:metrics":
        return { event: message };
      case "server:checkpoint":
        this.#keep(message);
        return {};
      case "server:token":
        this.token = message.token;
        return {};
      default:
        if (message.type === "server:status" && message.status === "goaway") {
          return { leave: message.in_ms / 1000 };
        }
        return NUMBERED.has(message.type) ? this.#news(message) : {};
    }
  }

  /** Whether the server has owed an answer for too long; to be asked regularly. */
  stalled(now) {
    if (!this.outbox.unanswered) this.#owedSince = null;
    else this.#owedSince ??= now;
    return this.#owedSince !== null && now - this.#owedSince > STALL_SECONDS;
  }

  #attached(created) {
    if (created.status === "error") {
      return { failure: new SessionError("session_failed", "The session is broken.") };
    }
    const { kept } = this;
    if (kept && (created.done < kept.done || created.last_event < kept.lastEvent)) {
      const message = "The server has lost what it had called done.";
      return { failure: new SessionError("audio_forgotten", message) };
    }
    try {
      this.outbox.attached(created);
    } catch (failure) {
      return { failure };
    }
    if (kept && !created.checkpoints) { // a server of before them
      this.kept = null;
      this.outbox.uncovered();
    }
    if (!this.kept && this.#epoch !== null && this.#epoch !== created.epoch) this.lastEvent = 0;
    this.lastEvent = Math.min(this.resumeFrom, created.last_event);
    this.#epoch = created.epoch;
    this.token = created.token ?? this.token;
    this.#owedSince = null;
    return { event: { type: "server:status", status: created.status }, hold: 0 };
  }

  #acked(ack) {
    if (this.outbox.acked(ack)) this.#progress();
    const full = this.#backlogFull;
    this.#backlogFull = false;
    return full ? { hold: 0 } : {};
  }

  #refused(error, now) {
    const warning = { type: "server:warning", code: error.code, message: error.message };
    switch (verdict(error)) {
      case "tell":
        return { event: warning };
      case "end":
        this.ended = failureOf(error);
        this.outbox.detached();
        return { event: warning };
      case "fail":
        if (this.ended && error.code === "session_finished") return {};
        return { failure: failureOf(error) };
      default:
        return this.#postponed(error, now);
    }
  }

  #postponed(error, now) {
    this.#refusedSince ??= now;
    this.#backlogFull = error.code === "backlog_full";
    if (!this.#backlogFull && now - this.#refusedSince > PATIENCE_SECONDS) {
      return { failure: failureOf(error) };
    }
    try {
      if (error.resend_from === undefined) this.outbox.repeatControls();
      else this.outbox.refused(error.resend_from, { paused: error.code === "illegal_transition" });
    } catch (failure) {
      return { failure };
    }
    if (error.retry_after_ms !== undefined) return { hold: error.retry_after_ms / 1000 };
    return { hold: error.code === "sequence_gap" ? 0 : RETRY_SECONDS };
  }

  #keep({ state, done, last_event: lastEvent, log }) {
    if (!this.kept) return;
    this.kept = { state, done, lastEvent, log: log ? [...this.kept.log, log] : this.kept.log };
    this.outbox.covered(done);
  }

  #news(event) {
    if (event.event !== undefined) {
      if (event.event <= this.lastEvent) return {};
      this.lastEvent = event.event;
    }
    if (this.#toldBefore(event)) return {};
    // A new connection itself gives statuses and warnings: those are no progress.
    const progress = !["server:status", "server:warning"].includes(event.type);
    if (progress && event.event !== undefined) this.#progress();
    if (event.type === "server:session_completed") {
      if (this.outbox.stored < this.outbox.last && this.ended === null) {
        return {
          failure: new SessionError(
            "session_finished", "The server finished the session before all audio had arrived.",
          ),
        };
      }
      this.completed = event;
    }
    return { event };
  }

  /** Numbers change when a server loses data; a final keeps its place, an utterance its index. */
  #toldBefore({ type, event: number, start_time: start, end_time: end, index }) {
    const told = this.#told;
    let again = false;
    if (type === "server:transcription_final") {
      again = start < told.end;
      told.end = Math.max(told.end, end);
    } else if (type === "server:utterance") {
      again = index < told.utterances;
      told.utterances = Math.max(told.utterances, index + 1);
    } else if (type !== "server:session_completed") {
      again = number !== undefined && number <= told.number;
    }
    told.number = Math.max(told.number, number ?? 0);
    return again;
  }

  #progress() {
    this.#owedSince = this.#refusedSince = null;
    this.backoff.progress();
  }
}
