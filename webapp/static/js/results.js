// Pages of results: a click on a cell of a confusion matrix opens its videos; filters apply as they change.
"use strict";

// The figure's layout.meta holds {cells: address, order: class index of each row and column}.
function bindCells(element) {
  if (element.dataset.cellsBound || !element.on) return;
  element.dataset.cellsBound = "true";
  element.on("plotly_click", ({ points: [cell] }) => {
    const { cells, order } = element.layout.meta;
    const [row, column] = cell.pointIndex;
    location.href = `${cells}?true=${order[row]}&predicted=${order[column]}`;
  });
}

const bindAllCells = () => document.querySelectorAll("[data-cells]").forEach(bindCells);
addEventListener("load", bindAllCells); // the charts are drawn by then
document.addEventListener("htmx:afterSettle", bindAllCells);

document.addEventListener("change", (event) => {
  event.target.closest("form[data-submit-on-change]")?.requestSubmit();
});
