// One WebSocket of a session.

const SUBPROTOCOL = "steno.v1"; // what the server answers; the token is never said back
const TICK_MS = 1000;
const PING_SECONDS = 5;
const DEAD_SECONDS = 15; // a connection that says nothing for so long is dead
const CONNECT_SECONDS = 30;
const MAX_BUFFERED_BYTES = 1 << 20;
const BUFFERED_MS = 50;

/** The clock of a session, in seconds. */
export const seconds = () => performance.now() / 1000;

/** Reads, writes and pings until it ends; then it calls `closed({code, leaving})`, once. */
export class Connection {
  #conversation;
  #hooks;
  #socket;
  #ticker;
  #pumpTimer = null;
  #leaveTimer = null;
  #heldUntil = 0;
  #heardAt = seconds();
  #pingedAt = seconds();
  #leaving = false;

  /** `heard(reaction)` gets what a message means, `sent(number)` the chunks on their way. */
  constructor(address, conversation, { heard, sent, closed }) {
    const { token } = conversation;
    this.#conversation = conversation;
    this.#hooks = { heard, sent, closed };
    // A socket's handshake takes no headers, and addresses are written down by proxies.
    this.#socket = new WebSocket(address, token ? [SUBPROTOCOL, `steno.token.${token}`] : []);
    this.#socket.onmessage = ({ data }) => this.#hear(JSON.parse(data));
    this.#socket.onclose = ({ code }) => this.#end(code);
    this.#ticker = setInterval(() => this.#tick(), TICK_MS);
  }

  get #isOpen() {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  /** Send what may be sent, as long as the socket takes it. */
  pump() {
    clearTimeout(this.#pumpTimer);
    const held = this.#heldUntil - seconds();
    if (held > 0) {
      this.#pumpTimer = setTimeout(() => this.pump(), held * 1000);
      return;
    }
    while (this.#isOpen) {
      if (this.#socket.bufferedAmount > MAX_BUFFERED_BYTES) {
        this.#pumpTimer = setTimeout(() => this.pump(), BUFFERED_MS);
        return;
      }
      const item = this.#conversation.outbox.take();
      if (item === null) return;
      this.#send(item);
    }
  }

  /** End it without a word to anyone. */
  close() {
    clearInterval(this.#ticker);
    clearTimeout(this.#pumpTimer);
    clearTimeout(this.#leaveTimer);
    this.#conversation.outbox.detached();
    this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close();
  }

  #end(code) {
    this.close();
    this.#hooks.closed({ code, leaving: this.#leaving });
  }

  #hear(message) {
    this.#heardAt = seconds();
    const reaction = this.#conversation.heard(message, this.#heardAt);
    if (reaction.hold !== undefined) this.#heldUntil = this.#heardAt + reaction.hold;
    if (reaction.leave !== undefined) {
      this.#leaving = true;
      this.#leaveTimer = setTimeout(() => this.#end(null), reaction.leave * 1000);
    }
    this.#hooks.heard(reaction);
    this.pump();
  }

  #send({ number, audio, action }) {
    if (action) {
      this.#socket.send(JSON.stringify({ type: "client:control", action }));
      return;
    }
    const frame = new Uint8Array(4 + audio.byteLength);
    new DataView(frame.buffer).setUint32(0, number);
    frame.set(new Uint8Array(audio), 4);
    this.#socket.send(frame);
    this.#hooks.sent(number);
  }

  #tick() {
    const now = seconds();
    const patience = this.#isOpen ? DEAD_SECONDS : CONNECT_SECONDS;
    if (now - this.#heardAt > patience || this.#conversation.stalled(now)) {
      this.#end(null);
    } else if (this.#isOpen && now - this.#pingedAt >= PING_SECONDS) {
      this.#pingedAt = now;
      this.#socket.send(JSON.stringify({ type: "client:ping", timestamp: now }));
    }
  }
}
