// A box of lines as chips: Enter or a comma makes one, Backspace takes the last one back. The box itself is what is sent.
import { element, iconButton } from "./elements.js";

export function chips(box) {
  if (box.disabled || box.closest("fieldset:disabled")) return;
  const list = element("ul", "sb-chips");
  const input = element("input");
  input.type = "text";
  input.placeholder = box.placeholder;
  input.autocomplete = "off";
  const label = document.querySelector(`label[for="${CSS.escape(box.id)}"]`);
  input.id = `${box.id}-more`;
  if (label) label.htmlFor = input.id;
  if (box.getAttribute("aria-describedby")) input.setAttribute("aria-describedby", box.getAttribute("aria-describedby"));
  const frame = element("div", "sb-input sb-chip-box", list, input);
  const values = () => box.value.split("\n").map((line) => line.trim()).filter(Boolean);
  const set = (all) => {
    box.value = [...new Set(all)].join("\n");
    draw();
    box.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const draw = () => {
    const all = values();
    input.placeholder = all.length ? "" : box.placeholder;
    list.replaceChildren(
      ...all.map((value, index) => {
        const remove = iconButton("close", `Remove ${value}`, () => {
          set(values().filter((_, place) => place !== index));
          input.focus();
        }, "sb-chip-remove");
        return element("li", "sb-chip", value, remove);
      }),
    );
  };
  const take = () => {
    const added = input.value.split(",").map((part) => part.trim()).filter(Boolean);
    input.value = "";
    if (added.length) set([...values(), ...added]);
  };
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "Enter" || event.key === ",") {
      if (event.key === "Enter" && !input.value.trim()) return;
      event.preventDefault();
      take();
    } else if (event.key === "Backspace" && !input.value) set(values().slice(0, -1));
  });
  input.addEventListener("change", take);
  // What is typed here is no value of the form, so that it counts as a change once it is a chip.
  input.addEventListener("input", (event) => event.stopPropagation());
  frame.addEventListener("click", (event) => event.target === frame && input.focus());
  box.hidden = true;
  box.after(frame);
  draw();
}
