// Sound as chunks of 16-bit mono PCM: from the microphone, from a file, into a WAV.

import { SessionError } from "./outbox.js";

const RATE = 16000;
const MAX_RATE = 48000; // that the server takes
const MICROPHONE_CHUNK_SECONDS = 0.1;
const FILE_CHUNK_SECONDS = 0.25;
const FLUSH_MS = 500;

const REFUSALS = {
  NotAllowedError: "The browser does not let this page use the microphone.",
  NotFoundError: "No microphone was found.",
  NotReadableError: "The microphone is in use by another program.",
};

/** The MIME type of PCM at a rate. */
export const pcmType = (rate) => `audio/pcm;rate=${rate}`;

async function openStream() {
  if (!navigator.mediaDevices) {
    throw new SessionError(
      "microphone_unavailable", "A browser gives a page the microphone over HTTPS or on localhost.",
    );
  }
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1 } });
  } catch (error) {
    const words = REFUSALS[error.name] ?? `The microphone cannot be opened: ${error.message}`;
    throw new SessionError("microphone_unavailable", words);
  }
}

function openContext(stream) {
  // Not every browser resamples a microphone; the server does it as well.
  for (const options of [{ sampleRate: RATE }, {}]) {
    const context = new AudioContext(options);
    try {
      return [context, context.createMediaStreamSource(stream)];
    } catch {
      void context.close();
    }
  }
  throw new SessionError("microphone_unavailable", "The microphone cannot be read.");
}

/** The microphone: `hear(audio, level)` gets an ArrayBuffer of PCM with its level, 0 to 1. */
export class Microphone {
  #stream;
  #context;
  #node;
  #flushed = null;

  /** Open it, asking the user if need be; `lost()` is called when it is gone. */
  static async open(hear, lost) {
    const stream = await openStream();
    try {
      const [context, source] = openContext(stream);
      await context.audioWorklet.addModule("/console/microphone_worklet.js");
      void context.resume(); // a context made after the user was asked may begin suspended
      return new Microphone({ stream, context, source, hear, lost });
    } catch (error) {
      stream.getTracks().forEach((track) => track.stop());
      throw error;
    }
  }

  constructor({ stream, context, source, hear, lost }) {
    const merged = Math.ceil(context.sampleRate / MAX_RATE);
    this.rate = context.sampleRate / merged;
    this.#stream = stream;
    this.#context = context;
    this.#node = new AudioWorkletNode(context, "steno-microphone", {
      channelCount: 1,
      channelCountMode: "explicit",
      processorOptions: { merged, chunk: Math.round(this.rate * MICROPHONE_CHUNK_SECONDS) },
    });
    this.#node.port.onmessage = ({ data }) => {
      if (data.audio) hear(data.audio, data.level);
      else this.#flushed?.();
    };
    // What is connected to nothing is not always run; the node itself is silent.
    source.connect(this.#node).connect(context.destination);
    stream.getAudioTracks()[0].addEventListener("ended", lost);
  }

  /** Give the rest of what was heard, then be deaf. */
  async pause() {
    await new Promise((resolve) => {
      this.#flushed = resolve;
      this.#node.port.postMessage("flush");
      setTimeout(resolve, FLUSH_MS);
    });
    await this.#context.suspend();
  }

  async resume() {
    await this.#context.resume();
  }

  async close() {
    if (this.#context.state === "running") await this.pause();
    this.#stream.getTracks().forEach((track) => track.stop());
    await this.#context.close();
  }
}

/** Decode a file to chunks of PCM; throws if the browser cannot read it. */
export async function decodeFile(file) {
  const context = new OfflineAudioContext(1, 1, RATE);
  const sound = await context.decodeAudioData(await file.arrayBuffer());
  const channels = Array.from({ length: sound.numberOfChannels }, (_, i) => sound.getChannelData(i));
  const pcm = new Int16Array(sound.length);
  for (let at = 0; at < pcm.length; at++) {
    let sum = 0;
    for (const channel of channels) sum += channel[at];
    const value = Math.round((sum / channels.length) * 32768);
    pcm[at] = Math.max(-32768, Math.min(32767, value));
  }
  const bytes = RATE * FILE_CHUNK_SECONDS * 2;
  const count = Math.ceil(pcm.byteLength / bytes);
  const chunks = Array.from({ length: count }, (_, i) => pcm.buffer.slice(i * bytes, (i + 1) * bytes));
  return { rate: RATE, chunks };
}

/** Chunks of PCM as a WAV file. */
export function wavOf(chunks, rate) {
  const size = chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
  const header = new DataView(new ArrayBuffer(44));
  const text = (at, word) => [...word].forEach((c, i) => header.setUint8(at + i, c.charCodeAt(0)));
  const number = (at, value) => header.setUint32(at, value, true);
  text(0, "RIFF"); number(4, 36 + size); text(8, "WAVEfmt "); number(16, 16);
  header.setUint16(20, 1, true); header.setUint16(22, 1, true);
  number(24, rate); number(28, rate * 2);
  header.setUint16(32, 2, true); header.setUint16(34, 16, true);
  text(36, "data"); number(40, size);
  return new Blob([header, ...chunks], { type: "audio/wav" });
}
