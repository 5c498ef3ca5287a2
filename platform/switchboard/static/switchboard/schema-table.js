// JSON Schema of an object as a table of its properties. What the table doesn't show is kept as it is in the JSON,
// which stands behind a toggle and is what is sent.
import { element, icon, iconButton } from "./elements.js";

const TYPES = { string: "text", number: "number", integer: "whole number", boolean: "yes or no", array: "list", object: "object" };

export function schemaTable(box) {
  const readOnly = box.disabled || Boolean(box.closest("fieldset:disabled"));
  const frame = element("div", "sb-schema");
  const toggle = element("button", "sb-button sb-small", "Edit as JSON");
  toggle.type = "button";
  box.before(frame);
  box.parentElement.querySelector(".sb-field-head").append(toggle);
  let asJson = false;

  const read = () => {
    try {
      const schema = JSON.parse(box.value || "{}");
      const plain = schema && typeof schema === "object" && !Array.isArray(schema);
      const properties = plain && (schema.properties ?? {});
      const fits = properties && typeof properties === "object" && Object.values(properties).every((one) => one && typeof one === "object" && !Array.isArray(one));
      return fits ? schema : null;
    } catch {
      return null;
    }
  };
  const write = (schema) => {
    box.value = JSON.stringify(schema, null, 2);
    box.dispatchEvent(new Event("input", { bubbles: true }));
  };

  /** Give a property another name; whether it could be. The table isn't drawn anew: somebody may be clicking in it. */
  function rename(schema, from, to) {
    if (!to || to === from || to in schema.properties) return false;
    schema.properties = Object.fromEntries(Object.entries(schema.properties).map(([name, about]) => [name === from ? to : name, about]));
    if (schema.required) schema.required = schema.required.map((name) => (name === from ? to : name));
    write(schema);
    return true;
  }

  function require(schema, name, wanted) {
    const others = (schema.required ?? []).filter((one) => one !== name);
    if (wanted) others.push(name);
    if (others.length) schema.required = others;
    else delete schema.required;
    write(schema);
  }

  /** Change one property in the schema as it is now. */
  const change = (name, act) => {
    const schema = read();
    act(schema.properties[name], schema);
    write(schema);
  };

  function cell(label, control) {
    control.setAttribute("aria-label", label);
    control.disabled = readOnly;
    control.addEventListener("input", (event) => event.stopPropagation());
    return element("div", "sb-schema-cell", element("span", "sb-schema-label", label), control);
  }

  function line(name, about, schema) {
    const title = field("text", name, "sb-mono");
    title.addEventListener("change", () => {
      const wanted = title.value.trim();
      if (rename(read(), name, wanted)) name = wanted;
      title.value = name;
    });
    const type = element("select", "sb-input");
    const known = typeof about.type === "string" && about.type in TYPES;
    if (!known) type.append(new Option(about.type === undefined ? "any" : "see the JSON", "", true, true));
    for (const [value, words] of Object.entries(TYPES)) type.append(new Option(words, value, false, value === about.type));
    type.addEventListener("change", () => change(name, (one) => (one.type = type.value)));
    const text = field("text", about.description ?? "");
    text.addEventListener("change", () => change(name, (one) => (text.value ? (one.description = text.value) : delete one.description)));
    const required = field("checkbox");
    required.checked = (schema.required ?? []).includes(name);
    required.addEventListener("change", () => require(read(), name, required.checked));
    const allowed = field("text", Array.isArray(about.enum) ? about.enum.join(", ") : "");
    allowed.placeholder = "any";
    allowed.addEventListener("change", () =>
      change(name, (one) => {
        const values = allowed.value.split(",").map((value) => value.trim()).filter(Boolean);
        const typed = values.map((value) => (["number", "integer"].includes(one.type) && value !== "" && !Number.isNaN(Number(value)) ? Number(value) : value));
        if (typed.length) one.enum = typed;
        else delete one.enum;
      }),
    );
    const remove = iconButton("close", "Remove this argument", () => {
      const now = read();
      delete now.properties[name];
      require(now, name, false);
      draw();
    }, "sb-tool sb-danger");
    const row = element("li", "sb-schema-row", cell("Name", title), cell("Type", type), cell("What it is", text), cell("One of", allowed), cell("Required", required));
    if (!readOnly) row.append(remove);
    return row;
  }

  function draw() {
    const schema = read();
    toggle.hidden = !schema && asJson;
    box.hidden = Boolean(schema) && !asJson;
    frame.hidden = asJson || !schema;
    toggle.textContent = asJson ? "Edit as a table" : "Edit as JSON";
    if (!schema) {
      asJson = true;
      return;
    }
    schema.properties ??= {};
    const lines = Object.entries(schema.properties).map(([name, about]) => line(name, about, schema));
    const add = element("button", "sb-button sb-small", icon("add"), "Add an argument");
    add.type = "button";
    add.addEventListener("click", () => {
      const now = read();
      now.type ??= "object";
      now.properties ??= {};
      let number = 1;
      while (`argument_${number}` in now.properties) number += 1;
      now.properties[`argument_${number}`] = { type: "string" };
      write(now);
      draw();
      const made = frame.querySelector(".sb-schema-row:last-of-type input");
      made?.focus();
      made?.select();
    });
    frame.replaceChildren(lines.length ? element("ol", "sb-schema-rows", ...lines) : element("p", "sb-soft", "It takes no arguments."), ...(readOnly ? [] : [add]));
  }

  toggle.addEventListener("click", () => {
    asJson = !asJson;
    draw();
    if (asJson) box.focus();
  });
  box.addEventListener("input", (event) => {
    // Typed by hand, not written by the table.
    if (event.isTrusted) toggle.hidden = !read();
  });
  draw();
}

function field(type, value = "", className = "") {
  const made = element("input", `${type === "checkbox" ? "" : "sb-input"} ${className}`.trim());
  made.type = type;
  if (type !== "checkbox") made.value = value;
  made.autocomplete = "off";
  return made;
}
