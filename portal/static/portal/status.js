// Copying by one press; without it the text can be marked and copied by hand.
"use strict";

(() => {
  if (!navigator.clipboard) return;
  const offer = () => document.querySelectorAll("button.copy[hidden]").forEach((button) => { button.hidden = false; });

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button.copy");
    if (!button) return;
    const text = document.getElementById(button.dataset.copy).textContent;
    await navigator.clipboard.writeText(text.trim() + "\n");
    button.classList.add("copied");
    setTimeout(() => button.classList.remove("copied"), 1500);
  });
  document.addEventListener("htmx:afterSettle", offer);
  offer();
})();
