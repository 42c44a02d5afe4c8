// The list of saved transcripts.

import { apiKey, download, request } from "./server.js";
import { clock, element } from "./transcript.js";

const FORMATS = ["txt", "json", "srt", "vtt"];
const PAGE = 10;

/** The download links of a saved transcript. */
export function downloadLinks(sessionId) {
  return FORMATS.map((format) => {
    const path = `/api/transcripts/${encodeURIComponent(sessionId)}.${format}`;
    const name = `transcript-${sessionId}.${format}`;
    const onclick = (event) => {
      if (!apiKey()) return;
      event.preventDefault();
      void download(path, name);
    };
    return element("a", { href: path, download: name, onclick }, format);
  });
}

export class History {
  #list;
  #note;
  #more;
  #last = null;

  constructor({ list, note, more }) {
    this.#list = list;
    this.#note = note;
    this.#more = more;
    more.addEventListener("click", () => void this.#load(this.#last));
  }

  /** Show the newest. */
  async refresh() {
    await this.#load(null);
  }

  async #load(before) {
    const query = new URLSearchParams({ limit: PAGE, ...(before && { before }) });
    try {
      const { transcripts } = await request(`/api/transcripts?${query}`);
      if (before === null) this.#list.replaceChildren();
      this.#list.append(...transcripts.map((saved) => this.#entry(saved)));
      this.#last = transcripts.at(-1)?.id ?? null;
      this.#more.hidden = transcripts.length < PAGE;
      this.#note.textContent = this.#list.children.length ? "" : "Nothing is saved yet.";
    } catch (error) {
      this.#note.textContent = `${error.message} (${error.code})`;
    }
  }

  #entry({ session_id: id, start_time: start, duration_seconds: duration, language, text }) {
    const moment = new Date(start);
    const shown = Number.isNaN(moment.getTime()) ? start : moment.toLocaleString();
    const facts = [shown, clock(duration), language].filter(Boolean).join(" · ");
    return element(
      "li", {}, element("p", { className: "facts" }, facts), element("p", {}, text || "(no words)"),
      element("p", { className: "downloads" }, ...downloadLinks(id)),
    );
  }
}
