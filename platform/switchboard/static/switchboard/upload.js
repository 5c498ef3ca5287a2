// Drag and drop for the upload form. Without it the form still works: it is a plain file input.
const form = document.querySelector("[data-upload]");

if (form) {
  const drop = form.querySelector("[data-drop]");
  const input = form.querySelector("input[type=file]");
  const list = form.querySelector("[data-files]");
  const send = form.querySelector("[data-send]");
  const limit = Number(form.dataset.limit);
  // unfold's own script looks for a text field beside every file input; this one has none.
  input.hasChangeListener = true;

  const size = (bytes) => (bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1024))} KB` : `${(bytes / 1048576).toFixed(1)} MB`);

  function show() {
    list.replaceChildren(
      ...[...input.files].map((file, index) => {
        const row = document.createElement("li");
        const name = document.createElement("span");
        name.textContent = file.name;
        const note = document.createElement("span");
        note.className = file.size > limit ? "sb-error" : "sb-soft";
        note.textContent = file.size > limit ? `${size(file.size)}: too large` : size(file.size);
        const remove = document.createElement("button");
        remove.type = "button";
        remove.className = "sb-plain";
        remove.textContent = "Remove";
        remove.setAttribute("aria-label", `Remove ${file.name}`);
        remove.addEventListener("click", () => {
          const rest = new DataTransfer();
          [...input.files].filter((_, other) => other !== index).forEach((kept) => rest.items.add(kept));
          input.files = rest.files;
          show();
        });
        row.append(name, note, remove);
        return row;
      }),
    );
    const count = input.files.length;
    send.textContent = count > 1 ? `Upload ${count} files` : "Upload";
  }

  for (const type of ["dragenter", "dragover"]) {
    drop.addEventListener(type, (event) => {
      event.preventDefault();
      drop.classList.add("sb-over");
    });
  }
  for (const type of ["dragleave", "drop"]) drop.addEventListener(type, () => drop.classList.remove("sb-over"));
  // A file that misses the box must not replace the page.
  for (const type of ["dragover", "drop"]) window.addEventListener(type, (event) => event.preventDefault());
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    const all = new DataTransfer();
    [...input.files, ...event.dataTransfer.files].forEach((file) => all.items.add(file));
    input.files = all.files;
    show();
  });
  input.addEventListener("change", show);
  form.addEventListener("submit", () => {
    send.disabled = true;
    send.textContent = "Uploading …";
  });
  window.addEventListener("pageshow", () => {
    send.disabled = false;
    show();
  });
}
