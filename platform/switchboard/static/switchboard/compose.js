// A new release: the chosen prompt's variables are asked for as soon as it is chosen.
import { element } from "./elements.js";

export function composeRelease(form) {
  const place = form.querySelector("[data-variables]");
  const prompt = form.querySelector("[name=prompt]");
  const known = JSON.parse(document.getElementById("variables-of").textContent);
  const typed = new Map();

  function draw() {
    const variables = known[prompt.value] ?? [];
    place.hidden = !variables.length;
    place.replaceChildren(
      ...variables.map((variable) => {
        const box = element("textarea", "sb-input");
        box.rows = 1;
        box.name = `variable.${variable.name}`;
        box.id = `id_variable-${variable.name}`;
        box.value = typed.get(variable.name) ?? variable.value;
        box.placeholder = variable.default || "";
        box.required = variable.required;
        box.addEventListener("input", () => typed.set(variable.name, box.value));
        const label = element("label", "", element("code", "", variable.name), ...(variable.required ? [must()] : []));
        label.htmlFor = box.id;
        return element("div", "sb-field", label, box, ...(variable.description ? [element("p", "sb-help", variable.description)] : []));
      }),
    );
  }

  form.querySelectorAll("[data-finds]").forEach((box) => finder(box, known));
  prompt.addEventListener("change", draw);
  draw();
}

/** Fills a select with what is found by name; what is chosen stays among it. */
function finder(box, known) {
  const select = box.parentElement.querySelector("select");
  let timer = 0;
  let round = 0;
  const find = async () => {
    const mine = ++round;
    try {
      const answer = await fetch(`${box.dataset.finds}?${new URLSearchParams({ q: box.value.trim() })}`, { redirect: "error" });
      if (!answer.ok || mine !== round) return;
      const kept = [...select.options].filter((option) => option.selected || !/^[0-9a-f-]{36}$/.test(option.value));
      const chosen = select.value;
      const { parts } = await answer.json();
      parts.forEach((part) => (known[part.id] ??= part.variables.map((variable) => ({ ...variable, value: "" }))));
      const found = parts.filter((part) => part.id !== chosen).map((part) => new Option(part.label, part.id));
      select.replaceChildren(...kept, ...found);
      select.value = chosen;
    } catch {
      // The select keeps what it has.
    }
  };
  box.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(find, 250);
  });
}

function must() {
  const star = element("span", "sb-must", " *");
  star.setAttribute("aria-hidden", "true");
  return star;
}
