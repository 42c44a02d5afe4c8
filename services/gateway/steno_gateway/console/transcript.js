// The words on the page: finals gather in an open paragraph until their utterance closes it.

/** Seconds as `1:05` or `1:02:05`. */
export function clock(seconds) {
  const whole = Math.floor(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const tail = String(whole % 60).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
}

/** Build an element with properties and children. */
export function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

export class Transcript {
  #confirmed;
  #partial;
  #open = null; // the paragraph of finals without an utterance
  #segment = null; // of the partial

  /** `confirmed` holds paragraphs, `partial` is one. */
  constructor(confirmed, partial) {
    this.#confirmed = confirmed;
    this.#partial = partial;
  }

  clear() {
    this.#confirmed.replaceChildren();
    this.#open = null;
    this.#showPartial(null);
  }

  /** Take a message of the server. */
  hear(event) {
    const follow = this.#confirmed.scrollHeight - this.#confirmed.scrollTop
      - this.#confirmed.clientHeight < 60;
    if (event.type === "server:transcription_partial") this.#showPartial(event);
    else if (event.type === "server:transcription_final") this.#addFinal(event);
    else if (event.type === "server:utterance") this.#close(event);
    else if (event.type === "server:session_completed") this.#showPartial(null);
    if (follow) this.#confirmed.scrollTop = this.#confirmed.scrollHeight;
  }

  /** Append a saved transcript whose audio began `behind` seconds after that of the page. */
  showSaved({ utterances }, behind) {
    this.#showPartial(null);
    for (const { text_content: text, start_time: start, end_time: end } of utterances) {
      const times = { start_time: start + behind, end_time: end + behind };
      this.#confirmed.append(this.#paragraph(times, element("span", {}, text)));
    }
  }

  #showPartial(event) {
    this.#segment = event?.result_id ?? null;
    this.#partial.hidden = !event?.text_content;
    if (this.#partial.hidden) return;
    const percent = Math.round(event.stability * 100);
    this.#partial.replaceChildren(
      element("span", { className: "words" }, event.text_content), " ",
      element("small", {}, `${percent} % stable`),
    );
    this.#partial.style.setProperty("--stability", event.stability);
  }

  #addFinal(event) {
    if (event.result_id === this.#segment) this.#showPartial(null);
    if (!event.text_content) return;
    if (this.#open === null) {
      this.#open = this.#paragraph(event);
      this.#confirmed.append(this.#open);
    }
    const words = element("span", {}, `${event.text_content} `);
    Object.assign(words.dataset, { event: event.event, start: event.start_time, end: event.end_time });
    this.#open.append(words);
    this.#time(this.#open, this.#open.dataset.start, event.end_time);
  }

  /** Finals of the next utterance may be there already: those begin a new open paragraph. */
  #close({ start_time: start, end_time: end, last_event: last }) {
    const closed = this.#open;
    if (closed === null) return;
    const later = [...closed.querySelectorAll("span")].filter((s) => Number(s.dataset.event) > last);
    if (later.length === closed.querySelectorAll("span").length) return;
    this.#open = null;
    this.#time(closed, start, end);
    if (later.length > 0) {
      const [from, to] = [later[0].dataset.start, later.at(-1).dataset.end];
      this.#open = this.#paragraph({ start_time: from, end_time: to }, ...later);
      closed.after(this.#open);
    }
  }

  #paragraph({ start_time: start, end_time: end }, ...words) {
    const paragraph = element("p", {}, element("time"), ...words);
    this.#time(paragraph, start, end);
    return paragraph;
  }

  #time(paragraph, start, end) {
    paragraph.dataset.start = start;
    paragraph.querySelector("time").textContent = `${clock(start)} – ${clock(end)}`;
  }
}
