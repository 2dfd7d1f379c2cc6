// The video page: flow plays in step with RGB, and keys move on, play and relabel.
"use strict";

const SLACK_SECONDS = 0.05;

// The RGB player leads; the flow follows its play, pause, seek and speed.
function playTogether(players) {
  const [rgb, flow] = ["rgb", "flow"].map((name) => players.querySelector(`[data-player=${name}]`));
  if (!rgb || !flow) return;
  const align = () => {
    const time = Math.min(rgb.currentTime, flow.duration || rgb.currentTime);
    if (Math.abs(flow.currentTime - time) > SLACK_SECONDS) flow.currentTime = time;
  };
  rgb.addEventListener("play", () => { align(); flow.play().catch(() => null); });
  rgb.addEventListener("pause", () => { flow.pause(); align(); });
  rgb.addEventListener("ratechange", () => { flow.playbackRate = rgb.playbackRate; });
  for (const name of ["seeking", "seeked", "timeupdate"]) rgb.addEventListener(name, align);
}

// A press of the key named in data-key follows the link; L goes to the class, space plays.
function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea, button, video")) return;
  const link = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  const rgb = document.querySelector("[data-player=rgb]");
  if (link) link.click();
  else if (event.key.toLowerCase() === "l") document.querySelector("select[name=label]")?.focus();
  else if (event.key === " " && rgb) rgb.paused ? rgb.play() : rgb.pause();
  else return;
  event.preventDefault();
}

document.addEventListener("keydown", pressed);
document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("[data-players]").forEach(playTogether));
