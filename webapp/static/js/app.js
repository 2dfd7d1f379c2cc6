// The live parts every page shares: theme switch, charts, hover previews, variant fieldsets, confirmation.
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

// On a phone the names of classes leave room for their bars; what stands in brackets at their end stays.
const NARROW = 520;
const SHORT = 18;
const TOOLBAR = 26;

function shortLabels(axis, names) {
  if (axis?.type !== "category" || axis.dtick !== 1) return axis;
  const shorten = (name) => (name.length <= SHORT || name.includes("&") ? name : name.replace(/^(.*?)( \(\d+\))?$/, (_, text, count = "") => `${text.slice(0, SHORT - 1)}…${count}`));
  return { ...axis, tickvals: names, ticktext: names.map(shorten) };
}

// An axis's title keeps off the names beside it.
function withRoom(axis) {
  return axis.title?.text ? { ...axis, title: { standoff: 12, ...axis.title } } : axis;
}

// <div data-chart="ID of a json_script with a Plotly figure" [data-link="meta"]>; a point's customdata.href opens on click.
function drawChart(element) {
  const figure = JSON.parse(document.getElementById(element.dataset.chart).textContent);
  const style = getComputedStyle(document.documentElement);
  const color = (name) => style.getPropertyValue(name).trim();
  const axis = { gridcolor: color("--line"), zerolinecolor: color("--line"), linecolor: color("--line"), automargin: true };
  const layout = { ...figure.layout, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { color: color("--text"), family: style.fontFamily, size: 12 } };
  for (const name of Object.keys(layout).filter((key) => /^[xy]axis\d*$/.test(key)).concat("xaxis", "yaxis")) layout[name] = withRoom({ ...axis, ...layout[name] });
  if (element.clientWidth < NARROW) {
    layout.xaxis = { ...shortLabels(layout.xaxis, figure.data[0]?.x), tickangle: layout.xaxis.type === "category" ? -90 : 0 };
    layout.yaxis = shortLabels(layout.yaxis, layout.yaxis.categoryarray ?? figure.data[0]?.y);
  }
  const data = figure.data.map((trace) => (trace.texttemplate ? { ...trace, textfont: { color: color("--text") } } : trace));
  layout.hoverlabel = { bgcolor: color("--surface"), bordercolor: color("--line"), font: { color: color("--text") } };
  if (layout.margin?.t !== undefined) { // a strip above the plot for the toolbar
    layout.margin = { ...layout.margin, t: layout.margin.t + TOOLBAR };
    layout.height = layout.height && layout.height + TOOLBAR;
  }
  layout.modebar = { bgcolor: "rgba(0,0,0,0)", color: color("--muted"), activecolor: color("--accent") };
  const options = { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["sendChartToCloud", "lasso2d", "select2d", "autoScale2d"], toImageButtonOptions: { format: "svg" } };
  Plotly.react(element, data, layout, options);
  if (!element.dataset.bound) {
    element.dataset.bound = "true";
    element.on("plotly_click", ({ points }) => {
      const href = points[0]?.customdata?.href ?? points[0]?.customdata;
      if (typeof href === "string" && href.startsWith("/")) location.href = href;
    });
    bindLines(element);
  }
}

// layout.meta.lines {label of the y axis: address}: its whole line opens on a click, since a bar of zero can't be hit.
function bindLines(element) {
  const lineAt = (event) => {
    const { yaxis } = element._fullLayout;
    const names = yaxis._categories ?? [];
    const place = Math.round(yaxis.p2c(event.clientY - element.getBoundingClientRect().top - yaxis._offset));
    const isElsewhere = event.target.closest(".modebar, .legend") || element._hoverdata?.length; // a bar has an address of its own
    return isElsewhere ? undefined : element.layout.meta?.lines?.[names[place]];
  };
  element.addEventListener("mousemove", (event) => element.classList.toggle("on-line", Boolean(lineAt(event))));
  element.addEventListener("click", (event) => {
    const href = lineAt(event);
    if (href) location.href = href;
  });
}

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

document.addEventListener("DOMContentLoaded", () => {
  enliven(document);
  document.querySelector("[aria-invalid=true]")?.focus(); // a refused form begins at its first mistake
});
document.addEventListener("htmx:afterSwap", (event) => enliven(event.detail.elt.parentElement || event.detail.elt));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => document.querySelectorAll("[data-chart]").forEach(drawChart));
