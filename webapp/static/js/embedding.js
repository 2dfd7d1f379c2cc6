// The map of embeddings: the video pointed at plays beside it, a click leads to its nearest neighbours.
"use strict";

// The figure's layout.meta.addresses hold {poster, proxy, neighbours} with 0 in the place of a video's id, which is a point's customdata.
function bindMap(chart) {
  if (chart.dataset.mapBound || !chart.on) return;
  chart.dataset.mapBound = "true";
  const addresses = JSON.parse(document.getElementById(chart.dataset.chart).textContent).layout.meta.addresses;
  const of = (what, id) => addresses[what].replace(/\/0(?=\/|$)/, `/${id}`);
  const shown = chart.parentElement.querySelector(".pointed");
  chart.on("plotly_hover", ({ points: [point] }) => showClip(shown, of("poster", point.customdata), of("proxy", point.customdata), point.text));
  chart.on("plotly_click", ({ points: [point] }) => { location.href = of("neighbours", point.customdata); });
}

// The last video pointed at stays, so that the pointer may leave the map to look at it.
function showClip(shown, poster, proxy, text) {
  const figure = shown.querySelector("figure");
  if (figure.dataset.clip === proxy) return;
  figure.dataset.clip = proxy;
  Object.assign(figure.querySelector("img"), { src: poster, hidden: false });
  figure.querySelector("video")?.remove();
  figure.append(Object.assign(document.createElement("video"), { src: proxy, muted: true, loop: true, autoplay: true, playsInline: true }));
  shown.querySelector("[data-told]").replaceChildren(...text.split("<br>").flatMap((line, number) => (number ? [document.createElement("br"), unescaped(line)] : [unescaped(line)])));
}

// What Plotly takes for markup was escaped for it.
const unescaped = (text) => new DOMParser().parseFromString(text, "text/html").body.textContent;

const bindMaps = () => document.querySelectorAll("[data-embedding]").forEach(bindMap);
addEventListener("load", bindMaps); // the charts are drawn by then
document.addEventListener("htmx:afterSettle", bindMaps);
