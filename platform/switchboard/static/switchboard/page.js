// The page viewer: brings the quote into view and turns pages with the arrow keys.
document.getElementById("quote")?.scrollIntoView({ block: "center" });

document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const rel = { ArrowLeft: "prev", ArrowRight: "next" }[event.key];
  if (rel) document.querySelector(`a[rel="${rel}"]`)?.click();
});

const picture = document.querySelector(".sheet img");
picture?.addEventListener("error", () => {
  const note = document.createElement("p");
  note.className = "empty";
  note.textContent = "The picture of this page can't be shown.";
  picture.closest("figure").replaceChildren(note);
});
