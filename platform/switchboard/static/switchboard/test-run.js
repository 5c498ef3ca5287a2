// Follows a run of tests. Asks once a second, only while it runs and the page is looked at; shows the results at its end.
const root = document.querySelector("[data-run]");
const EVERY = 1000; // milliseconds
const SLOWEST = 15000;
let wait = EVERY;
let timer = 0;

function show(state) {
  const label = root.querySelector("[data-run-label]");
  label.textContent = state.label;
  label.className = `sb-badge ${state.style}`;
  root.querySelector("[data-run-done]").textContent = state.done;
  const bar = root.querySelector("[data-run-bar]");
  bar.setAttribute("aria-valuenow", state.progress);
  bar.firstElementChild.style.width = `${state.progress}%`;
  for (const result of state.results) {
    const badge = root.querySelector(`[data-result="${CSS.escape(result.id)}"]`);
    if (!badge) continue;
    badge.textContent = result.label;
    badge.className = `sb-badge ${result.style}`;
  }
}

async function ask() {
  if (document.hidden) return;
  try {
    const answer = await fetch(root.dataset.run, { headers: { Accept: "application/json" }, redirect: "error" });
    if (!answer.ok) throw new Error(answer.status);
    const state = await answer.json();
    show(state);
    if (state.settled) return location.reload();
    wait = EVERY;
  } catch {
    wait = Math.min(wait * 2, SLOWEST);
  }
  next();
}

function next() {
  clearTimeout(timer);
  if (!document.hidden) timer = setTimeout(ask, wait);
}

if (root) {
  document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : ask()));
  next();
}
