// Shows /api/openapi.json to people. Everything from the document is set as text, never as HTML.
const METHODS = ["get", "post", "put", "patch", "delete"];

function make(name, { text, ...attributes } = {}, ...children) {
  const element = document.createElement(name);
  if (text !== undefined) element.textContent = text;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

const resolve = (api, schema) =>
  schema?.$ref ? schema.$ref.slice(2).split("/").reduce((at, part) => at?.[part], api) : schema;

// An example body that has the shape of a schema; deep enough to be read, never endless.
function example(api, given, depth = 0) {
  const schema = resolve(api, given);
  if (!schema || depth > 5) return null;
  if (schema.example !== undefined) return schema.example;
  if (schema.default !== undefined) return schema.default;
  if (schema.enum) return schema.enum[0];
  const part = schema.allOf?.[0] ?? schema.oneOf?.[0] ?? schema.anyOf?.find((one) => one.type !== "null");
  if (part) return example(api, part, depth + 1);
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  if (type === "object" || schema.properties) {
    return Object.fromEntries(
      Object.entries(schema.properties ?? {}).map(([name, value]) => [name, example(api, value, depth + 1)]),
    );
  }
  if (type === "array") return [example(api, schema.items, depth + 1)];
  if (type === "integer" || type === "number") return schema.minimum ?? 0;
  if (type === "boolean") return false;
  return schema.format ? `<${schema.format}>` : "…";
}

function table(heads, rows) {
  const head = make("tr", {}, ...heads.map((text) => make("th", { text, scope: "col" })));
  return make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows));
}

function body(api, content) {
  return Object.entries(content ?? {}).flatMap(([type, { schema }]) => {
    const parts = [make("p", { text: type, class: "quiet" })];
    if (schema) parts.push(make("pre", { text: JSON.stringify(example(api, schema), null, 2) }));
    return parts;
  });
}

function describe(api, operation) {
  const inside = make("div", { class: "inside" }, make("p", { text: operation.description ?? "" }));
  if (operation.parameters?.length) {
    inside.append(
      make("h3", { text: "Parameters" }),
      table(
        ["Name", "In", "What it is"],
        operation.parameters.map((parameter) => {
          const enumerated = parameter.schema?.enum?.join(", ");
          const words = [parameter.description, enumerated && `One of ${enumerated}.`].filter(Boolean).join(" ");
          return make(
            "tr",
            {},
            make("td", {}, make("code", { text: parameter.name + (parameter.required ? "" : "?") })),
            make("td", { text: parameter.in }),
            make("td", { text: words }),
          );
        }),
      ),
    );
  }
  if (operation.requestBody) inside.append(make("h3", { text: "Body" }), ...body(api, operation.requestBody.content));
  const answers = Object.entries(operation.responses).sort();
  for (const [status, response] of answers.filter(([status]) => status < "300")) {
    inside.append(make("h3", { text: `Answer ${status}` }), ...body(api, response.content));
  }
  const problems = answers.filter(([status]) => status >= "300");
  inside.append(
    make("h3", { text: "Problems" }),
    table(
      ["Status", "When"],
      problems.map(([status, { description }]) =>
        make("tr", {}, make("td", { text: status }), make("td", { text: description })),
      ),
    ),
  );
  return inside;
}

function show(api) {
  const main = document.getElementById("operations");
  const nav = document.getElementById("tags");
  document.getElementById("about").textContent = api.info.description ?? "";
  for (const { name, description } of api.tags) {
    const id = name.toLowerCase().replaceAll(" ", "-");
    nav.append(make("a", { text: name, href: `#${id}` }));
    const section = make("section", {}, make("h2", { text: name, id }), make("p", { text: description, class: "quiet" }));
    for (const [path, item] of Object.entries(api.paths)) {
      for (const method of METHODS.filter((one) => item[one]?.tags?.includes(name))) {
        const operation = item[method];
        const summary = make(
          "summary",
          {},
          make("span", { text: method, class: "method" }),
          make("code", { text: path }),
          make("span", { text: operation.summary }),
        );
        const details = make("details", { id: operation.operationId }, summary);
        // Filled when it is opened: most never are.
        details.addEventListener("toggle", () => details.append(describe(api, operation)), { once: true });
        section.append(details);
      }
    }
    main.append(section);
  }
  const filter = document.getElementById("filter");
  filter.addEventListener("input", () => {
    const words = filter.value.toLowerCase().split(/\s+/);
    for (const section of main.children) {
      let any = false;
      for (const details of section.querySelectorAll("details")) {
        const text = details.firstChild.textContent.toLowerCase();
        details.hidden = !words.every((word) => text.includes(word));
        any ||= !details.hidden;
      }
      section.hidden = !any;
    }
  });
}

try {
  const response = await fetch(document.getElementById("document").href);
  if (!response.ok) throw new Error(`it answered ${response.status}`);
  show(await response.json());
} catch (error) {
  document.getElementById("about").textContent = `The document can't be loaded: ${error.message}. Reload the page to try again.`;
}
