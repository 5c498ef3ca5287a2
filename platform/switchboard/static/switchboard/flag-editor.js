// The editor of a flag's rules, over the text field that holds them as JSON; and trying the draft without leaving the page.
// Without this script the field itself is edited, and the server checks it alike.
const ATTRIBUTES = { tier: "Service tier", tenant: "Tenant metadata", contact: "Contact", "contact.": "Contact attribute", agent: "Agent", channel: "Channel" };
const NAMED = { tenant: "country", "contact.": "email" };
const OPERATORS = {
  is: "is", is_not: "is not", in: "is one of", not_in: "is none of", contains: "contains", starts_with: "starts with",
  at_least: "is at least", at_most: "is at most", exists: "is known", absent: "is not known",
};

const form = document.querySelector("[data-flag]");
const field = form?.querySelector("[data-rules]");
let serial = 0;

function make(tag, properties = {}, ...children) {
  const { data, ...rest } = properties;
  const element = Object.assign(document.createElement(tag), rest);
  Object.assign(element.dataset, data);
  element.append(...children);
  return element;
}

const choice = (label, options, value) => {
  const select = make("select", { className: "sb-input", ariaLabel: label });
  select.append(...Object.entries(options).map(([name, text]) => make("option", { value: name, textContent: text, selected: name === value })));
  return select;
};
const text = (label, value, more = {}) => make("input", { className: "sb-input", ariaLabel: label, value, autocomplete: "off", ...more });
const button = (label, icon, act) => {
  const made = make("button", { type: "button", className: "sb-button sb-small sb-icon", ariaLabel: label, title: label });
  made.append(make("span", { className: "material-symbols-outlined", textContent: icon, ariaHidden: "true" }));
  made.addEventListener("click", act);
  return made;
};
const labelled = (words, control) => make("label", { className: "sb-labelled" }, make("span", { textContent: words }), control);

// A list is written with commas between its values; one that holds a comma itself, as JSON.
const listed = (value) => (value.some((part) => String(part).includes(",")) ? JSON.stringify(value) : value.join(", "));
function unlisted(written) {
  if (written.trim().startsWith("[")) {
    try { return JSON.parse(written); } catch { /* then the brackets are part of a value */ }
  }
  return written.split(",").map((part) => part.trim()).filter(Boolean);
}

function conditionRow(condition, changed) {
  const [, of, name] = condition.attribute.match(/^([^.]*)\.?(.*)$/);
  const subject = choice("Attribute", ATTRIBUTES, of === "contact" && name ? "contact." : of);
  const named = text("Name of the attribute", name, { spellcheck: false });
  const absent = condition.operator === "exists" && condition.value === false;
  const operator = choice("Comparison", OPERATORS, absent ? "absent" : condition.operator);
  const original = condition.value;
  const shown = Array.isArray(original) ? listed(original) : original === undefined || typeof original === "object" ? "" : String(original);
  const value = text("Value", shown, { spellcheck: false });
  const row = make("div", { className: "sb-condition" }, subject, named, operator, value);
  row.append(button("Remove this condition", "close", () => {
    const next = row.nextElementSibling?.querySelector("select") ?? row.closest("[data-rule]").querySelector("[data-add-condition]");
    row.remove();
    next?.focus();
    changed();
  }));
  const arrange = () => {
    named.hidden = !(subject.value in NAMED);
    named.placeholder = NAMED[subject.value] ?? "";
    value.hidden = operator.value === "exists" || operator.value === "absent";
    const many = operator.value === "in" || operator.value === "not_in";
    value.placeholder = many ? "gold, silver" : "";
    value.inputMode = operator.value.startsWith("at_") ? "decimal" : "text";
  };
  row.addEventListener("input", arrange);
  arrange();
  row.read = () => {
    const attribute = subject.value in NAMED ? `${subject.value.replace(".", "")}.${named.value.trim()}` : subject.value;
    if (value.hidden) return { attribute, operator: "exists", value: operator.value === "exists" };
    const many = operator.value === "in" || operator.value === "not_in";
    // What nobody touched stays of the kind it was: a number, true or false.
    const untouched = value.value === shown && operator.value === condition.operator && original !== undefined;
    return { attribute, operator: operator.value, value: untouched ? original : many ? unlisted(value.value) : value.value.trim() };
  };
  return row;
}

function ruleCard(rule, changed) {
  const number = ++serial;
  const card = make("fieldset", { className: "sb-rule", data: { rule: "" } });
  const legend = make("legend", {});
  const description = text("What this rule is for", rule.description ?? "", { placeholder: "What it is for (optional)", maxLength: 200 });
  const move = (by) => () => {
    const other = by < 0 ? card.previousElementSibling : card.nextElementSibling;
    if (!other) return;
    if (by < 0) other.before(card); else other.after(card);
    card.querySelector(by < 0 ? "[data-up]" : "[data-down]").focus();
    changed();
  };
  const up = button("Move this rule up", "arrow_upward", move(-1));
  const down = button("Move this rule down", "arrow_downward", move(1));
  up.dataset.up = down.dataset.down = "";
  const remove = button("Remove this rule", "delete", () => {
    const next = (card.nextElementSibling ?? card.previousElementSibling)?.querySelector("input") ?? form.querySelector("[data-add-rule]");
    card.remove();
    next.focus();
    changed();
  });
  const conditions = make("div", { className: "sb-conditions" });
  conditions.append(...(rule.conditions ?? []).map((condition) => conditionRow(condition, changed)));
  const add = make("button", { type: "button", className: "sb-plain", textContent: "Add a condition", data: { addCondition: "" } });
  add.addEventListener("click", () => {
    const row = conditionRow({ attribute: "tier", operator: "is" }, changed);
    conditions.append(row);
    row.querySelector("select").focus();
    changed();
  });
  const local = (moment) => (moment ? moment.replace(/(:00)?(\.\d+)?Z$/, "") : "");
  const percentage = text("Share in percent", rule.percentage ?? "", { type: "number", min: 0, max: 100, step: "0.01", placeholder: "100" });
  const from = text("From (UTC)", local(rule.from), { type: "datetime-local" });
  const until = text("Until (UTC)", local(rule.until), { type: "datetime-local" });
  const then = choice("Then it is", { on: "on", off: "off" }, rule.then ?? "on");
  for (const control of [percentage, from, until, then]) control.removeAttribute("aria-label");
  const limits = make("div", { className: "sb-limits" },
    labelled("For % of contacts", percentage), labelled("From (UTC)", from), labelled("Until (UTC)", until), labelled("Then it is", then));
  card.append(legend, make("div", { className: "sb-rule-head" }, description, up, down, remove), conditions, add, limits);
  card.id = `rule-${number}`;
  card.renumber = (index, count) => {
    legend.textContent = `Rule ${index + 1}`;
    up.disabled = index === 0;
    down.disabled = index === count - 1;
    conditions.dataset.empty = conditions.childElementCount ? "" : "Whoever asks";
  };
  const moment = (control, before) => (control.value ? (control.value === local(before) ? before : `${control.value}${control.value.length < 17 ? ":00" : ""}Z`) : undefined);
  card.read = () => ({
    ...(description.value.trim() && { description: description.value.trim() }),
    conditions: [...conditions.children].map((row) => row.read()),
    ...(percentage.value !== "" && { percentage: Number(percentage.value) }),
    ...(from.value && { from: moment(from, rule.from) }),
    ...(until.value && { until: moment(until, rule.until) }),
    then: then.value,
  });
  return card;
}

function parsed() {
  try {
    const rules = JSON.parse(field.value || "[]");
    const fits = Array.isArray(rules) && rules.every((rule) => rule && typeof rule === "object" && (rule.conditions ?? []).every((one) => typeof one?.attribute === "string"));
    return fits ? rules : null;
  } catch {
    return null;
  }
}

if (field) {
  const list = make("div", { className: "sb-rules" });
  const addRule = make("button", { type: "button", className: "sb-button", data: { addRule: "" }, textContent: "Add a rule" });
  const asText = make("button", { type: "button", className: "sb-plain", textContent: "Edit as text" });
  const note = make("p", { className: "sb-error", hidden: true, role: "alert", textContent: "This text is no list of rules, so it can't be shown as such." });
  const editor = make("div", { className: "sb-rule-editor", role: "group", ariaLabel: "Rules" }, list, make("div", { className: "sb-actions" }, addRule));
  const bar = make("p", { className: "sb-help" }, asText);
  const readOnly = !form.querySelector("button[type=submit]");
  let dirty = false;
  const changed = () => {
    [...list.children].forEach((card, index) => card.renumber(index, list.childElementCount));
    dirty = true;
  };
  const store = () => {
    if (!field.hidden) return;
    field.value = JSON.stringify([...list.children].map((card) => card.read()), null, 2);
  };
  const show = () => {
    const rules = parsed();
    note.hidden = rules !== null;
    if (rules === null) return false;
    list.replaceChildren(...rules.map((rule) => ruleCard(rule, changed)));
    changed();
    return true;
  };
  const turn = (toText) => {
    if (toText) store();
    else if (!show()) return;
    field.hidden = !toText;
    editor.hidden = toText;
    asText.textContent = toText ? "Edit with the editor" : "Edit as text";
  };
  field.before(editor);
  field.after(note, bar);
  asText.addEventListener("click", () => turn(field.hidden));
  addRule.addEventListener("click", () => {
    const card = ruleCard({}, changed);
    list.append(card);
    changed();
    card.querySelector("input").focus();
  });
  field.hidden = true;
  if (!show()) { field.hidden = false; editor.hidden = true; asText.textContent = "Edit with the editor"; }
  dirty = false;
  if (readOnly) for (const control of editor.querySelectorAll("input, select, button")) control.disabled = true;

  let leaving = false;
  form.addEventListener("input", () => { dirty = true; });
  form.addEventListener("submit", () => { store(); leaving = true; });
  window.addEventListener("beforeunload", (event) => { if (dirty && !leaving && !readOnly) event.preventDefault(); });

  const trial = document.querySelector("[data-try]");
  trial?.addEventListener("submit", async (event) => {
    event.preventDefault();
    store();
    trial.elements.rules.value = field.value;
    trial.elements.default.value = form.elements.default.value;
    const body = new FormData(trial);
    if (form.elements.key) body.set("key", form.elements.key.value);
    const send = trial.querySelector("button[type=submit]");
    send.disabled = true;
    try {
      const answer = await fetch(trial.action, { method: "POST", body, headers: { "X-Fragment": "1" } });
      if (!answer.ok) throw new Error(String(answer.status));
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      // Its content alone: what is told to screen readers must have been on the page before.
      trial.querySelector("#answer").replaceChildren(...page.querySelector("#answer").childNodes);
    } catch {
      trial.querySelector("#answer").replaceChildren(make("p", { className: "sb-errors", textContent: "It couldn't be tried just now. Try again." }));
    } finally {
      send.disabled = false;
    }
  });
}
