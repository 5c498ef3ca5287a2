// The editor of a test case's turns, over the text field that holds them as JSON. Without this script the field itself is
// edited, and the server checks it alike.
import { chips } from "./chips.js";
import { element, iconButton } from "./elements.js";

const KINDS = {
  contains: "says",
  not_contains: "doesn't say",
  matches: "matches the pattern",
  cites: "cites the document",
  calls_tool: "calls the tool",
  routes_to: "is handed to the agent",
  judge: "is judged to meet",
};
const form = document.querySelector("[data-case]");
const field = form?.querySelector("[data-turns]");
const suggestions = JSON.parse(document.getElementById("suggestions")?.textContent ?? "{}");
document.querySelectorAll("[data-chips]").forEach(chips);

function input(label, value, more = {}) {
  const made = Object.assign(element("input", "sb-input"), { type: "text", ariaLabel: label, placeholder: label, autocomplete: "off", ...more });
  made.value = value ?? "";
  return made;
}

function area(label, value, more = {}) {
  const made = Object.assign(element("textarea", "sb-input"), { ariaLabel: label, placeholder: label, rows: 1, ...more });
  made.value = value ?? "";
  return made;
}

function suggesting(control, list) {
  control.setAttribute("list", `suggested-${list}`);
  return control;
}

// What each kind asks for, and how it is read back. `value` is the expectation as it is kept.
const FIELDS = {
  contains: (value) => textField("These words", value),
  not_contains: (value) => textField("These words", value),
  matches: (value) => {
    const pattern = input("Pattern, such as £\\d+ a night", value.pattern, { spellcheck: false, maxLength: 500 });
    pattern.ariaLabel = "Pattern";
    return [[pattern], () => ({ pattern: pattern.value })];
  },
  cites: (value) => {
    const named = suggesting(input("Title or filename", value.document), "documents");
    const page = input("any", value.page, { type: "number", min: 1 });
    page.removeAttribute("aria-label");
    return [[named, element("label", "sb-page-number", "Page", page)], () => ({ document: named.value, ...(page.value && { page: Number(page.value) }) })];
  },
  calls_tool: (value) => {
    const tool = suggesting(input("The tool's slug", value.tool), "tools");
    const asked = value.arguments ? JSON.stringify(value.arguments) : "";
    const given = area('Arguments as JSON, such as {"guests": 2} (any)', asked, { spellcheck: false });
    given.ariaLabel = "Arguments as JSON";
    given.classList.add("sb-code");
    const exact = Object.assign(element("input"), { type: "checkbox", checked: Boolean(value.exact) });
    const label = element("label", "sb-switch", exact, "these arguments and no others");
    const read = () => ({ tool: tool.value, ...(given.value.trim() && { arguments: json(given.value), ...(exact.checked && { exact: true }) }) });
    return [[tool, given, label], read];
  },
  routes_to: (value) => {
    const agent = suggesting(input("The agent's slug", value.agent), "agents");
    return [[agent], () => ({ agent: agent.value })];
  },
  judge: (value) => {
    const rubric = area("What a good answer does, in words", value.rubric, { maxLength: 2000 });
    return [[rubric], () => ({ rubric: rubric.value })];
  },
};

function textField(label, value) {
  const words = input(label, value.text, { maxLength: 2000 });
  return [[words], () => ({ text: words.value })];
}

function json(text) {
  try { return JSON.parse(text); } catch { return text; /* the server says that this is no object */ }
}

function expectationRow(expectation, changed) {
  const kind = Object.assign(element("select", "sb-input"), { ariaLabel: "The answer" });
  for (const [name, words] of Object.entries(KINDS)) kind.append(Object.assign(element("option", "", words), { value: name, selected: name === expectation.kind }));
  const place = element("div", "sb-expect-fields");
  let read = () => ({});
  const show = (value) => {
    const [controls, reader] = FIELDS[kind.value](value);
    place.replaceChildren(...controls);
    read = reader;
  };
  const remove = iconButton("close", "Remove this expectation", () => {
    const next = row.nextElementSibling?.querySelector("select") ?? row.closest(".sb-turn-card").querySelector("[data-add]");
    row.remove();
    next?.focus();
    changed();
  });
  const row = element("div", "sb-expect", kind, place, remove);
  kind.addEventListener("change", () => {
    // Words typed for one kind serve the next as well.
    const words = place.querySelector("input[type=text], textarea")?.value ?? "";
    show({ text: words, pattern: words, document: words, tool: words, agent: words, rubric: words });
  });
  show(expectation);
  row.read = () => ({ kind: kind.value, ...read() });
  return row;
}

function turnCard(turn, changed) {
  const title = element("strong");
  const move = (by) => () => {
    const other = by < 0 ? card.previousElementSibling : card.nextElementSibling;
    if (!other) return;
    if (by < 0) other.before(card);
    else other.after(card);
    (by < 0 ? up : down).focus();
    changed();
  };
  const up = iconButton("arrow_upward", "Move this turn up", move(-1));
  const down = iconButton("arrow_downward", "Move this turn down", move(1));
  const remove = iconButton("delete", "Remove this turn", () => {
    const next = (card.nextElementSibling ?? card.previousElementSibling)?.querySelector("textarea");
    card.remove();
    next?.focus();
    changed();
  });
  const say = Object.assign(element("textarea", "sb-input"), { rows: 2, maxLength: 8000 });
  say.value = turn.say ?? "";
  const expects = element("div", "sb-expects", ...(turn.expect ?? []).map((one) => expectationRow(one, changed)));
  const add = Object.assign(element("button", "sb-plain", "Add an expectation"), { type: "button" });
  add.dataset.add = "";
  add.addEventListener("click", () => {
    const row = expectationRow({ kind: "contains" }, changed);
    expects.append(row);
    row.querySelector("select").focus();
    changed();
  });
  const card = element("div", "sb-turn-card", element("div", "sb-turn-head", title, up, down, remove),
    element("label", "sb-labelled", element("span", "", "The contact says"), say), element("p", "sb-help", "The answer …"), expects, add);
  card.role = "group";
  card.number = (index, count) => {
    title.textContent = `Turn ${index + 1}`;
    card.ariaLabel = title.textContent;
    up.disabled = index === 0;
    down.disabled = index === count - 1;
    up.hidden = down.hidden = remove.hidden = count === 1;
  };
  card.read = () => ({ say: say.value, expect: [...expects.children].map((row) => row.read()) });
  return card;
}

/** The field's turns; null where it holds something else, which only its text can show. */
function parsed() {
  try {
    const turns = JSON.parse(field.value);
    const isExpectation = (one) => one && typeof one === "object" && one.kind in KINDS;
    const fits = Array.isArray(turns) && turns.every((turn) => turn && typeof turn === "object" && (turn.expect ?? []).every(isExpectation));
    return fits ? turns : null;
  } catch {
    return null;
  }
}

if (field) {
  for (const [name, values] of Object.entries(suggestions)) {
    const list = element("datalist", "", ...values.map((value) => Object.assign(element("option"), { value })));
    list.id = `suggested-${name}`;
    form.append(list);
  }
  const list = element("div", "sb-turns");
  const addTurn = Object.assign(element("button", "sb-button", "Add a turn"), { type: "button" });
  const editor = element("div", "", list, element("div", "sb-actions", addTurn));
  editor.role = "group";
  editor.ariaLabel = "Conversation";
  const asText = Object.assign(element("button", "sb-plain", "Edit as JSON"), { type: "button" });
  const note = Object.assign(element("p", "sb-error", "This text is no list of turns, so it can't be shown as such."), { hidden: true, role: "alert" });
  let dirty = false;
  const changed = () => {
    [...list.children].forEach((card, index) => card.number(index, list.childElementCount));
    dirty = true;
  };
  const store = () => {
    if (field.hidden) field.value = JSON.stringify([...list.children].map((card) => card.read()), null, 2);
  };
  const show = () => {
    const turns = parsed();
    note.hidden = turns !== null;
    if (turns === null) return false;
    list.replaceChildren(...turns.map((turn) => turnCard(turn, changed)));
    changed();
    return true;
  };
  const turnTo = (text) => {
    if (text) store();
    else if (!show()) return;
    field.hidden = !text;
    editor.hidden = text;
    asText.textContent = text ? "Edit with the editor" : "Edit as JSON";
  };
  field.before(editor);
  field.after(note, element("p", "sb-help", asText));
  asText.addEventListener("click", () => turnTo(field.hidden));
  addTurn.addEventListener("click", () => {
    const card = turnCard({ say: "", expect: [{ kind: "contains" }] }, changed);
    list.append(card);
    changed();
    card.querySelector("textarea").focus();
  });
  field.hidden = true;
  if (!show()) turnTo(true);
  note.hidden = true;
  dirty = false;
  let leaving = false;
  form.addEventListener("input", () => (dirty = true));
  form.addEventListener("submit", () => {
    store();
    leaving = true;
  });
  window.addEventListener("beforeunload", (event) => {
    if (dirty && !leaving) event.preventDefault();
  });
}
