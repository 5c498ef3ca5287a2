// Follows documents while they are read. Asks once a second, only while something moves and the page is looked at.
const root = document.querySelector("[data-follow]");
const EVERY = 1000; // milliseconds
const SLOWEST = 15000;
let wait = EVERY;
let timer = 0;

const unsettled = () => [...root.querySelectorAll("[data-unsettled]")];

function show(state) {
  const place = root.querySelector(`[data-document="${CSS.escape(state.id)}"]`);
  if (!place) return;
  place.dataset.status = state.status;
  place.toggleAttribute("data-unsettled", !state.settled);
  place.querySelector("[data-label]").textContent = state.label;
  const bar = place.querySelector(".sb-progress");
  const percent = place.querySelector("[data-percent]");
  bar.hidden = percent.hidden = state.settled;
  bar.setAttribute("aria-valuenow", state.progress);
  bar.firstElementChild.style.width = `${state.progress}%`;
  percent.textContent = `${state.progress} %`;
  const reason = place.querySelector("[data-reason]");
  reason.hidden = !state.reason;
  reason.textContent = state.reason;
  reason.title = state.detail;
  const pages = place.closest("tr")?.querySelector(".field-length");
  if (pages && state.pages) (pages.querySelector("p, span, div") ?? pages).textContent = state.pages;
}

async function ask() {
  const places = unsettled();
  if (!places.length || document.hidden) return;
  const query = new URLSearchParams(places.map((place) => ["id", place.dataset.document]));
  try {
    const answer = await fetch(`${root.dataset.follow}?${query}`, { headers: { Accept: "application/json" }, redirect: "error" });
    if (!answer.ok) throw new Error(answer.status);
    const states = (await answer.json()).documents;
    states.forEach(show);
    // What the answer leaves out was deleted meanwhile.
    const known = new Set(states.map((state) => state.id));
    places.filter((place) => !known.has(place.dataset.document)).forEach((place) => place.removeAttribute("data-unsettled"));
    wait = EVERY;
  } catch {
    wait = Math.min(wait * 2, SLOWEST);
  }
  if (root.hasAttribute("data-reload-when-settled") && !unsettled().length) location.reload();
  else next();
}

function next() {
  clearTimeout(timer);
  if (unsettled().length && !document.hidden) timer = setTimeout(ask, wait);
}

if (root) {
  document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : ask()));
  next();
}
