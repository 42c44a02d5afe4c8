// One recording, from the microphone or a file, on its way to text.

import { decodeFile, Microphone, pcmType, wavOf } from "./audio.js";
import { SessionError } from "./outbox.js";
import { request } from "./server.js";
import { Session } from "./session.js";

export const LIMIT_SECONDS = 3600; // of audio in a session
const MAX_DECODED_BYTES = 32 << 20; // a larger file is decoded by the server

/** `tell(kind, detail)` hears "event", "warning", "saved" and "changed". */
export class Recorder {
  source = null; // "microphone" or "file"
  level = 0;
  upload = null; // {state, failure, id} of block mode
  session = null;
  #microphone = null;
  #rate = 1;
  #bytes = 0;
  #understanding;
  #tell;

  /** `understanding`: fields of a session, such as its language. */
  constructor(understanding, tell) {
    this.#understanding = understanding;
    this.#tell = tell;
  }

  get state() {
    return this.upload?.state ?? this.session?.state ?? "idle";
  }

  get failure() {
    return this.upload ? this.upload.failure : (this.session?.failure ?? null);
  }

  /** Seconds recorded. */
  get elapsed() {
    return this.#bytes / 2 / this.#rate;
  }

  /** Whether the microphone is on, or would be if the recording were not paused. */
  get live() {
    return this.#microphone !== null;
  }

  /** Id of the transcript, once it is saved. */
  get saved() {
    if (this.upload) return this.upload.state === "completed" ? this.upload.id : null;
    return this.session?.completed ? this.session.id : null;
  }

  /** Record from the microphone. */
  async record() {
    this.#microphone = await Microphone.open(
      (audio, level) => this.#hear(audio, level), () => void this.#silenced(),
    );
    this.source = "microphone";
    this.#begin(this.#microphone.rate);
    this.session.connect();
  }

  /** Transcribe a file as fast as the server takes it. */
  async transcribe(file) {
    this.source = "file";
    let decoded = null;
    try {
      if (file.size <= MAX_DECODED_BYTES) decoded = await decodeFile(file);
    } catch {
      decoded = null; // the server reads more formats than a browser
    }
    if (decoded === null) {
      await this.#send(file);
      return;
    }
    this.#begin(decoded.rate);
    for (const chunk of decoded.chunks) this.#put(chunk);
    this.session.order("stop");
    this.session.connect();
  }

  async pause() {
    await this.#microphone?.pause();
    this.level = 0;
    this.session.order("pause");
  }

  async resume() {
    this.session.order("resume");
    await this.#microphone?.resume();
  }

  async stop() {
    await this.#closeMicrophone();
    this.session.order("stop");
    this.#tell("changed");
  }

  /** Whether block mode has something to send, and whether that is the whole recording. */
  get sendable() {
    const { outbox } = this.session ?? {};
    return outbox && outbox.done < outbox.last ? { whole: outbox.first === 1 } : null;
  }

  /** Block mode: send what is not transcribed as a file. */
  async sendKept() {
    await this.#closeMicrophone();
    const { outbox, id } = this.session;
    const wav = wavOf(outbox.kept(), this.#rate);
    const whole = outbox.first === 1;
    const bytes = outbox.kept().reduce((sum, chunk) => sum + chunk.byteLength, 0);
    const behind = (this.#bytes - bytes) / 2 / this.#rate; // seconds that are text already
    this.session.close();
    await this.#send(wav, { replaced: whole ? id : null, behind });
    if (!whole && this.saved) {
      this.#tell("warning", "What came before the rest is saved as a transcript of its own.");
    }
  }

  /** Leave everything as it is. */
  async leave() {
    this.session?.close();
    await this.#closeMicrophone();
  }

  #begin(rate) {
    this.#rate = rate;
    const format = { mime_type: pcmType(rate), duration_limit: LIMIT_SECONDS };
    const setup = { ...format, ...this.#understanding };
    this.session = new Session(setup, (kind, detail) => this.#told(kind, detail));
  }

  #hear(audio, level) {
    if (this.session.over) void this.#closeMicrophone();
    if (this.session.over || this.session.outbox.paused) return;
    this.level = level;
    this.#put(audio);
    if (this.elapsed >= LIMIT_SECONDS) {
      this.#tell("warning", "An hour is recorded, and a session takes no more. (duration_limit)");
      void this.stop();
    }
    this.#tell("changed");
  }

  #put(audio) {
    this.session.put(audio);
    this.#bytes += audio.byteLength;
  }

  #told(kind, detail) {
    const over = detail?.type === "server:session_completed";
    if (over || (kind === "failed" && !detail.retryable)) void this.#closeMicrophone();
    if (detail?.type === "server:warning") {
      this.#tell("warning", `${detail.message} (${detail.code})`);
    } else {
      this.#tell(kind, detail);
    }
  }

  async #silenced() {
    this.#tell("warning", "The microphone is gone. (microphone_lost)");
    if (this.#microphone) await this.stop();
  }

  async #closeMicrophone() {
    const microphone = this.#microphone;
    if (microphone === null) return;
    this.#microphone = null;
    await microphone.close();
    this.level = 0;
  }

  async #send(audio, { replaced = null, behind = 0 } = {}) {
    this.upload = { state: "finalizing", failure: null, id: null };
    this.#tell("changed");
    const query = new URLSearchParams(this.#understanding);
    try {
      const saved = await request(`/api/transcriptions?${query}`, {
        method: "POST",
        // Its first bytes say what it is, and better than its name.
        headers: { "Content-Type": "application/octet-stream" },
        body: audio,
      });
      this.upload = { state: "completed", failure: null, id: saved.session_id };
      this.#tell("saved", { saved, behind });
    } catch (failure) {
      if (!(failure instanceof SessionError)) throw failure;
      this.upload = { state: "error", failure, id: null };
    }
    if (replaced && this.upload.id) await this.#remove(replaced);
    this.#tell("changed");
  }

  /** The session whose audio came as a file would else be saved as well. */
  async #remove(id) {
    try {
      await request(`/api/streaming/sessions/${id}`, { method: "DELETE" });
    } catch (error) {
      if (!(error instanceof SessionError)) throw error; // it may be gone already
    }
  }
}
