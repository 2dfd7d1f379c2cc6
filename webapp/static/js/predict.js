// Judging a prediction by keyboard: 1 to 5 choose one of the guesses, Enter accepts what is chosen.
"use strict";

function choose(select, guess) {
  const option = [...select.options].find(({ text }) => text === guess);
  if (option) select.value = option.value;
  return Boolean(option);
}

document.addEventListener("keydown", (event) => {
  const form = document.querySelector("[data-judge]");
  if (!form || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, a, button, summary, video")) return;
  const select = form.querySelector("select");
  if (event.key === "Enter") {
    event.preventDefault();
    form.requestSubmit();
  }
  const guess = /^[1-5]$/.test(event.key) && document.querySelectorAll("[data-guess]")[event.key - 1]?.dataset.guess;
  if (guess && choose(select, guess)) {
    event.preventDefault();
    select.focus();
  }
});
