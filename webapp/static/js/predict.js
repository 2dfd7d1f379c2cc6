// Judging a prediction by keyboard: 1 to 5 choose one of the guesses, Enter accepts what is chosen.
"use strict";

function choose(select, guess) {
  const option = [...select.options].find(({ text }) => text === guess);
  if (!option) return false;
  select.value = option.value;
  nameButton(select);
  return true;
}

// Another label than the best guess is a correction.
function nameButton(select) {
  const button = select.form.querySelector("[data-correct]");
  const isBest = select.selectedOptions[0]?.text === document.querySelector("[data-guess]")?.dataset.guess;
  if (button) button.textContent = isBest ? button.dataset.accept : button.dataset.correct;
}

document.addEventListener("change", ({ target }) => {
  if (target.closest("[data-judge] select")) nameButton(target);
});

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
