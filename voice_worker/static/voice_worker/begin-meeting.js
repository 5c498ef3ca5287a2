// "Start a meeting" wherever staff look at a conversation: begins it, or finds the one under way, and goes there.
import { Refused } from "../switchboard/event-stream.js";

/** The address of the meeting's page. Raises `Refused`. */
export async function beginMeeting(conversation, csrf) {
  const response = await fetch("/api/v1/meetings", {
    method: "POST",
    credentials: "same-origin",
    headers: { "X-CSRFToken": csrf, "Content-Type": "application/json" },
    body: JSON.stringify({ conversation }),
  });
  if (!response.ok) throw await Refused.from(response);
  return (await response.json()).page;
}

for (const button of document.querySelectorAll("[data-begin-meeting]")) {
  const note = button.parentElement.querySelector("[role=status]");
  button.addEventListener("click", async () => {
    button.disabled = true;
    note.textContent = "";
    try {
      location.assign(await beginMeeting(button.dataset.beginMeeting, document.querySelector("[name=csrfmiddlewaretoken]").value));
    } catch (error) {
      note.textContent = error instanceof Refused ? error.message : "The server can't be reached.";
      button.disabled = false;
    }
  });
}
