// SPDX-License-Identifier: Apache-2.0
// What the admin's pages are without as well, only less comfortable.

// A button beside every field that is there to be copied. Without this the field is selectable.
for (const field of document.querySelectorAll("input[data-copy]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button quiet";
  button.textContent = "Copy";
  const said = document.createElement("span");
  said.className = "hidden";
  said.setAttribute("role", "status");
  button.addEventListener("click", async () => {
    field.select();
    try { await navigator.clipboard.writeText(field.value); } catch { document.execCommand("copy"); }
    button.textContent = "Copied";
    said.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; said.textContent = ""; }, 2000);
  });
  field.after(button, said);
}

// Forms whose answer takes seconds say so, show that it goes on, and are sent once. Without this the
// browser shows that it waits. A button that is disabled would not be sent.
for (const form of document.forms) {
  const said = document.createElement("span");
  if (!form.querySelector("[data-busy]")) continue;
  said.className = "hidden";
  said.setAttribute("role", "status");
  form.append(said);
  form.addEventListener("submit", (event) => {
    const button = event.submitter, busy = button?.dataset.busy;
    if (form.hasAttribute("aria-busy")) { event.preventDefault(); return; }
    if (!busy) return;
    const label = button.textContent, progress = document.createElement("progress");
    progress.setAttribute("aria-label", busy);
    form.setAttribute("aria-busy", "true");
    button.textContent = said.textContent = busy;
    button.append(progress);
    addEventListener("pageshow", () => { // here again by the back button
      form.removeAttribute("aria-busy");
      button.textContent = label;
      said.textContent = "";
    }, { once: true });
  });
}
