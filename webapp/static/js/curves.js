// Live learning curves: fetched again every two seconds while the run is open; smoothed here, without the server.
"use strict";

const curves = {
  element: null,
  figure: null,
  distances: null,

  // Exponential moving average with bias correction; `weight` is the share of the past, 0…1.
  smoothed(values, weight) {
    let average = 0;
    return values.map((value, index) => {
      average = weight * average + (1 - weight) * value;
      return average / (1 - weight ** (index + 1));
    });
  },

  // A figure in the element, what is told as it goes smoothed; without any line the element hides.
  show(element, figure) {
    const weight = Number(document.getElementById("curve-smoothing").value);
    const data = figure.data.map((trace) => (trace.opacity < 1 ? { ...trace, y: this.smoothed(trace.y, weight) } : trace));
    document.getElementById(`${element.id}-data`).textContent = JSON.stringify({ ...figure, data });
    element.hidden = data.length === 0;
    if (element.hidden) return;
    element.dataset.chart = `${element.id}-data`; // from now on the theme switch redraws it too
    drawChart(element);
  },

  draw() {
    document.getElementById("curves-empty").hidden = this.figure.data.length > 0;
    document.getElementById("distances-card").hidden = this.distances.data.length === 0;
    this.show(this.element, this.figure);
    this.show(document.getElementById("distances"), this.distances);
  },

  async follow() {
    clearTimeout(this.timer);
    const axis = document.getElementById("curve-axis").value;
    const answer = await fetch(`${this.element.dataset.curves}?axis=${axis}`).catch(() => null);
    if (answer?.ok) {
      const { figure, distances, is_live: isLive } = await answer.json();
      Object.assign(this, { figure, distances });
      this.draw();
      if (!isLive) return;
    }
    this.timer = setTimeout(() => this.follow(), 2000);
  },

  start(element) {
    this.element = element;
    for (const chart of [element, document.getElementById("distances")]) {
      chart.after(Object.assign(document.createElement("script"), { type: "application/json", id: `${chart.id}-data` }));
    }
    document.getElementById("curve-smoothing").addEventListener("input", () => this.figure && this.draw());
    document.getElementById("curve-axis").addEventListener("change", () => this.follow());
    this.follow();
  },
};

document.addEventListener("DOMContentLoaded", () => curves.start(document.getElementById("curves")));
