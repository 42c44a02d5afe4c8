// The console page: what is on it follows from the recorder.

import { DELAYS } from "./conversation.js";
import { downloadLinks, History } from "./history.js";
import { SessionError } from "./outbox.js";
import { Recorder } from "./recorder.js";
import { keepApiKey } from "./server.js";
import { clock, Transcript } from "./transcript.js";

const LATE_SECONDS = 3;
const LOUD = 0.95; // so near full scale that it is distorted
const OFFER_FILE_AFTER = 2; // tries
const OVER = ["completed", "error"];

const page = Object.fromEntries([...document.querySelectorAll("[id]")].map((e) => [e.id, e]));
const transcript = new Transcript(page.confirmed, page.partial);
const history = new History({ list: page.saved, note: page.history_note, more: page.more });

let recorder = newRecorder();
let warning = "";
let busy = false; // an action of the user is under way
let drawing = false;

function newRecorder() {
  const made = new Recorder(understanding(), (kind, detail) => {
    if (made === recorder) told(kind, detail);
  });
  return made;
}

/** How the user wants the audio to be understood, in fields of the protocol. */
function understanding() {
  const language = page.language.value.trim();
  return { ...(language && { language }), ...(page.translate.checked && { task: "translate" }) };
}

function told(kind, detail) {
  if (kind === "event") transcript.hear(detail);
  if (kind === "warning") warning = detail;
  if (kind === "saved") {
    if (detail.behind === 0) transcript.clear();
    transcript.showSaved(detail.saved, detail.behind);
  }
  if (kind === "saved" || detail?.type === "server:session_completed") void history.refresh();
  redraw();
}

function redraw() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    draw();
  });
}

/** Set a text only if it is another one, so that it is read aloud once. */
function write(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

function draw() {
  const { state } = recorder;
  write(page.state, state);
  page.state.dataset.state = state;
  drawControls(state);
  drawFigures();
  drawNotice(state);
  if (recorder.saved && !page.downloads.querySelector("a")) {
    page.downloads.append(...downloadLinks(recorder.saved));
  }
  page.downloads.hidden = !recorder.saved;
  page.hint.hidden = state !== "idle";
}

function drawControls(state) {
  const outbox = recorder.session?.outbox;
  const idle = state === "idle";
  const focused = document.activeElement;
  page.record.hidden = page.choose.hidden = page.understanding.hidden = !idle;
  page.pause.hidden = !recorder.live || outbox.paused;
  page.resume.hidden = !recorder.live || !outbox.paused;
  page.stop.hidden = !recorder.live;
  page.renew.hidden = !OVER.includes(state) || recorder.live;
  for (const button of page.controls.querySelectorAll("button, input")) button.disabled = busy;
  if (focused?.closest("#controls") && focused.closest("[hidden]")) {
    page.controls.querySelector("button:not([hidden])")?.focus();
  }
}

function drawFigures() {
  const { session, source } = recorder;
  const outbox = session?.outbox;
  page.figures.hidden = !session;
  page.level.hidden = source === "file";
  page.progress.hidden = source !== "file" || !outbox;
  page.level.style.setProperty("--level", recorder.level);
  page.level.ariaValueNow = String(Math.round(recorder.level * 100));
  page.level.classList.toggle("loud", recorder.level > LOUD);
  write(page.elapsed, clock(recorder.elapsed));
  if (!session) return;
  const { latency } = session;
  page.progress.max = outbox.last || 1;
  page.progress.value = outbox.done;
  write(page.pending, String(recorder.saved ? 0 : outbox.last - outbox.done));
  write(page.latency, latency === null ? "–" : `${latency.toFixed(1)} s`);
  page.latency.classList.toggle("late", isLate());
  if (session.metrics) drawMetrics(session.metrics);
  write(page.session, recorder.saved ?? session.id ?? "–");
}

/** What the server measures of the session; a dash for what it does not know yet. */
function drawMetrics({ audio_quality, confidence, transcriber, gpu, lost_chunks, errors }) {
  const share = (value) => (value === null ? "–" : `${Math.round(100 * value)} %`);
  write(page.quality, share(audio_quality));
  write(page.confidence, share(confidence));
  write(page.transcriber, transcriber
    ? `${Math.round(transcriber.cpu_percent)} % CPU, ${Math.round(transcriber.memory_mb)} MB` : "–");
  write(page.gpu, gpu.available
    ? `${share(gpu.utilisation)}, ${Math.round(gpu.memory_used_mb)} MB` : "none");
  write(page.lost, `${lost_chunks}, ${errors}`);
}

const isLate = () => recorder.source === "microphone" && recorder.session?.latency > LATE_SECONDS;

/** What the user should know now, in words. */
function notice(state) {
  const { failure, session, live } = recorder;
  if (failure) {
    const kept = live ? " The recording goes on, and is kept on this page." : "";
    return `${failure.message}${kept} (${failure.code})`;
  }
  if (session?.retrying && !recorder.upload) {
    const kept = live ? "What you say is kept on this page." : "The recording is kept on this page.";
    return `No connection. Try ${session.tries} of ${DELAYS.length} follows. ${kept}`;
  }
  if (recorder.upload && state === "finalizing") return "The recording is sent as a file …";
  if (warning) return warning;
  return isLate() && state === "recording" ? `Words come more than ${LATE_SECONDS} s late.` : "";
}

function drawNotice(state) {
  const { session, upload, sendable } = recorder;
  const text = notice(state);
  const failed = state === "error" && !upload;
  write(page.notice_text, text);
  page.notice.hidden = !text;
  page.notice.dataset.kind = state === "error" || (state === "idle" && text) ? "error" : "warning";
  page.reconnect.hidden = !(failed || (session?.retrying && !upload));
  const tired = session?.retrying && session.tries > OFFER_FILE_AFTER;
  page.send_file.hidden = !(sendable && (state === "error" || (tired && !upload)));
  write(page.send_file, sendable?.whole === false ? "Send the rest as a file"
    : "Send the recording as a file");
}

/** Do what a button says; one thing at a time. */
function on(button, event, act) {
  button.addEventListener(event, async () => {
    if (busy) return;
    busy = true;
    warning = "";
    redraw();
    try {
      await act();
    } catch (error) {
      warning = error instanceof SessionError ? `${error.message} (${error.code})` : String(error);
      if (!(error instanceof SessionError)) console.error(error);
    } finally {
      busy = false;
      redraw();
    }
  });
}

async function restart() {
  await recorder.leave();
  transcript.clear();
  page.downloads.replaceChildren();
  recorder = newRecorder();
}

on(page.record, "click", async () => {
  await restart();
  await recorder.record();
});
on(page.file, "change", async () => {
  const [file] = page.file.files;
  page.file.value = "";
  if (!file) return;
  await restart();
  await recorder.transcribe(file);
});
on(page.pause, "click", () => recorder.pause());
on(page.resume, "click", () => recorder.resume());
on(page.stop, "click", () => recorder.stop());
on(page.renew, "click", restart);
on(page.reconnect, "click", () => recorder.session.connect());
on(page.send_file, "click", () => recorder.sendKept());
on(page.refresh, "click", () => history.refresh());
addEventListener("unauthorized", () => {
  page.access.hidden = false;
});
page.access.addEventListener("submit", (event) => {
  event.preventDefault();
  keepApiKey(page.api_key.value.trim());
  page.api_key.value = "";
  page.access.hidden = true;
  void history.refresh();
});
addEventListener("online", () => recorder.session?.retrying && recorder.session.connect());
addEventListener("beforeunload", (event) => {
  if (recorder.live || (recorder.sendable && recorder.state !== "completed")) event.preventDefault();
});

draw();
void history.refresh();
