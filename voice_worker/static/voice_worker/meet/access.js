// Who this page speaks for: a contact with a token in the link, a guest with LiveKit's own token, or signed-in staff.
import { Refused } from "../../switchboard/event-stream.js";

export const about = JSON.parse(document.getElementById("about").textContent);

const csrf = document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";
const place = `meeting:${about.meeting}`;
const given = fromLink();

/** `#token=` of a contact, `#livekit=` of a guest. It leaves the address bar at once: people copy addresses. */
function fromLink() {
  const fragment = new URLSearchParams(location.hash.slice(1));
  let found = { token: fragment.get("token") ?? "", livekit: fragment.get("livekit") ?? "" };
  try {
    if (found.token || found.livekit) {
      sessionStorage.setItem(place, JSON.stringify(found));
      history.replaceState(null, "", location.pathname);
    } else {
      found = JSON.parse(sessionStorage.getItem(place) ?? "null") ?? found;
    }
  } catch {
    // Without storage a reload asks for the link again.
  }
  return found;
}

/** A guest sees the room and nothing else of the conversation. */
export const isGuest = Boolean(given.livekit) && !given.token;

export function call(path, options = {}) {
  const own = given.token ? { Authorization: `Bearer ${given.token}` } : { "X-CSRFToken": csrf };
  const body = options.body === undefined ? {} : { "Content-Type": "application/json" };
  return fetch(about.api + path, {
    ...options,
    credentials: given.token ? "omit" : "same-origin",
    headers: { ...own, ...body, ...options.headers },
  });
}

export async function ask(path, options) {
  const response = await call(path, options);
  if (!response.ok) throw await Refused.from(response);
  return response.status === 204 ? null : response.json();
}

/** What lets us into the room: `{url, token}`. */
export async function joining(name) {
  if (isGuest) return { url: about.livekit, token: given.livekit };
  return ask(`/meetings/${about.meeting}/tokens`, { method: "POST", body: JSON.stringify({ display_name: name }) });
}

let pass = given.livekit;

/** How the meeting stands: all of it for whoever may ask, its state for a guest, who asks with what let them in. */
export async function meetingNow() {
  if (!isGuest) return ask(`/meetings/${about.meeting}`);
  const found = await ask(`/meetings/${about.meeting}/state`, { method: "POST", body: JSON.stringify({ token: pass }) });
  pass = found.token || pass;
  return found;
}

/** A sentence, and where the conversation goes on; guests have nowhere to write. */
export const inWriting = (sentence) => (isGuest ? sentence : `${sentence} The conversation goes on in writing.`);

/** A sentence for a person. */
export function sentenceFor(error) {
  if (error instanceof Refused) {
    if (error.status === 401 || error.code === "not_authenticated") return `This link doesn't let you in any more. Ask for a new one${isGuest ? "" : ", or sign in"}.`;
    if (error.status === 404) return "There is no such meeting.";
    if (error.code === "meeting_ended") return inWriting("The meeting is over.");
    return error.message;
  }
  if (error instanceof TypeError) return "The server can't be reached. Is the network there?";
  return error?.message || "Something went wrong in this page. Reload it.";
}
