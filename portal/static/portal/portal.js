// What makes hands faster; every page works without it.
"use strict";

// Keys of the queue: j and k move, Enter opens, a and r go to the decision.
(() => {
  const typing = (target) => target.closest("input, textarea, select, [contenteditable]");
  const rows = () => [...document.querySelectorAll("[data-row]")];
  let at = -1;

  const choose = (step) => {
    const all = rows();
    if (!all.length) return;
    at = Math.max(0, Math.min(all.length - 1, at + step));
    all.forEach((row, i) => row.classList.toggle("chosen", i === at));
    all[at].querySelector("a").focus();
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (event.key === "j") choose(1);
    else if (event.key === "k") choose(-1);
    else if (event.key === "/") {
      const search = document.querySelector('[role="search"] input');
      if (search) { event.preventDefault(); search.focus(); }
    } else if (event.key === "a" || event.key === "r") {
      const verb = event.key === "a" ? "approve" : "reject";
      const button = document.querySelector(`.decide button[value="${verb}"]`);
      const comment = document.querySelector(".decide textarea");
      if (button && comment) { event.preventDefault(); (comment.value ? button : comment).focus(); }
    }
  });

  // A refreshed list keeps its chosen row.
  document.addEventListener("htmx:afterSwap", () => {
    const all = rows();
    if (at >= 0 && all[at]) all[at].classList.add("chosen");
  });
})();
