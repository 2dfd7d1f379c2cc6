// The live parts every page shares: theme switch, hover previews, variant fieldsets, confirmation. Charts are drawn by charts.js.
"use strict";

htmx.config.includeIndicatorStyles = false;
htmx.config.allowEval = false;

const isDark = () => (document.documentElement.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-theme-switch]")) {
    document.documentElement.dataset.theme = isDark() ? "light" : "dark";
    localStorage.setItem("theme", document.documentElement.dataset.theme);
    document.querySelectorAll("[data-chart]").forEach(drawChart);
  }
  if (event.target.closest("[data-menu]")) showMenu(!document.body.classList.contains("menu-open"));
});

function showMenu(isOpen) {
  document.body.classList.toggle("menu-open", isOpen);
  document.querySelector("[data-menu]")?.setAttribute("aria-expanded", String(isOpen));
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") showMenu(false);
});

// What has data-confirm="question" asks in the page's dialog before it is sent. data-yes and data-no are its answers;
// without them the button's own words say yes.
document.addEventListener("submit", (event) => {
  const { target: form, submitter } = event;
  const asking = submitter?.dataset.confirm ? submitter.dataset : form.dataset;
  if (!asking.confirm || form.dataset.isConfirmed) return;
  event.preventDefault();
  askFirst(asking.confirm, asking.yes || submitter.textContent.trim(), asking.no, () => {
    form.dataset.isConfirmed = "true";
    form.requestSubmit(submitter);
    delete form.dataset.isConfirmed;
  });
});

function askFirst(question, yes, no, act) {
  const dialog = document.querySelector("[data-asking]");
  dialog.querySelector("[data-question]").textContent = question;
  dialog.querySelector("[value=yes]").textContent = yes;
  const back = dialog.querySelector("[data-back]");
  back.textContent = no || (back.dataset.back ||= back.textContent);
  dialog.returnValue = ""; // what Escape leaves
  dialog.addEventListener("close", () => dialog.returnValue === "yes" && act(), { once: true });
  dialog.showModal();
}

// What is asked about stays as it is until the answer.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (document.querySelector("dialog[open]")) event.preventDefault();
});

// A live part that gets no answer says so; the next answer takes it back.
function showOffline(isOffline) {
  document.querySelectorAll("[data-offline]").forEach((note) => { note.hidden = !isOffline; });
}

document.addEventListener("htmx:sendError", () => showOffline(true));
document.addEventListener("htmx:afterOnLoad", () => showOffline(false));

// A poster with data-preview="address of the proxy" plays while hovered or focused.
function preview(figure) {
  const show = () => {
    if (figure.querySelector("video")) return;
    const video = Object.assign(document.createElement("video"), { src: figure.dataset.preview, muted: true, loop: true, autoplay: true, playsInline: true });
    figure.append(video);
  };
  const hide = () => figure.querySelector("video")?.remove();
  figure.addEventListener("mouseenter", show);
  figure.addEventListener("focusin", show);
  figure.addEventListener("mouseleave", hide);
  figure.addEventListener("focusout", hide);
  if (figure.matches(":hover, :focus-within")) show(); // the pointer was there before the page
}

// <select data-variants> shows the fieldset [data-variant="NAME:VALUE"] of its chosen value and hides the others.
function showVariant(select) {
  for (const fieldset of document.querySelectorAll(`[data-variant^="${CSS.escape(select.name)}:"]`)) {
    const isChosen = fieldset.dataset.variant === `${select.name}:${select.value}`;
    fieldset.hidden = !isChosen;
    fieldset.disabled = !isChosen;
  }
}

function enliven(root) {
  root.querySelectorAll("[data-chart]").forEach(drawChart);
  root.querySelectorAll("[data-preview]").forEach(preview);
  root.querySelectorAll("select[data-variants]").forEach((select) => {
    showVariant(select);
    select.addEventListener("change", () => showVariant(select));
  });
}

// <form data-keeps-forms>, the switch of language, loads the page anew: what was filled in comes back, but for files and passwords.
const formFields = () => [...document.querySelectorAll("#content form[method=post] :is(input, select, textarea)[name]")]
  .filter((field) => !["hidden", "file", "password"].includes(field.type));
const isTicked = (field) => /checkbox|radio/.test(field.type);
const stateOf = (field) => (field.options ? [...field.selectedOptions].map((option) => option.value) : isTicked(field) ? field.checked : field.value);
const pageAddress = () => location.pathname + location.search;

document.addEventListener("submit", ({ target }) => {
  if (!target.matches("[data-keeps-forms]")) return;
  const states = formFields().map((field) => [field.name, stateOf(field)]);
  sessionStorage.setItem("kept-forms", JSON.stringify({ page: pageAddress(), states }));
});

function restore(field, state) {
  if (String(stateOf(field)) === String(state)) return;
  if (field.options) for (const option of field.options) option.selected = state.includes(option.value);
  else field[isTicked(field) ? "checked" : "value"] = state;
  for (const kind of ["input", "change"]) field.dispatchEvent(new Event(kind, { bubbles: true }));
}

function restoreForms() {
  const kept = JSON.parse(sessionStorage.getItem("kept-forms"));
  sessionStorage.removeItem("kept-forms");
  if (kept?.page !== pageAddress()) return;
  formFields().forEach((field, place) => {
    const [name, state] = kept.states[place] ?? [];
    if (name === field.name) restore(field, state);
  });
}

document.addEventListener("DOMContentLoaded", () => {
  enliven(document);
  restoreForms();
  document.querySelector("[aria-invalid=true]")?.focus(); // a refused form begins at its first mistake
});
document.addEventListener("htmx:afterSwap", (event) => enliven(event.detail.elt.parentElement || event.detail.elt));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => document.querySelectorAll("[data-chart]").forEach(drawChart));
