// Pages of results: a cell of a confusion matrix is told above it, and opens its videos on a click; filters apply as they change.
"use strict";

// The figure's layout.meta holds {cells: address, order: class index of each row and column, names of both, totals: videos of each row's class, told: {none, right, wrong}}.
function bindCells(element) {
  if (element.dataset.cellsBound || !element.on) return;
  element.dataset.cellsBound = "true";
  element.on("plotly_click", ({ points: [cell] }) => {
    const { cells, order } = element.layout.meta;
    const [row, column] = cell.pointIndex;
    location.href = `${cells}?true=${order[row]}&predicted=${order[column]}`;
  });
  const line = Object.assign(document.createElement("p"), { className: "small told" });
  const tell = (text) => { line.textContent = text; };
  tell(element.layout.meta.told.none);
  element.before(line);
  element.on("plotly_hover", ({ points: [cell] }) => tell(wordsOf(cell, element.layout.meta)));
  element.on("plotly_unhover", () => tell(element.layout.meta.told.none));
}

function wordsOf({ pointIndex: [row, column], data }, { names, totals, told }) {
  const [count, total] = [data.customdata[row][column], totals[row]];
  const share = total ? `${Math.round((100 * count) / total)}\u00a0%` : "–";
  const values = { true: names[row], predicted: names[column], count, total, share };
  return told[row === column ? "right" : "wrong"].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

const bindAllCells = () => document.querySelectorAll("[data-cells]").forEach(bindCells);
addEventListener("load", bindAllCells); // the charts are drawn by then
document.addEventListener("htmx:afterSettle", bindAllCells);

document.addEventListener("change", (event) => {
  event.target.closest("form[data-submit-on-change]")?.requestSubmit();
});
