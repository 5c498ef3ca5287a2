// The conversation beside the room: what was written and said before, and what comes while we talk.
import { Refused, follow } from "../../switchboard/event-stream.js";
import { answerNodes, element, sourceCards } from "../../switchboard/answer.js";
import { ask, call, sentenceFor } from "./access.js";

export class Thread {
  #shown = new Set(); // ids of messages
  #running = new Map(); // turn -> {node, words, text, citations}
  #stop = new AbortController();

  /** @param onEnded called when the meeting is over. */
  constructor(conversation, { thread, note, composer }, onEnded) {
    this.conversation = conversation;
    this.root = thread;
    this.note = note;
    this.onEnded = onEnded;
    const input = composer.querySelector("textarea");
    composer.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#say(input);
    });
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        this.#say(input);
      }
    });
  }

  async start() {
    try {
      const { last_event: after } = await ask(`/conversations/${this.conversation}`);
      await this.#refresh();
      if (!this.root.childElementCount) this.note.textContent = "Nothing was written yet.";
      this.#follow(after);
    } catch (error) {
      this.note.textContent = sentenceFor(error);
    }
  }

  stop() {
    this.#stop.abort();
  }

  async #follow(after) {
    const open = (last, signal) =>
      call(`/conversations/${this.conversation}/events`, { headers: { Accept: "text/event-stream", "Last-Event-ID": String(last) }, signal });
    const events = follow({
      open,
      after,
      isLast: () => false,
      signal: this.#stop.signal,
      tries: Infinity,
      onDrop: (lost) => (this.note.textContent = lost ? "Connection lost. Reconnecting …" : ""),
    });
    try {
      for await (const { event, data } of events) await this.#take(event, data);
    } catch (error) {
      if (!this.#stop.signal.aborted) this.note.textContent = error instanceof Refused ? sentenceFor(error) : "The conversation can't be followed. Reload the page.";
    }
  }

  async #take(event, data) {
    if (event === "meeting_ended") return this.onEnded(data.meeting);
    if (!data.turn) return;
    if (event === "done") {
      this.#running.get(data.turn)?.node.remove();
      this.#running.delete(data.turn);
      await this.#refresh();
    } else if (event === "delta" || event === "citation" || event === "error") {
      const turn = await this.#turn(data.turn);
      if (event === "delta") turn.text += data.text;
      else if (event === "citation") turn.citations.set(Number(data.number), data);
      else turn.text ||= data.detail;
      this.#changing(() => turn.words.replaceChildren(...answerNodes(turn.text, turn.citations)));
    }
  }

  /** The place of an answer that is on its way, below the question that it answers. */
  async #turn(id) {
    let turn = this.#running.get(id);
    if (turn) return turn;
    turn = { text: "", citations: new Map(), words: element("div", "words") };
    turn.node = element("article", "said by-agent", element("h3", "hidden", "Agent"), turn.words);
    this.#running.set(id, turn);
    await this.#refresh();
    this.#changing(() => this.root.append(turn.node));
    return turn;
  }

  async #refresh() {
    let found;
    try {
      found = await ask(`/conversations/${this.conversation}/messages?limit=50`);
    } catch (error) {
      this.note.textContent = sentenceFor(error);
      return;
    }
    const open = new Set(found.open_turns);
    this.#changing(() => {
      for (const message of found.messages) {
        if (this.#shown.has(message.id) || (message.role === "agent" && open.has(message.turn))) continue;
        this.#shown.add(message.id);
        this.root.append(this.#said(message));
      }
      for (const { node } of this.#running.values()) if (node.isConnected) this.root.append(node);
    });
    if (this.root.childElementCount) this.note.textContent = "";
  }

  #said(message) {
    const citations = new Map(message.citations.map((citation) => [Number(citation.number), citation]));
    const words = element("div", "words", ...(message.role === "agent" ? answerNodes(message.text, citations) : [message.text]));
    const who = message.role === "agent" ? "Agent" : "Contact";
    const node = element("article", `said by-${message.role}`, element("h3", "hidden", who), words);
    if (citations.size) node.append(sourceCards(citations));
    return node;
  }

  async #say(input) {
    const content = input.value.trim();
    if (!content) return;
    input.value = "";
    try {
      await ask(`/conversations/${this.conversation}/messages`, { method: "POST", body: JSON.stringify({ content }) });
      await this.#refresh();
    } catch (error) {
      input.value ||= content;
      this.note.textContent = sentenceFor(error);
    }
  }

  #changing(change) {
    const stick = this.root.scrollHeight - this.root.scrollTop - this.root.clientHeight < 80;
    change();
    if (stick) this.root.scrollTop = this.root.scrollHeight;
  }
}
