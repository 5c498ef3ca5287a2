// Elements made in one line; text is always text.

/** An element with a class and what it holds: strings become text, never markup. */
export function element(tag, className = "", ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

/** Hide and show things. Whoever was by keyboard on what is hidden goes on at `next()`, not at the top of the page. */
export function keepFocus(change, next) {
  const had = document.activeElement; // asked before: some browsers take it away at once
  change();
  if (had && !had.checkVisibility()) next().focus({ preventScroll: true });
}

/** One of the icons that the admin's font has. */
export function icon(name) {
  const made = element("span", "material-symbols-outlined", name);
  made.setAttribute("aria-hidden", "true");
  return made;
}

/** A button that is an icon, with words for whoever can't see it. */
export function iconButton(name, words, act, className = "sb-tool") {
  const made = element("button", className, icon(name), element("span", "sb-visually-hidden", words));
  made.type = "button";
  made.title = words;
  made.addEventListener("click", act);
  return made;
}
