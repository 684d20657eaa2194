// What makes hands faster; every page works without it.
"use strict";

// On a narrow screen the navigation scrolls: show where one is.
document.querySelector(".nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

// Keys: j and k move, Enter opens, x chooses, a and r go on to the decision, ? helps.
(() => {
  const off = document.body.dataset.keys === "off";
  const help = document.getElementById("keys-help");
  const typing = (target) => target.closest("input:not([type=checkbox]), textarea, select, dialog[open], [contenteditable]");
  const rows = () => [...document.querySelectorAll("[data-row]")];
  const box = (row) => row && row.querySelector('input[type="checkbox"]');
  let at = -1;

  const choose = (step) => {
    const all = rows();
    if (!all.length) return;
    at = Math.max(0, Math.min(all.length - 1, at + step));
    all.forEach((row, i) => row.classList.toggle("chosen", i === at));
    all[at].querySelector("th a, a").focus();
  };

  const tick = () => {
    const mark = box(rows()[at]);
    if (mark) mark.checked = !mark.checked;
  };

  // On the queue the chosen rows go to the preview; on a change, to the reason.
  const decide = (verb) => {
    const batch = document.querySelector(`#batch button[value="${verb}"]`);
    const button = document.querySelector(`.decide button[value="${verb}"]`);
    const comment = document.querySelector(".decide textarea");
    if (batch) {
      const here = box(rows()[at]);
      if (here && !document.querySelector("#batch input:checked")) here.checked = true;
      if (document.querySelector("#batch input:checked")) batch.click();
    } else if (button && comment) {
      (comment.value ? button : comment).focus();
    }
  };

  const search = () => {
    const field = document.querySelector('[role="search"] input');
    if (field) field.focus();
  };

  const acts = {
    j: () => choose(1),
    k: () => choose(-1),
    x: tick,
    a: () => decide("approve"),
    r: () => decide("reject"),
    "/": search,
    "?": () => help && help.showModal(),
  };

  document.addEventListener("keydown", (event) => {
    if (off || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    const act = acts[event.key];
    if (act) { event.preventDefault(); act(); }
  });

  const opener = document.getElementById("keys-open");
  if (opener && help && !off) {
    opener.hidden = false;
    opener.addEventListener("click", () => help.showModal());
  }

  const reveal = () => document.querySelectorAll("#choose-page, [data-pause]").forEach((part) => { part.hidden = false; });
  document.addEventListener("change", (event) => {
    if (event.target.id !== "choose-page") return;
    rows().forEach((row) => { const mark = box(row); if (mark) mark.checked = event.target.checked; });
  });
  document.addEventListener("htmx:afterSettle", () => { at = -1; reveal(); });
  reveal();
})();

// Live parts: they wait while the pointer or the focus is in them, and stop when told to.
(() => {
  let paused = false;
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-pause]");
    if (!button) return;
    paused = !paused;
    button.textContent = paused ? "Go on with live updates" : "Pause live updates";
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (paused && event.target.dataset.live !== undefined) event.preventDefault();
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    const part = event.target;
    if (part.dataset.still !== undefined && (part.matches(":hover") || part.contains(document.activeElement)))
      event.detail.shouldSwap = false;
  });

  // Search as one types: from two letters on, and what is not set is not in the address.
  document.addEventListener("htmx:configRequest", (event) => {
    if (event.target.getAttribute("role") !== "search") return;
    const { parameters, triggeringEvent } = event.detail;
    const typed = triggeringEvent && triggeringEvent.target.name === "q" && triggeringEvent.type === "input";
    const unfolds = triggeringEvent && triggeringEvent.target.id === "more-filters";
    if (unfolds || (typed && triggeringEvent.target.value.trim().length === 1)) event.preventDefault();
    Object.keys(parameters).filter((key) => !parameters[key]).forEach((key) => { delete parameters[key]; });
  });
})();
