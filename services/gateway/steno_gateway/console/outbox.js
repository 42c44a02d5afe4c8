// What of the recording may be sent now, what must be kept; the rules of docs/protocol.md, 4.
// Pure: no clock, socket or page. The Python client has the same rules in domain/outbox.py.

/** Something that ends a session, or that its user may not do. */
export class SessionError extends Error {
  constructor(code, message, { retryable = false, retryAfter = null } = {}) {
    super(message);
    this.code = code;
    this.retryable = retryable;
    this.retryAfter = retryAfter; // seconds
  }
}

/**
 * Numbered chunks of raw audio, with the control messages between them, on their way to a server
 * that may vanish.
 *
 * A control message is sent when all chunks before it are stored, so none of those can still be
 * refused; it is repeated on a new connection until a later chunk is stored, which shows that it
 * came through. Chunks are kept until they are done.
 *
 * With checkpoints, chunks and control messages are kept until a checkpoint covers them: a server
 * that lost everything goes on there.
 */
export class Outbox {
  last = 0; // number of the last chunk put in
  stored = 0; // highest chunk that the server has
  done = 0; // highest chunk that the server has transcribed
  first = 1; // chunk that is kept
  wanted = "start";
  #chunks = new Map();
  #controls = []; // {action, behind}: behind is the last chunk before it
  #past = []; // controls that came through, not covered
  #covered = null; // last chunk that a checkpoint covers, null without checkpoints
  // Of one connection:
  #open = false;
  #next = 1; // chunk to send
  #controlsSent = 0;
  #limit = 0; // last chunk that the credit covers
  #pausedThere = false;

  get paused() {
    return this.wanted === "pause";
  }

  get stopped() {
    return this.wanted === "stop";
  }

  /** Whether the server owes an answer: a chunk was sent on this connection, not stored. */
  get unanswered() {
    return this.#open && this.#next - 1 > this.stored;
  }

  /** The audio that is not done, in order. */
  kept() {
    return [...this.#chunks.values()];
  }

  /** Append a chunk, return its number. */
  put(audio) {
    if (this.paused || this.stopped) {
      throw new SessionError("illegal_transition", `no audio after ${this.wanted}`);
    }
    this.#chunks.set(++this.last, audio);
    return this.last;
  }

  /** Place a control message behind the last chunk; one that changes nothing is left out. */
  order(action) {
    if (this.stopped || action === this.wanted) return;
    if ((action === "resume" && !this.paused) || (action === "finalize" && this.paused)) return;
    if (action !== "finalize") this.wanted = action;
    // Before the first chunk nothing is recorded.
    if (this.last > 0 || action === "stop") this.#controls.push({ action, behind: this.last });
  }

  /** Begin a connection where the server stands. */
  attached(created) {
    const start = created.resend_from;
    if (start < this.first) throw this.#forgotten(start);
    this.#takeBack(created.sequence_number);
    this.stored = Math.max(Math.min(created.sequence_number, this.last), this.first - 1);
    this.#next = Math.min(start, this.last + 1);
    this.#limit = Math.max(created.sequence_number, start - 1) + created.credit;
    this.#controlsSent = 0;
    this.#pausedThere = created.status === "paused";
    this.#open = created.status !== "finalizing" && created.status !== "completed";
    this.#advance(created.done);
  }

  /** Note that a checkpoint holds what became of the chunks up to this one; the first is of 0. */
  covered(done) {
    this.#covered = Math.max(this.#covered ?? 0, done);
    this.#forget();
  }

  /** Note that there will be no more checkpoints. */
  uncovered() {
    this.#covered = null;
    this.#forget();
  }

  /** End a connection: nothing can be sent. */
  detached() {
    this.#open = false;
  }

  /** Take an acknowledgement, say whether it is progress. */
  acked({ sequence_number: stored, done, credit }) {
    const moved = stored > this.stored || done > this.done;
    this.stored = Math.max(this.stored, Math.min(stored, this.last));
    this.#limit = stored + credit;
    this.#advance(done);
    return moved;
  }

  /** Go back to a chunk on this connection; `paused`: the server is, so it takes none. */
  refused(resendFrom, { paused = false } = {}) {
    if (resendFrom < this.first) throw this.#forgotten(resendFrom);
    this.stored = Math.min(this.stored, resendFrom - 1);
    this.#next = Math.min(this.#next, resendFrom);
    this.#pausedThere ||= paused;
  }

  /** Send again the control messages next to the chunk to send: they may not have arrived. */
  repeatControls() {
    const before = this.#controls.filter(({ behind }) => behind < this.#next - 1).length;
    this.#controlsSent = Math.min(this.#controlsSent, before);
  }

  /**
   * The next thing to send, which counts as sent: `{number, audio}` or `{action, behind}`, or null
   * if there is nothing for now.
   */
  take() {
    if (!this.#open) return null;
    const control = this.#controls[this.#controlsSent];
    if (control && control.behind < this.#next) return this.#takeControl(control);
    if (this.#next > Math.min(this.last, this.#limit)) return null;
    if (this.#pausedThere) {
      if (this.paused && this.stored === this.last) return null;
      this.#pausedThere = false;
      return { action: "resume", behind: this.#next - 1 };
    }
    const number = this.#next++;
    return { number, audio: this.#chunks.get(number) };
  }

  #takeControl(control) {
    if (control.behind > this.stored) return null;
    this.#controlsSent++;
    if (control.action === "pause" || control.action === "resume") {
      this.#pausedThere = control.action === "pause";
    }
    return control;
  }

  #advance(done) {
    this.done = Math.max(this.done, Math.min(done, this.last));
    while (this.#controls.length > 0 && this.#shown(this.#controls[0], done)) {
      this.#past.push(this.#controls.shift());
      this.#controlsSent = Math.max(0, this.#controlsSent - 1);
    }
    this.#forget();
  }

  /** Drop what nobody can ask for again. */
  #forget() {
    const safe = Math.min(this.#covered ?? this.done, this.done);
    while (this.first <= safe) this.#chunks.delete(this.first++);
    this.#next = Math.max(this.#next, this.first);
    this.#past = this.#past.filter(({ behind }) => this.#covered !== null && behind >= safe);
  }

  /** Say again what came through to a server that has lost it since. */
  #takeBack(stored) {
    while (this.#past.length > 0 && this.#past.at(-1).behind >= stored) {
      this.#controls.unshift(this.#past.pop());
    }
  }

  /** A finalize behind what is done there is without effect, whether it arrived or not. */
  #shown({ action, behind }, done) {
    return behind < this.stored || (action === "finalize" && behind <= done);
  }

  #forgotten(number) {
    return new SessionError(
      "audio_forgotten",
      `the server wants chunk ${number}, but all before ${this.first} was done`,
    );
  }
}
