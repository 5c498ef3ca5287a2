// The Playground: a conversation with an agent over the API that programs use.
import { ConnectionLost, Refused, follow } from "./event-stream.js";
import { element } from "./answer.js";
import { addAnswer as placeAnswer, addQuestion as placeQuestion, stepOf, sum, usageLine } from "./thread-view.js";

const about = JSON.parse(document.getElementById("playground").textContent);
const thread = document.querySelector("[data-thread]");

if (thread) start();

function start() {
  const composer = document.querySelector("[data-composer]");
  const input = composer.querySelector("textarea");
  const say = composer.querySelector("[data-say]");
  const stop = composer.querySelector("[data-stop]");
  const meetingButton = document.querySelector("[data-begin-meeting]");
  const announce = document.querySelector("[data-announce]");
  const csrf = document.querySelector("[name=csrfmiddlewaretoken]").value;
  let conversation = new URLSearchParams(location.search).get("conversation");
  let lastEvent = 0;
  let running = null; // {turn, stopWanted} of the answer that is on its way

  const call = (path, options = {}) =>
    fetch(about.conversations + path, {
      ...options,
      credentials: "same-origin",
      headers: { "X-CSRFToken": csrf, "Content-Type": "application/json", ...options.headers },
    });

  async function ask(path, options) {
    const response = await call(path, options);
    if (!response.ok) throw await Refused.from(response);
    return response.status === 204 ? null : response.json();
  }

  /** Which release answers: another than the page expects where a canary picked it, or the conversation began earlier. */
  function showRelease(release) {
    const place = document.querySelector("[data-release]");
    const number = about.releases[release];
    if (!place || !number) return;
    place.textContent = `release #${number}`;
    place.href = about.releaseAddress.replace("00000000-0000-0000-0000-000000000000", release);
  }

  // --- the thread ---------------------------------------------------------------------------------------------------

  const addQuestion = (text) => placeQuestion(thread, text);
  const addAnswer = () => placeAnswer(thread);

  function showWelcome() {
    const welcome = element("section", "sb-welcome");
    welcome.append(element("p", "sb-welcome-text", about.welcome || "Ask something. Answers come from the agent's collections, with their sources."));
    if (about.questions.length) {
      const list = element("ul", "sb-questions");
      for (const question of about.questions) {
        const button = element("button", "sb-question", question);
        button.type = "button";
        button.addEventListener("click", () => send(question));
        list.append(element("li", "", button));
      }
      welcome.append(list);
    }
    thread.append(welcome);
  }

  function sentenceFor(error) {
    if (error instanceof Refused && [401, 403].includes(error.status)) return "You are signed out. Reload the page and sign in again.";
    if (error instanceof Refused || error instanceof ConnectionLost) return error.message;
    if (error instanceof TypeError) return "The server can't be reached. Is the network there?";
    console.error(error);
    return "Something went wrong in this page. Reload it.";
  }

  // --- a turn -------------------------------------------------------------------------------------------------------

  function busy(is) {
    say.hidden = is;
    stop.hidden = !is;
    stop.disabled = false;
    if (!is) input.focus({ preventScroll: true });
  }

  async function send(text) {
    const content = text.trim();
    if (!content || running) return;
    input.value = "";
    fit();
    addQuestion(content);
    const answer = addAnswer();
    document.scrollingElement.scrollTop = document.scrollingElement.scrollHeight;
    const key = newKey();
    let accepted = false;
    const open = async (after, signal) => {
      if (accepted) return reopen(after, signal);
      // The key makes a second try after a lost connection the same message.
      const response = await call(`/${conversation}/messages`, {
        method: "POST",
        body: JSON.stringify({ content }),
        headers: { Accept: "text/event-stream", "Idempotency-Key": key },
        signal,
      });
      if (response.ok) {
        accepted = true;
        setTurn(response.headers.get("Location")?.split("/").pop());
      }
      return response;
    };
    await listen(answer, open, { again: () => send(content), before: begin });
  }

  async function begin() {
    if (conversation) return;
    const made = await ask("", { method: "POST", body: JSON.stringify({ agent: about.agent, channel: "playground", ...(about.release && { release: about.release }) }) });
    conversation = made.id;
    showRelease(made.release);
    history.replaceState(null, "", `?${about.release ? `release=${about.release}&` : ""}conversation=${conversation}`);
  }

  const reopen = (after, signal) =>
    call(`/${conversation}/events`, { headers: { Accept: "text/event-stream", "Last-Event-ID": String(after) }, signal });

  function setTurn(turn) {
    if (!running || !turn) return;
    running.turn = turn;
    if (running.stopWanted) cancel();
  }

  async function listen(answer, open, { again, before, turn = null } = {}) {
    running = { turn, stopWanted: false };
    busy(true);
    const since = performance.now();
    let first = 0;
    const spent = {};
    let used = "";
    let ending = "";
    try {
      await before?.();
      const isOurs = (data) => !running.turn || !data.turn || data.turn === running.turn;
      const events = follow({
        open,
        after: lastEvent,
        isLast: ({ event, data }) => event === "done" && isOurs(data),
        onDrop: (lost) => answer.note(lost ? "Connection lost. Reconnecting …" : ""),
      });
      for await (const { id, event, data } of events) {
        lastEvent = id;
        if (!isOurs(data)) continue;
        setTurn(data.turn);
        if (event === "delta") {
          first ||= performance.now() - since;
          answer.add(data.text);
        } else if (event === "citation") answer.cite(data);
        else if (event === "usage") used = usageLine(sum(spent, data));
        else if (stepOf[event]) answer.step(...stepOf[event](data));
        else if (event === "error") answer.fail(data.detail || "The answer failed.", again);
        else if (event === "done") ending = data.status;
      }
    } catch (error) {
      answer.fail(sentenceFor(error), again);
    }
    answer.end();
    const served = running.turn ? await servedBy(running.turn) : "";
    const parts = [served, ending === "cancelled" ? "Stopped" : "", again && first ? `${(first / 1000).toFixed(2)} s to the first word` : "", used];
    answer.note(parts.filter(Boolean).join(" · "));
    announce.textContent = answer.text ? `Answer: ${answer.text}` : "There is no answer.";
    running = null;
    busy(false);
  }

  /** Which release answered; the same for all answers of a conversation unless that was withdrawn meanwhile. */
  async function servedBy(turn) {
    try {
      const { release } = await ask(`/${conversation}/turns/${turn}`);
      showRelease(release);
      return about.releases[release] ? `Release #${about.releases[release]}` : "";
    } catch {
      return "";
    }
  }

  async function cancel() {
    if (!running) return;
    stop.disabled = true;
    running.stopWanted = true;
    if (!running.turn) return;
    try {
      await call(`/${conversation}/turns/${running.turn}`, { method: "DELETE" });
    } catch {
      stop.disabled = false;
    }
  }

  // --- coming back --------------------------------------------------------------------------------------------------

  async function restore() {
    let state;
    let said;
    try {
      // In this order: a turn that ends between the two shows among the messages.
      state = await ask(`/${conversation}`);
      said = await ask(`/${conversation}/messages`);
    } catch (error) {
      const place = element("p", "sb-said-error", error.status === 404 ? "There is no such conversation; it may have been deleted." : sentenceFor(error));
      thread.append(place);
      if (error.status === 404) {
        conversation = null;
        history.replaceState(null, "", location.pathname);
        showWelcome();
      }
      return;
    }
    showRelease(state.release);
    if (state.agent !== about.agent) thread.append(element("p", "sb-said-note", "This conversation began with another agent."));
    lastEvent = state.last_event;
    const open = new Set(said.open_turns);
    for (const message of said.messages) {
      if (message.role === "contact") addQuestion(message.text);
      else if (!open.has(message.turn)) {
        const answer = addAnswer();
        message.citations.forEach((citation) => answer.cite(citation));
        answer.add(message.text);
        answer.end();
      }
    }
    if (!said.messages.length) showWelcome();
    document.scrollingElement.scrollTop = document.scrollingElement.scrollHeight;
    for (const turn of said.open_turns) await listen(addAnswer(), reopen, { turn });
  }

  // --- input --------------------------------------------------------------------------------------------------------

  function fit() {
    input.style.height = "auto";
    input.style.height = `${Math.min(input.scrollHeight + 2, 240)}px`;
  }

  input.addEventListener("input", fit);
  input.addEventListener("keydown", (event) => {
    // While an input method composes, Enter is its own.
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      if (input.value.trim()) send(input.value);
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && running) {
      event.preventDefault();
      cancel();
    }
  });
  composer.addEventListener("submit", (event) => {
    event.preventDefault();
    send(input.value);
  });
  // Until here the browser would have sent the form itself, and lost what it says.
  say.disabled = false;
  stop.addEventListener("click", cancel);

  meetingButton?.addEventListener("click", async () => {
    meetingButton.disabled = true;
    try {
      await begin();
      const body = JSON.stringify({ conversation });
      const response = await fetch(about.meetings, { method: "POST", credentials: "same-origin", headers: { "X-CSRFToken": csrf, "Content-Type": "application/json" }, body });
      if (!response.ok) throw await Refused.from(response);
      location.assign((await response.json()).page);
    } catch (error) {
      thread.append(element("p", "sb-said-error", sentenceFor(error)));
      meetingButton.disabled = false;
    }
  });

  if (conversation) restore();
  else showWelcome();
}

function newKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
