// Live learning curves: fetched again every two seconds while the run is open; smoothed here, without the server.
"use strict";

const curves = {
  element: null,
  figure: null,

  // Exponential moving average with bias correction; `weight` is the share of the past, 0…1.
  smoothed(values, weight) {
    let average = 0;
    return values.map((value, index) => {
      average = weight * average + (1 - weight) * value;
      return average / (1 - weight ** (index + 1));
    });
  },

  draw() {
    const weight = Number(document.getElementById("curve-smoothing").value);
    const data = this.figure.data.map((trace) => (trace.opacity < 1 ? { ...trace, y: this.smoothed(trace.y, weight) } : trace));
    document.getElementById("curves-data").textContent = JSON.stringify({ ...this.figure, data });
    document.getElementById("curves-empty").hidden = data.length > 0;
    this.element.hidden = data.length === 0;
    if (data.length === 0) return;
    this.element.dataset.chart = "curves-data"; // from now on the theme switch redraws it too
    drawChart(this.element);
  },

  async follow() {
    clearTimeout(this.timer);
    const axis = document.getElementById("curve-axis").value;
    const answer = await fetch(`${this.element.dataset.curves}?axis=${axis}`).catch(() => null);
    if (answer?.ok) {
      const { figure, is_live: isLive } = await answer.json();
      this.figure = figure;
      this.draw();
      if (!isLive) return;
    }
    this.timer = setTimeout(() => this.follow(), 2000);
  },

  start(element) {
    this.element = element;
    const store = Object.assign(document.createElement("script"), { type: "application/json", id: "curves-data" });
    element.after(store);
    document.getElementById("curve-smoothing").addEventListener("input", () => this.figure && this.draw());
    document.getElementById("curve-axis").addEventListener("change", () => this.follow());
    this.follow();
  },
};

document.addEventListener("DOMContentLoaded", () => curves.start(document.getElementById("curves")));
