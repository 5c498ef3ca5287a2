// Server-sent events over fetch (WHATWG HTML, "Server-sent events"), for what EventSource can't do: a POST, headers of
// one's own, and an end. A dropped connection is resumed with Last-Event-ID, and no event is handed on twice.

const SILENCE = 45_000; // milliseconds without a byte, keep-alives included, before a connection counts as dead
const FIRST_WAIT = 300;
const LONGEST_WAIT = 8_000;

/** The server refused: `code` and `message` are those of its problem document. */
export class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail ?? `The server answered ${status}.`);
    this.status = status;
    this.code = problem.code ?? "";
    this.errors = problem.errors ?? [];
  }

  static async from(response) {
    let problem = {};
    try {
      problem = await response.json();
    } catch {
      // A proxy's own page: the status has to do.
    }
    return new Refused(response.status, problem);
  }
}

/** The connection was lost and could not be had again. */
export class ConnectionLost extends Error {}

/** Cuts text into events, whatever pieces it arrives in. */
export class EventParser {
  #buffer = "";
  #event = "";
  #data = [];
  #id = null;

  /** @returns the events that this piece completes: `{id, event, data}`, `data` as text. */
  push(piece) {
    this.#buffer += piece;
    const found = [];
    for (;;) {
      const end = this.#buffer.search(/\r\n|\n|\r/);
      // A lone \r at the very end may be half of \r\n.
      if (end < 0 || (this.#buffer[end] === "\r" && end === this.#buffer.length - 1)) return found;
      const line = this.#buffer.slice(0, end);
      this.#buffer = this.#buffer.slice(end + (this.#buffer.startsWith("\r\n", end) ? 2 : 1));
      if (line === "") {
        if (this.#data.length) found.push({ id: this.#id, event: this.#event || "message", data: this.#data.join("\n") });
        this.#event = "";
        this.#data = [];
      } else {
        this.#field(line);
      }
    }
  }

  #field(line) {
    const colon = line.indexOf(":");
    if (colon === 0) return;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "data") this.#data.push(value);
    else if (name === "event") this.#event = value;
    else if (name === "id" && !value.includes("\0")) this.#id = value;
  }
}

/**
 * Events until `isLast` says so, over as many connections as it takes.
 *
 * @param open `(after, signal) => Promise<Response>`: connects; `after` is the number of the last event handed on.
 * @param isLast `(event) => boolean`: whether nothing comes after it.
 * @param after number of the last event that is known already.
 * @param signal an AbortSignal that ends it.
 * @param onDrop called with true when the connection is lost, with false when it is back.
 * @param tries connections in a row that may fail before `ConnectionLost`.
 */
export async function* follow({ open, isLast, after = 0, signal, onDrop = () => {}, tries = 8 }) {
  let last = after;
  let failed = 0;
  while (!signal?.aborted) {
    const connection = new AbortController();
    const abort = () => connection.abort();
    signal?.addEventListener("abort", abort, { once: true });
    try {
      const response = await open(last, connection.signal);
      if (!response.ok) {
        const refusal = await Refused.from(response);
        if (response.status < 500 && response.status !== 429) throw refusal;
        throw new ConnectionLost(refusal.message);
      }
      const parser = new EventParser();
      for await (const piece of piecesOf(response, connection)) {
        if (failed) onDrop(false);
        failed = 0;
        for (const { id, event, data } of parser.push(piece)) {
          const number = Number(id);
          if (number <= last) continue;
          last = number;
          const happened = { id: number, event, data: JSON.parse(data) };
          yield happened;
          if (isLast(happened)) return;
        }
      }
    } catch (error) {
      if (error instanceof Refused || signal?.aborted) throw error;
    } finally {
      signal?.removeEventListener("abort", abort);
      connection.abort();
    }
    failed += 1;
    if (failed >= tries) throw new ConnectionLost("The connection was lost. Reload the page to see the answer.");
    onDrop(true);
    await pause(Math.min(FIRST_WAIT * 2 ** (failed - 1), LONGEST_WAIT) * (0.75 + Math.random() / 2), signal);
  }
}

async function* piecesOf(response, connection) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const timer = setTimeout(() => connection.abort(), SILENCE);
    try {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    } finally {
      clearTimeout(timer);
    }
  }
}

function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}
