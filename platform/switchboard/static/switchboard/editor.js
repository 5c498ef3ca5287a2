// Editors of registries: rows that come and go, chips, what a kind hides, checks while somebody types, nothing lost.
import { element } from "./elements.js";
import { chips } from "./chips.js";
import { previewPrompt } from "./prompt-preview.js";
import { schemaTable } from "./schema-table.js";
import { composeRelease } from "./compose.js";

const CHECK_AFTER = 350; // milliseconds without a key

const editor = document.querySelector("[data-editor]");
const csrf = document.querySelector("[name=csrfmiddlewaretoken]")?.value;

document.querySelectorAll("[data-chips]").forEach(chips);
document.querySelectorAll("[data-schema]").forEach(schemaTable);
slugs();
sliders();
comparisons();
companions();
const compose = document.querySelector("[data-compose]");
if (compose) composeRelease(compose);
if (editor) edit();

function edit() {
  let leaving = false;
  rows();
  kinds();
  openers();
  if (document.querySelector("[data-preview]")) previewPrompt(editor, addRow);
  const started = contents(); // once all is set up: fields that a kind hides aren't sent
  if (editor.dataset.check) checks();
  editor.addEventListener("submit", () => (leaving = true));
  window.addEventListener("beforeunload", (event) => {
    if (!leaving && contents() !== started) event.preventDefault();
  });
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s") {
      event.preventDefault();
      editor.querySelector("button[value=save]")?.click();
    }
  });
  editor.addEventListener("input", () => {
    const saved = editor.querySelector("[data-saved]");
    if (saved) saved.textContent = contents() === started ? "" : "Not saved yet.";
  });
  document.querySelector("[aria-invalid=true]")?.focus({ preventScroll: false });
}

function contents() {
  return new URLSearchParams(new FormData(editor)).toString();
}

// --- rows -------------------------------------------------------------------------------------------------------------

function addRow(list, values = {}) {
  const place = list.querySelector("[data-row-list]");
  const used = [...list.querySelectorAll("[data-row-list] [name]")].map((field) => Number(field.name.slice(`content.${list.dataset.rows}.`.length).split(".")[0]));
  const index = Math.max(-1, ...used.filter(Number.isFinite)) + 1;
  const shell = document.createElement("div");
  shell.innerHTML = list.querySelector("template").innerHTML.replaceAll("__n__", index);
  const row = shell.firstElementChild;
  for (const [name, value] of Object.entries(values)) row.querySelector(`[name$=".${name}"]`).value = value;
  place.append(row);
  row.querySelectorAll("[data-chips]").forEach(chips);
  return row;
}

function rows() {
  editor.querySelectorAll("[data-rows]").forEach((list) => {
    list.querySelector("[data-add-row]")?.addEventListener("click", () => {
      const row = addRow(list);
      row.querySelector("input, textarea, select").focus();
      changed();
    });
    list.addEventListener("click", (event) => {
      const row = event.target.closest(".sb-repeated");
      if (!row) return;
      if (event.target.closest("[data-row-remove]")) {
        const next = row.nextElementSibling ?? row.previousElementSibling;
        row.remove();
        (next?.querySelector("[data-row-remove]") ?? list.querySelector("[data-add-row]")).focus();
      } else if (event.target.closest("[data-row-up]")) row.previousElementSibling?.before(row);
      else if (event.target.closest("[data-row-down]")) row.nextElementSibling?.after(row);
      else return;
      event.target.closest("button")?.focus();
      changed();
    });
  });
}

function changed() {
  editor.dispatchEvent(new Event("input", { bubbles: true }));
}

// --- what a choice hides ----------------------------------------------------------------------------------------------

function kinds() {
  const kind = editor.querySelector('[name="content.kind"]');
  if (!kind) return;
  const show = () => {
    editor.querySelectorAll("[data-shown-for]").forEach((field) => {
      field.hidden = !field.dataset.shownFor.split(" ").includes(kind.value);
      // What doesn't matter for this kind is not sent with it.
      field.querySelectorAll("input, select, textarea").forEach((control) => (control.disabled = field.hidden));
    });
  };
  kind.addEventListener("change", show);
  show();
}

function openers() {
  editor.querySelectorAll("[data-opens]").forEach((box) => {
    const inner = document.getElementById(box.dataset.opens);
    box.addEventListener("change", () => {
      inner.hidden = !box.checked;
      if (box.checked) inner.querySelector("input, select")?.focus();
    });
  });
}

// --- checks: the server's word, while somebody types ------------------------------------------------------------------

function checks() {
  let timer = 0;
  let round = 0;
  const check = async () => {
    const mine = ++round;
    try {
      const answer = await fetch(editor.dataset.check, { method: "POST", body: new FormData(editor), headers: { "X-CSRFToken": csrf }, credentials: "same-origin", redirect: "error" });
      if (!answer.ok || mine !== round) return;
      show(await answer.json());
    } catch {
      // Without an answer nothing is said; saving says it.
    }
  };
  editor.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(check, CHECK_AFTER);
  });
}

function show({ faults, others }) {
  const numbers = rowNumbers();
  editor.querySelectorAll("[data-fault-for]").forEach((place) => {
    const path = place.dataset.faultFor;
    const told = faults[numbers(path)] ?? [];
    place.replaceChildren(...told.map((fault) => element("p", "sb-error", fault)));
    place.hidden = !told.length;
    const control = editor.querySelector(`[name="${CSS.escape(`content.${path}`)}"]`);
    if (told.length) control?.setAttribute("aria-invalid", "true");
    else control?.removeAttribute("aria-invalid");
  });
  const place = editor.querySelector("[data-others]");
  place.replaceChildren(...others.map((fault) => element("p", "", fault)));
  place.hidden = !others.length;
}

/** The server counts rows in the order of the page; their names keep the numbers they were made with. */
function rowNumbers() {
  const found = new Map();
  editor.querySelectorAll("[data-rows]").forEach((list) => {
    [...list.querySelectorAll("[data-row-list] > .sb-repeated")].forEach((row, index) => {
      const name = row.querySelector("[data-field]")?.dataset.field ?? "";
      const prefix = name.split(".").slice(0, -1).join(".");
      found.set(prefix, `${list.dataset.rows}.${index}`);
    });
  });
  return (path) => {
    const prefix = path.split(".").slice(0, -1).join(".");
    return found.has(prefix) ? `${found.get(prefix)}.${path.split(".").pop()}` : path;
  };
}

// --- small things of other pages --------------------------------------------------------------------------------------

function slugs() {
  const name = document.querySelector("[data-names]");
  const slug = name && document.getElementById(name.dataset.names);
  if (!slug) return;
  let own = Boolean(slug.value);
  slug.addEventListener("input", () => (own = Boolean(slug.value)));
  name.addEventListener("input", () => {
    if (!own) slug.value = name.value.normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 60);
  });
}

function sliders() {
  document.querySelectorAll("[data-slides]").forEach((slider) => {
    const number = document.getElementById(slider.dataset.slides);
    slider.addEventListener("input", () => (number.value = slider.value));
    number.addEventListener("input", () => (slider.value = number.value || 0));
  });
}

function comparisons() {
  document.querySelectorAll("[data-autosubmit]").forEach((form) => {
    form.querySelector("button").hidden = true;
    form.addEventListener("change", () => form.requestSubmit());
  });
}

/** What is only asked once something else is chosen. */
function companions() {
  document.querySelectorAll("[data-shown-with]").forEach((part) => {
    const other = document.getElementById(part.dataset.shownWith);
    const show = () => (part.hidden = !other.value);
    other.addEventListener("change", show);
    show();
  });
}

