// Uploads in chunks that survive a cut, a reload and a closed lid. The server's offset is the truth; a file is never read whole.
//
// <form data-upload-form data-uploads="address to open uploads at" data-text-…="words"> with <input type="file" multiple> and a .drop around it.
// When all files are through, their ids go into hidden fields `uploads` and the form is sent without the files.
"use strict";

const RETRY_MS = [1000, 2000, 4000, 8000, 15000, 30000];
const token = () => JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];
const rest = (ms) => new Promise((wake) => setTimeout(wake, ms));

class Refused extends Error {}

async function ask(address, options = {}) {
  const headers = { "X-CSRFToken": token(), ...options.headers };
  const response = await fetch(address, { credentials: "same-origin", ...options, headers });
  if (response.redirected || response.status === 403) throw new Refused(document.querySelector("[data-text-ended]").dataset.textEnded); // to the login
  if (response.status >= 500 || response.status === 429) throw new TypeError(`server answered ${response.status}`);
  return response;
}

async function words(response) {
  const body = await response.json().catch(() => ({}));
  return [body.message, body.advice].filter(Boolean).join(" ") || `${response.status} ${response.statusText}`;
}

function sizeText(bytes) {
  const units = ["B", "KB", "MB", "GB", "TB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  return `${(bytes / 1000 ** power).toFixed(power ? 1 : 0)} ${units[power]}`;
}

function timeText(seconds) {
  if (!Number.isFinite(seconds)) return "–";
  const s = Math.ceil(seconds);
  return s >= 3600 ? `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min` : s >= 60 ? `${Math.floor(s / 60)} min ${s % 60} s` : `${s} s`;
}

// One file on its way. `onChange` is called whenever something worth showing has changed.
class FileUpload {
  constructor(file, address, onChange) {
    Object.assign(this, { file, address, onChange, offset: 0, state: "waiting", problem: "", isPaused: false, marks: [] });
    this.memory = `upload:${file.name}:${file.size}:${file.lastModified}`;
  }

  show(state, problem = "") {
    this.state = state;
    this.problem = problem;
    this.onChange(this);
  }

  // Opens the upload, or finds the one that an earlier visit began.
  async open() {
    const known = localStorage.getItem(this.memory);
    if (known) {
      const response = await ask(known);
      if (response.ok) return this.take(await response.json());
      localStorage.removeItem(this.memory);
    }
    const body = JSON.stringify({ name: this.file.name, size: this.file.size });
    const response = await ask(this.address, { method: "POST", body, headers: { "Content-Type": "application/json" } });
    if (!response.ok) throw new Refused(await words(response));
    this.take(await response.json());
    localStorage.setItem(this.memory, this.url);
  }

  take({ id, url, offset, chunk_bytes: chunkBytes }) {
    Object.assign(this, { id, url, offset, chunkBytes });
    this.marks = [[performance.now(), offset]];
  }

  async send() {
    const chunk = this.file.slice(this.offset, this.offset + this.chunkBytes);
    const headers = { "Upload-Offset": String(this.offset), "Content-Type": "application/offset+octet-stream" };
    this.abort = new AbortController();
    const response = await ask(this.url, { method: "PATCH", body: chunk, headers, signal: this.abort.signal });
    if (response.status === 404) {
      localStorage.removeItem(this.memory);
      this.url = undefined;
      return;
    }
    if (response.status !== 409 && !response.ok) throw new Refused(await words(response));
    if (response.status === 409) await rest(500);
    this.offset = (await response.json()).offset;
    this.marks = [...this.marks.slice(-20), [performance.now(), this.offset]];
    this.onChange(this);
  }

  get bytesPerSecond() {
    const [[begun, first], [now, last]] = [this.marks[0] ?? [0, 0], this.marks.at(-1) ?? [0, 0]];
    return now > begun ? (1000 * (last - first)) / (now - begun) : NaN;
  }

  // Until the last byte is through; a network that is away is asked again, later and later.
  async run() {
    let failures = 0;
    while (!this.id || this.offset < this.file.size) {
      if (this.isPaused) {
        this.show("paused");
        return false;
      }
      try {
        this.show("sending");
        if (!this.url) await this.open();
        else await this.send();
        failures = 0;
      } catch (error) {
        if (error instanceof Refused) {
          this.show("refused", error.message);
          return false;
        }
        if (this.isPaused) continue;
        this.show("retrying");
        await rest(RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)]);
        await this.askOffset();
      }
    }
    localStorage.removeItem(this.memory);
    this.show("done");
    return true;
  }

  async askOffset() {
    if (!this.url) return;
    const response = await ask(this.url).catch(() => null);
    if (response?.ok) this.take(await response.json());
  }

  pause() {
    this.isPaused = true;
    this.abort?.abort();
  }
}

// The list of chosen files, one after the other, and the form that waits for them.
class UploadForm {
  constructor(form) {
    Object.assign(this, { form, input: form.querySelector("input[type=file]"), list: form.querySelector("[data-upload-list]"), uploads: [] });
    this.drop = form.querySelector(".drop");
    form.classList.add("scripted"); // the list below tells what was chosen, so the browser's own words for it hide
    this.input.addEventListener("change", () => this.add(this.input.files));
    form.addEventListener("submit", (event) => this.submit(event));
    for (const name of ["dragenter", "dragover"]) this.drop.addEventListener(name, (event) => this.hover(event, true));
    for (const name of ["dragleave", "drop"]) this.drop.addEventListener(name, (event) => this.hover(event, false));
    this.drop.addEventListener("drop", (event) => this.add(event.dataTransfer.files));
    addEventListener("online", () => this.start());
  }

  hover(event, isOver) {
    event.preventDefault();
    this.drop.classList.toggle("over", isOver);
  }

  add(files) {
    for (const file of files) {
      const upload = new FileUpload(file, this.form.dataset.uploads, (changed) => this.draw(changed));
      upload.row = this.list.appendChild(this.form.querySelector("template").content.firstElementChild.cloneNode(true));
      upload.row.querySelector("[data-name]").textContent = file.name;
      upload.row.querySelector("[data-pause]").addEventListener("click", () => this.toggle(upload));
      upload.row.querySelector("[data-remove]").addEventListener("click", () => this.remove(upload));
      this.uploads.push(upload);
      this.draw(upload);
    }
    this.input.value = "";
    this.start();
  }

  async start() {
    if (this.isBusy) return;
    this.isBusy = true;
    for (let next; (next = this.uploads.find(({ state }) => state === "waiting")); ) await next.run();
    this.isBusy = false;
    this.finish();
  }

  toggle(upload) {
    if (upload.state === "sending" || upload.state === "retrying") return upload.pause();
    upload.isPaused = false;
    upload.show("waiting");
    return this.start();
  }

  remove(upload) {
    upload.pause();
    this.uploads = this.uploads.filter((other) => other !== upload);
    upload.row.remove();
    localStorage.removeItem(upload.memory);
    if (upload.url) ask(upload.url, { method: "DELETE" }).catch(() => null);
  }

  draw(upload) {
    const { row, file, offset, state, problem, bytesPerSecond } = upload;
    const text = this.form.dataset;
    row.dataset.state = state;
    Object.assign(row.querySelector("progress"), { max: file.size || 1, value: offset });
    const pace = state === "sending" && bytesPerSecond > 0 ? ` · ${sizeText(bytesPerSecond)}/s · ${timeText((file.size - offset) / bytesPerSecond)} ${text.textLeft}` : "";
    row.querySelector("[data-status]").textContent = `${sizeText(offset)} / ${sizeText(file.size)}${pace}${state === "retrying" ? ` · ${text.textRetrying}` : ""}${state === "done" ? ` · ${text.textDone}` : ""}`;
    const error = row.querySelector("[data-problem]");
    error.textContent = problem;
    error.hidden = !problem;
    const pause = row.querySelector("[data-pause]");
    pause.hidden = state === "done" || state === "waiting";
    pause.textContent = state === "sending" || state === "retrying" ? text.textPause : text.textContinue;
    this.note();
  }

  // A form that was sent too early says that it waits.
  note() {
    this.form.querySelector("[data-waiting]").hidden = !this.isWaiting || this.uploads.some(({ state }) => state === "refused" || state === "paused");
  }

  submit(event) {
    if (!this.uploads.length) return;
    if (this.uploads.every(({ state }) => state === "done")) return this.fill();
    event.preventDefault();
    this.isWaiting = true;
    this.note();
    this.start();
  }

  finish() {
    if (this.isWaiting && this.uploads.length && this.uploads.every(({ state }) => state === "done")) this.form.requestSubmit();
  }

  fill() {
    this.form.querySelectorAll("input[name=uploads]").forEach((field) => field.remove());
    for (const { id } of this.uploads) this.form.append(Object.assign(document.createElement("input"), { type: "hidden", name: "uploads", value: id }));
  }
}

document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("[data-upload-form]").forEach((form) => new UploadForm(form)));
