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

  prompt.addEventListener("change", draw);
  draw();
}

function must() {
  const star = element("span", "sb-must", " *");
  star.setAttribute("aria-hidden", "true");
  return star;
}
