// A thread as both Playgrounds show it, written and spoken: questions, answers with their steps and sources.
import { answerNodes, element, sourceCards } from "./answer.js";

/** What is shown of an event besides its words: a line, and how it looks. */
export const stepOf = {
  route: ({ agent }) => [`→ ${agent}`],
  action: ({ status, tool }) => [`${tool}: ${{ filling: "asks", confirming: "asks for a yes", dropped: "left" }[status] ?? status}`, "sb-busy"],
  tool_result: ({ tool, ok, code }) => (ok ? [`${tool}: done`, "sb-good"] : [`${tool}: ${code}`, "sb-bad"]),
  refusal: ({ code }) => [`refused: ${code}`, "sb-bad"],
  escalation: () => ["a person is asked for", "sb-busy"],
};

/** A turn may call several models: adds one's use to what was spent so far. */
export function sum(spent, data) {
  spent.input_tokens = (spent.input_tokens ?? 0) + data.input_tokens;
  spent.output_tokens = (spent.output_tokens ?? 0) + data.output_tokens;
  spent.is_estimated ||= data.is_estimated;
  if (data.cost_usd) spent.cost_usd = Number(((spent.cost_usd ?? 0) + Number(data.cost_usd)).toFixed(8));
  return spent;
}

export function usageLine(data) {
  const about = data.is_estimated ? "about " : "";
  const cost = data.cost_usd ? `, $${data.cost_usd}` : "";
  return `${about}${data.input_tokens} tokens in, ${data.output_tokens} out${cost}`;
}

function atBottom() {
  const page = document.scrollingElement;
  return page.scrollHeight - page.scrollTop - page.clientHeight < 120;
}

/** Change the page; whoever was at its end stays there. */
export function changing(change) {
  const stick = atBottom();
  change();
  if (stick) document.scrollingElement.scrollTop = document.scrollingElement.scrollHeight;
}

/** A question. Returns its words' element. */
export function addQuestion(thread, text) {
  thread.querySelector(".sb-welcome")?.remove();
  const words = element("div", "sb-words", text);
  thread.append(element("article", "sb-said sb-contact", element("h3", "sb-visually-hidden", "You"), words));
  return words;
}

/** The place of one answer: what it holds is drawn once a frame at most. */
export function addAnswer(thread) {
  const steps = element("ul", "sb-turn-steps");
  steps.setAttribute("aria-label", "Steps");
  const words = element("div", "sb-words");
  const sources = element("div");
  const note = element("p", "sb-said-note");
  const heading = element("h3", "sb-visually-hidden", "Agent");
  const place = element("article", "sb-said sb-agent sb-waiting", heading, steps, words, sources, note);
  place.setAttribute("aria-busy", "true");
  thread.append(place);
  const citations = new Map();
  let text = "";
  let frame = 0;
  const draw = () => {
    frame = 0;
    changing(() => {
      words.replaceChildren(...answerNodes(text, citations));
      sources.replaceChildren(...(citations.size ? [sourceCards(citations)] : []));
    });
  };
  const later = () => (frame ||= requestAnimationFrame(draw));
  return {
    get text() {
      return text;
    },
    add(piece) {
      text += piece;
      place.classList.remove("sb-waiting");
      later();
    },
    step(line, kind = "") {
      changing(() => steps.append(element("li", `sb-badge ${kind}`.trim(), line)));
    },
    cite(citation) {
      citations.set(Number(citation.number), citation);
      later();
    },
    fail(detail, again) {
      const row = element("p", "sb-said-error", detail);
      if (again) {
        const button = element("button", "sb-plain", "Try again");
        button.type = "button";
        button.addEventListener("click", again);
        row.append(" ", button);
      }
      changing(() => place.append(row));
    },
    note(line) {
      note.textContent = line;
    },
    end() {
      place.classList.remove("sb-waiting");
      place.removeAttribute("aria-busy");
      cancelAnimationFrame(frame);
      draw();
    },
  };
}
