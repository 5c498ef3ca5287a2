// The prompt as a model would read it, with example values; variables that nobody declared are offered to be.
import { element } from "./elements.js";

const PLACEHOLDER = /\{\{([^]*?)\}\}/g;
const NAME = /^[a-z][a-z0-9_]{0,59}$/;

/**
 * @param editor the form
 * @param addRow adds a row to a list of the form, with values
 */
export function previewPrompt(editor, addRow) {
  const place = document.querySelector("[data-preview]");
  const rendered = place.querySelector("[data-rendered]");
  const examples = place.querySelector("[data-examples]");
  const offers = place.querySelector("[data-undeclared]");
  const box = editor.querySelector("[data-prompt]");
  const variables = editor.querySelector('[data-rows="variables"]');
  const builtIn = Object.keys(JSON.parse(document.getElementById("built-in").textContent));
  const count = editor.querySelector(`[data-count-of="${box.id}"]`);
  const given = new Map(builtIn.map((name) => [name, exampleOf(name)]));
  let shown = "";

  const declared = () =>
    [...variables.querySelectorAll("[data-row-list] > .sb-repeated")].map((row) => ({
      name: row.querySelector('[name$=".name"]').value.trim(),
      value: row.querySelector('[name$=".default"]').value,
      about: row.querySelector('[name$=".description"]').value,
    }));

  function exampleOf(name) {
    if (name === "today") return new Date().toISOString().slice(0, 10);
    if (name === "agent_name") return document.getElementById("id_name").value || "Marina";
    return name === "tenant_name" ? place.dataset.company || "Your company" : "";
  }

  function draw() {
    const known = declared().filter((variable) => variable.name);
    const names = new Set([...builtIn, ...known.map((variable) => variable.name)]);
    drawExamples(known);
    const values = new Map(known.map(({ name, value }) => [name, given.get(name) || value]));
    builtIn.forEach((name) => values.set(name, given.get(name)));
    const missing = new Set();
    const pieces = [];
    let at = 0;
    for (const match of box.value.matchAll(PLACEHOLDER)) {
      const name = match[1].trim();
      pieces.push(box.value.slice(at, match.index));
      at = match.index + match[0].length;
      if (!names.has(name)) {
        missing.add(name);
        pieces.push(element("mark", "sb-unknown", match[0]));
      } else pieces.push(element("mark", "sb-filled", values.get(name) || match[0]));
    }
    pieces.push(box.value.slice(at));
    rendered.replaceChildren(...pieces);
    if (!box.value.trim()) rendered.replaceChildren(element("span", "sb-soft", "Nothing written yet."));
    if (count) count.textContent = `${box.value.length.toLocaleString()} characters`;
    drawOffers([...missing]);
  }

  function drawExamples(known) {
    const wanted = known.map((variable) => variable.name).join("\n");
    if (wanted === shown) return;
    shown = wanted;
    examples.replaceChildren(
      ...known.map(({ name, about, value }) => {
        const input = element("input", "sb-input");
        input.type = "text";
        input.id = `example-${name}`;
        input.value = given.get(name) ?? "";
        input.placeholder = value || about || "an example";
        input.addEventListener("input", (event) => {
          event.stopPropagation();
          given.set(name, input.value);
          draw();
        });
        const label = element("label", "sb-mono", name);
        label.htmlFor = input.id;
        return element("div", "sb-example", label, input);
      }),
    );
  }

  function drawOffers(missing) {
    const now = missing.join("\n");
    if (offers.dataset.shown === now) return;
    offers.dataset.shown = now;
    offers.hidden = !missing.length;
    offers.className = "sb-note sb-note-busy sb-flush";
    offers.replaceChildren(
      element("p", "", missing.length === 1 ? "One variable is used but not declared:" : `${missing.length} variables are used but not declared:`),
      ...missing.map((name) => {
        if (!NAME.test(name)) return element("p", "", element("code", "", `{{ ${name} }}`), " can't be a name: use lower-case letters, digits and underscores.");
        const button = element("button", "sb-button sb-small", "Declare ", element("code", "", name));
        button.type = "button";
        button.addEventListener("click", () => {
          addRow(variables, { name });
          editor.dispatchEvent(new Event("input", { bubbles: true }));
          box.focus();
        });
        return button;
      }),
    );
  }

  // What is being written stays in sight.
  box.addEventListener("scroll", () => {
    const share = box.scrollTop / Math.max(1, box.scrollHeight - box.clientHeight);
    rendered.scrollTop = share * (rendered.scrollHeight - rendered.clientHeight);
  });
  editor.addEventListener("input", draw);
  draw();
}
