// The time axis of a voice session: zoomed and scrolled by keyboard and mouse, bound to the recording, and brought up to
// date while the session lasts, only while the page is looked at.
const root = document.querySelector("[data-session]");
const ZOOMS = [1, 2, 4, 8, 16, 32];
const EVERY = 1500; // milliseconds
const SLOWEST = 15000;
const AFTERWARDS = 4000; // what the last words used is metered a moment after the end

if (root) begin();

function begin() {
  const scroll = root.querySelector("[data-scroll]");
  const zoomed = root.querySelector("[data-zoomed]");
  const audio = root.querySelector("[data-audio]");
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  let zoom = 1;

  // --- zoom ---------------------------------------------------------------------------------------------------------

  function setZoom(wanted) {
    const next = Math.min(Math.max(wanted, ZOOMS[0]), ZOOMS.at(-1));
    // What stands in the middle stays there.
    const middle = (scroll.scrollLeft + scroll.clientWidth / 2) / scroll.scrollWidth;
    zoom = next;
    scroll.dataset.zoom = zoom;
    zoomed.textContent = `${zoom}×`;
    scroll.scrollLeft = middle * scroll.scrollWidth - scroll.clientWidth / 2;
  }

  root.querySelector("[data-zooms]").hidden = false;
  for (const button of root.querySelectorAll("[data-zoom]")) {
    if (button.tagName === "BUTTON") button.addEventListener("click", () => setZoom(button.dataset.zoom === "in" ? zoom * 2 : zoom / 2));
  }
  scroll.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "+" || event.key === "=") setZoom(zoom * 2);
    else if (event.key === "-") setZoom(zoom / 2);
    else if (event.key === "Home") scroll.scrollLeft = 0;
    else if (event.key === "End") scroll.scrollLeft = scroll.scrollWidth;
    else return;
    event.preventDefault();
  });

  // --- the recording ------------------------------------------------------------------------------------------------

  function showPlayhead() {
    const svg = root.querySelector("[data-length]");
    const head = root.querySelector("[data-playhead]");
    if (!audio || !svg || !head) return;
    const at = `${Math.min((audio.currentTime * 100_000) / Number(svg.dataset.length), 100)}%`;
    head.setAttribute("x1", at);
    head.setAttribute("x2", at);
    head.setAttribute("visibility", audio.currentTime || !audio.paused ? "visible" : "hidden");
  }

  audio?.addEventListener("timeupdate", showPlayhead);
  audio?.addEventListener("seeked", showPlayhead);
  audio?.addEventListener("error", () => (root.querySelector("[data-audio-trouble]").hidden = false));

  scroll.addEventListener("click", (event) => {
    const svg = root.querySelector("[data-length]");
    const box = svg?.getBoundingClientRect();
    if (audio && box?.width && Number.isFinite(audio.duration)) {
      audio.currentTime = Math.min((((event.clientX - box.left) / box.width) * Number(svg.dataset.length)) / 1000, audio.duration);
    }
    const row = document.getElementById(`e-${event.target.closest?.("[data-entry]")?.dataset.entry}`);
    if (!row) return;
    row.closest("details").open = true;
    if (!audio) row.focus();
  });

  // --- while it lasts -----------------------------------------------------------------------------------------------

  let wait = EVERY;
  let timer = 0;
  let isOver = !part("about").hasAttribute("data-live");

  function replace(markup) {
    const fresh = new DOMParser().parseFromString(markup, "text/html");
    const isAtEnd = scroll.scrollLeft + scroll.clientWidth >= scroll.scrollWidth - 4;
    for (const made of fresh.querySelectorAll("[data-part]")) {
      const place = part(made.dataset.part);
      if (!place) continue;
      place.replaceChildren(...made.childNodes);
      if (made.dataset.version) place.dataset.version = made.dataset.version;
      if (made.dataset.part === "about") place.toggleAttribute("data-live", made.hasAttribute("data-live"));
    }
    root.querySelector("[data-axis-frame]").hidden = fresh.querySelector("[data-axis-frame]").hidden;
    if (isAtEnd) scroll.scrollLeft = scroll.scrollWidth;
    showPlayhead();
  }

  function say(sentence) {
    const place = root.querySelector("[data-following]");
    if (place && place.textContent !== sentence) place.textContent = sentence;
  }

  async function ask() {
    clearTimeout(timer);
    if (document.hidden) return;
    try {
      const query = new URLSearchParams({ seen: isOver ? "" : part("about").dataset.version });
      const answer = await fetch(`${root.dataset.axis}?${query}`, { redirect: "error" });
      if (!answer.ok) throw new Error(answer.status);
      if (answer.status !== 204) replace(await answer.text());
      say("This page follows it.");
      wait = EVERY;
    } catch {
      wait = Math.min(wait * 2, SLOWEST);
      say("The connection was lost. Trying again.");
    }
    if (isOver) return;
    if (!part("about").hasAttribute("data-live")) {
      isOver = true;
      timer = setTimeout(ask, AFTERWARDS);
      return;
    }
    timer = setTimeout(ask, wait);
  }

  if (!isOver) {
    document.addEventListener("visibilitychange", () => (document.hidden || isOver ? clearTimeout(timer) : ask()));
    timer = setTimeout(ask, wait);
  }
}
