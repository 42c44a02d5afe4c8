// A session with the server that survives lost connections; knows no page.

import { Connection, seconds } from "./connection.js";
import { closeFailure, Conversation, LOSSES, TOKEN_FAILURES } from "./conversation.js";
import { SessionError } from "./outbox.js";
import { apiKey, request } from "./server.js";

const SESSIONS = "/api/streaming/sessions";
const CREATE_MS = 30_000;
const METRICS_SECONDS = 2;
const RESULTS = ["server:transcription_partial", "server:transcription_final"];

/** The user's side of a session; `tell(kind, detail)` hears "event", "failed" and "changed". */
export class Session {
  id = null;
  failure = null;
  latency = null; // seconds from a chunk sent to its words
  metrics = null; // what the server last said of the session
  retrying = false; // whether it waits for the next try
  #conversation = new Conversation();
  #setup;
  #tell;
  #status = null; // on the server; null without a connection
  #greeted = false; // whether there ever was one
  #connection = null;
  #opening = null; // token of the try under way
  #retryTimer = null;
  #renewed = false; // whether the token was replaced since it last let us in
  #sentAt = new Map();

  /** `setup` is the body of the request that creates the session. */
  constructor(setup, tell) {
    this.#setup = setup;
    this.#tell = tell;
  }

  get outbox() {
    return this.#conversation.outbox;
  }

  get tries() {
    return this.#conversation.backoff.tries;
  }

  get completed() {
    return this.#conversation.completed;
  }

  /** The state that the user is shown. */
  get state() {
    if (this.completed) return "completed";
    if (this.failure) return "error";
    return this.#status ?? (this.#greeted ? "reconnecting" : "connecting");
  }

  /** Whether no audio will be taken any more. */
  get over() {
    return Boolean(this.completed || this.#conversation.ended || this.outbox.stopped);
  }

  put(audio) {
    this.outbox.put(audio);
    this.#connection?.pump();
  }

  order(action) {
    this.outbox.order(action);
    this.#connection?.pump();
  }

  /** Connect now, with all tries there again. */
  connect() {
    if (this.completed || this.#connection || this.#opening) return;
    this.failure = null;
    this.#renewed = false;
    this.#conversation.backoff.progress();
    void this.#open();
  }

  /** Hold no connection any more. */
  close() {
    clearTimeout(this.#retryTimer);
    this.retrying = false;
    this.#opening = null;
    this.#connection?.close();
    this.#connection = null;
  }

  async #open() {
    clearTimeout(this.#retryTimer);
    this.retrying = false;
    const opening = (this.#opening = {});
    this.#tell("changed");
    try {
      this.id ??= await this.#create();
    } catch (error) {
      if (!(error instanceof SessionError)) throw error;
      if (opening !== this.#opening) return;
      this.#opening = null;
      this.#lost(error.retryable ? null : error, { atLeast: error.retryAfter });
      return;
    }
    if (opening !== this.#opening) return; // closed meanwhile
    this.#opening = null;
    const { kept, resumeFrom } = this.#conversation;
    const query = `last_event=${resumeFrom}&metrics=${METRICS_SECONDS}`
      + (kept ? `&checkpoint=${kept.lastEvent}` : "");
    const address = new URL(`${SESSIONS}/${this.id}/ws?${query}`, location.href);
    address.protocol = address.protocol.replace("http", "ws");
    this.#connection = new Connection(address, this.#conversation, {
      heard: (reaction) => this.#heard(reaction),
      sent: (number) => this.#sentAt.set(number, seconds()),
      closed: (ending) => this.#closed(ending),
    });
  }

  async #create() {
    const created = await request(SESSIONS, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ ...this.#setup, checkpoints: true }),
      signal: AbortSignal.timeout(CREATE_MS),
    });
    this.#conversation.begin(created.checkpoint ?? null);
    this.#conversation.token = created.token ?? null;
    return created.session_id;
  }

  /** Get another token with the user's key, then connect with it. */
  async #renew() {
    this.close();
    this.#renewed = true;
    const opening = (this.#opening = {});
    try {
      const { token } = await request(`${SESSIONS}/${this.id}/tokens`, { method: "POST" });
      this.#conversation.token = token ?? null;
    } catch (error) {
      if (!(error instanceof SessionError)) throw error;
      if (opening === this.#opening) this.#fail(error);
      return;
    }
    if (opening === this.#opening) await this.#open();
  }

  /** Bring a session back that the server has lost, then connect; the tries are as many as ever. */
  async #restore(lost) {
    this.close();
    this.#status = null;
    const opening = (this.#opening = {});
    const { state, log } = this.#conversation.kept;
    try {
      const { token } = await request(`${SESSIONS}/${this.id}/restore`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ state, log }),
      });
      this.#conversation.token = token ?? this.#conversation.token;
    } catch (error) {
      if (!(error instanceof SessionError)) throw error;
      if (opening !== this.#opening) return;
      this.#opening = null;
      this.#lost(error.retryable ? null : lost, { atLeast: error.retryAfter });
      return;
    }
    if (opening !== this.#opening) return; // closed meanwhile
    this.#opening = null;
    this.#lost(null, { told: 0 });
  }

  #heard({ event, failure }) {
    if (event) this.#show(event);
    if (failure && LOSSES.has(failure.code) && this.#conversation.kept) {
      void this.#restore(failure);
      return;
    }
    if (failure && TOKEN_FAILURES.has(failure.code) && apiKey() && !this.#renewed) {
      void this.#renew();
    } else if (failure) this.#fail(failure);
    else if (this.completed) this.close();
    this.#tell("changed");
  }

  #show(event) {
    if (event.type === "server:status") {
      // The log of a session also tells of connections that were lost before this one.
      if (["connecting", "reconnecting"].includes(event.status)) return;
      this.#status = event.status;
      this.#greeted = true;
      this.#renewed = false;
      return;
    }
    if (event.type === "server:metrics") {
      this.metrics = event;
      return;
    }
    if (RESULTS.includes(event.type)) this.#measure(event.sequence_number);
    this.#tell("event", event);
  }

  #measure(number) {
    const sent = this.#sentAt.get(number);
    if (sent !== undefined) this.latency = seconds() - sent;
    for (const known of this.#sentAt.keys()) {
      if (known >= Math.min(number, this.outbox.done)) return; // they are in order
      this.#sentAt.delete(known);
    }
  }

  #closed({ code, leaving }) {
    this.#connection = null;
    this.#lost(closeFailure(code), { told: leaving ? 0 : null });
  }

  #lost(failure, pause) {
    this.#status = null;
    const delay = failure ? null : this.#conversation.backoff.delay(pause);
    if (delay === null) {
      this.#fail(failure ?? new SessionError(
        "connection_lost", "The connection could not be restored.", { retryable: true },
      ));
    } else {
      this.retrying = true;
      this.#retryTimer = setTimeout(() => void this.#open(), delay * 1000);
    }
    this.#tell("changed");
  }

  #fail(failure) {
    this.failure = failure;
    this.close();
    this.#tell("failed", failure);
  }
}
