// Cuts what the microphone hears into chunks of 16-bit PCM; runs on the audio thread.

class MicrophoneProcessor extends AudioWorkletProcessor {
  #merged; // samples that are averaged into one
  #chunk; // samples of a chunk
  #samples;
  #filled = 0;
  #energy = 0;
  #sum = 0;
  #summed = 0;

  constructor({ processorOptions: { merged, chunk } }) {
    super();
    this.#merged = merged;
    this.#chunk = chunk;
    this.#samples = new Int16Array(chunk);
    this.port.onmessage = () => {
      if (this.#filled > 0) this.#give();
      this.port.postMessage({ flushed: true });
    };
  }

  process([[channel]]) {
    for (const value of channel ?? []) {
      this.#sum += value;
      if (++this.#summed < this.#merged) continue;
      this.#take(this.#sum / this.#merged);
      this.#sum = this.#summed = 0;
    }
    return true;
  }

  #take(value) {
    this.#energy += value * value;
    // Browsers run on little-endian machines, and the wire is little-endian too.
    this.#samples[this.#filled++] = Math.max(-32768, Math.min(32767, Math.round(value * 32768)));
    if (this.#filled === this.#chunk) this.#give();
  }

  #give() {
    const decibels = 10 * Math.log10(this.#energy / this.#filled + 1e-10);
    const level = Math.max(0, Math.min(1, 1 + decibels / 60));
    const audio = this.#samples.slice(0, this.#filled).buffer;
    this.port.postMessage({ audio, level }, [audio]);
    this.#filled = this.#energy = 0;
  }
}

registerProcessor("steno-microphone", MicrophoneProcessor);
