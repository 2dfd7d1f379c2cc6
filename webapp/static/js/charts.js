// Figures of the server drawn by Plotly, in the colours of the theme and for the width that there is.
"use strict";

// On a phone the names of classes leave room for their bars; what stands in brackets at their end stays.
const NARROW = 520;
const SHORT = 18;

function shortLabels(axis, names) {
  if (axis?.type !== "category" || axis.dtick !== 1) return axis;
  const shorten = (name) => (name.length <= SHORT || name.includes("&") ? name : name.replace(/^(.*?)( \(\d+\))?$/, (_, text, count = "") => `${text.slice(0, SHORT - 1)}…${count}`));
  return { ...axis, tickvals: names, ticktext: names.map(shorten) };
}

// An axis's title keeps off the names beside it.
function withRoom(axis) {
  return axis.title?.text ? { ...axis, title: { standoff: 12, ...axis.title } } : axis;
}

const themed = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// What is written in cells, and whiskers, have the colour of text.
function inColors(trace) {
  const color = themed("--text");
  return {
    ...trace,
    ...(trace.texttemplate && { textfont: { color } }),
    ...(trace.error_x && { error_x: { ...trace.error_x, color } }),
  };
}

function layoutFor(element, figure) {
  const axis = { gridcolor: themed("--line"), zerolinecolor: themed("--line"), linecolor: themed("--line"), automargin: true };
  const font = { color: themed("--text"), family: getComputedStyle(document.documentElement).fontFamily, size: 12 };
  const layout = { ...figure.layout, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font };
  for (const name of Object.keys(layout).filter((key) => /^[xy]axis\d*$/.test(key)).concat("xaxis", "yaxis")) layout[name] = withRoom({ ...axis, ...layout[name] });
  if (element.clientWidth < NARROW) {
    layout.xaxis = { ...shortLabels(layout.xaxis, figure.data[0]?.x), tickangle: layout.xaxis.type === "category" ? -90 : 0 };
    layout.yaxis = shortLabels(layout.yaxis, layout.yaxis.categoryarray ?? figure.data[0]?.y);
  }
  layout.hoverlabel = { bgcolor: themed("--surface"), bordercolor: themed("--line"), font: { color: font.color } };
  layout.modebar = { bgcolor: "rgba(0,0,0,0)", color: themed("--muted"), activecolor: themed("--accent") };
  return layout;
}

// <div data-chart="ID of a json_script with a Plotly figure">; a point's customdata.href opens on a click.
function drawChart(element) {
  const figure = JSON.parse(document.getElementById(element.dataset.chart).textContent);
  const options = { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["sendChartToCloud", "lasso2d", "select2d", "autoScale2d"], toImageButtonOptions: { format: "svg" } };
  Plotly.react(element, figure.data.map(inColors), layoutFor(element, figure), options).then(fitCells);
  if (!element.dataset.bound) {
    element.dataset.bound = "true";
    bindPoints(element);
    bindLines(element);
  }
}

// Numbers in cells go without their unit where it has no room, and are left out where they have none themselves.
function fitCells(element) {
  const [trace] = element.data;
  if (!trace?.texttemplate) return;
  const ruler = document.createElement("canvas").getContext("2d");
  ruler.font = `12px ${element._fullLayout.font.family}`;
  const room = element._fullLayout.xaxis._length / trace.x.length;
  const fits = (rows) => rows.flat().every((text) => ruler.measureText(text).width < room);
  const bare = trace.text.map((row) => row.map((text) => text.replace("%", "")));
  if (!fits(trace.text)) Plotly.restyle(element, fits(bare) ? { text: [bare] } : { texttemplate: null }, [0]);
}

const addressOf = ({ customdata }) => [customdata?.href, customdata].find((href) => typeof href === "string" && href.startsWith("/"));

function bindPoints(element) {
  element.on("plotly_click", ({ points: [point] }) => {
    if (addressOf(point)) location.href = addressOf(point);
  });
  element.on("plotly_hover", ({ points: [point] }) => element.classList.toggle("leads", "cells" in element.dataset || Boolean(addressOf(point))));
  element.on("plotly_unhover", () => element.classList.remove("leads"));
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
