// The voice Playground: a talk with an agent over the audio websocket, with this browser's microphone.
import { element } from "./answer.js";
import { keepFocus } from "./elements.js";
import { addAnswer, addQuestion, changing, stepOf, sum, usageLine } from "./thread-view.js";

const about = JSON.parse(document.getElementById("talk").textContent);
const root = document.querySelector("[data-talk]");
const thread = root?.querySelector("[data-thread]");
const MOST_RATE = 48_000; // of what the socket takes
const CHOSEN = "switchboard:microphone"; // which one, as this browser remembers it

/** Why there is no talk, as a sentence. */
class NoTalk extends Error {}

if (thread) begin();

function begin() {
  const part = (name) => root.querySelector(`[data-${name}]`);
  const begin = part("begin");
  const hangUp = part("hang-up");
  const hold = part("hold");
  const mute = part("mute");
  const state = part("state-line");
  const trouble = part("trouble");
  const level = part("level");
  const isPushToTalk = () => root.querySelector("[name=mode]:checked").value === "push";
  let conversation = new URLSearchParams(location.search).get("conversation");
  let talk = null;

  // --- what is shown ------------------------------------------------------------------------------------------------

  const WORDS = {
    idle: "Not connected",
    microphone: "Asking for the microphone …",
    connecting: "Connecting …",
    listening: "Listening",
    thinking: "Thinking",
    speaking: "Speaking",
    away: "Nobody there?",
  };

  function show(now) {
    root.dataset.state = now;
    state.textContent = now === "listening" && isPushToTalk() ? "Hold to talk" : WORDS[now];
    const isTalking = ["listening", "thinking", "speaking", "away"].includes(now);
    const isBusy = ["microphone", "connecting"].includes(now);
    const change = () => {
      begin.hidden = isTalking || isBusy;
      hangUp.hidden = !isTalking && !isBusy;
      hold.hidden = !isTalking || !isPushToTalk();
      mute.hidden = !isTalking || isPushToTalk();
      part("interrupt").hidden = now !== "speaking";
    };
    // Not to what hangs up where there is something else: a key that is pressed twice would end the talk.
    keepFocus(change, () => [mute, hold, hangUp, begin].find((button) => !button.hidden));
  }

  function fail(sentence) {
    trouble.textContent = sentence;
    trouble.hidden = !sentence;
  }

  function setMuted(is) {
    if (!talk) return;
    talk.isMuted = is;
    mute.setAttribute("aria-pressed", String(is));
    mute.querySelector("[data-mute-words]").textContent = is ? "Unmute" : "Mute";
  }

  function setHeld(is) {
    if (!talk || hold.hidden) return;
    talk.isHeld = is;
    hold.setAttribute("aria-pressed", String(is));
    // Who begins to speak wants to be heard.
    if (is && root.dataset.state === "speaking") talk.tell({ type: "interrupt" });
  }

  // --- the microphone -----------------------------------------------------------------------------------------------

  const microphones = part("microphones");
  let choices = 0;

  function remembered() {
    try {
      return localStorage.getItem(CHOSEN) ?? "";
    } catch {
      return ""; // A browser without storage forgets.
    }
  }

  /** Those that the browser names, which it does once the page may use one. */
  async function listMicrophones() {
    const devices = (await navigator.mediaDevices?.enumerateDevices().catch(() => [])) ?? [];
    const found = devices.filter((device) => device.kind === "audioinput" && device.label && device.deviceId !== "default");
    const names = found.map((device) => device.deviceId + device.label).join();
    // Whoever has the list open would lose their place in it.
    if (microphones.dataset.names !== names) {
      const chosen = microphones.dataset.names === undefined ? remembered() : microphones.value || remembered();
      microphones.replaceChildren(new Option("The browser's own choice", ""), ...found.map((device) => new Option(device.label, device.deviceId)));
      microphones.value = found.some((device) => device.deviceId === chosen) ? chosen : "";
      microphones.dataset.names = names;
    }
  }

  async function chooseMicrophone() {
    try {
      localStorage.setItem(CHOSEN, microphones.value);
    } catch {
      // Then for as long as the page is open.
    }
    if (!talk) return;
    const asked = (choices += 1);
    try {
      fail("");
      const stream = await openMicrophone();
      // Whoever walks through the list by keyboard has gone on meanwhile.
      if (talk && asked === choices) talk.hearThrough(stream);
      else stream.getTracks().forEach((track) => track.stop());
    } catch (error) {
      fail(error instanceof NoTalk ? error.message : "This microphone can't be used. Choose another.");
    }
  }

  async function openMicrophone() {
    if (!navigator.mediaDevices?.getUserMedia) throw new NoTalk("This page needs HTTPS to use the microphone; only on localhost it does without.");
    try {
      const deviceId = microphones.value || remembered();
      return await navigator.mediaDevices.getUserMedia({ audio: { ...(deviceId && { deviceId }), channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true } });
    } catch (error) {
      if (error.name === "NotAllowedError") throw new NoTalk("The microphone is blocked. Allow it for this page in the browser's address bar, then talk.");
      if (["NotFoundError", "OverconstrainedError"].includes(error.name)) throw new NoTalk("There is no microphone. Plug one in, or write to the agent instead.");
      if (error.name === "NotReadableError") throw new NoTalk("Another program has the microphone. Close it, then talk.");
      throw error;
    }
  }

  async function openSound(stream) {
    let context = new AudioContext({ latencyHint: "interactive" });
    if (context.sampleRate > MOST_RATE) {
      await context.close();
      context = new AudioContext({ latencyHint: "interactive", sampleRate: MOST_RATE });
    }
    await context.audioWorklet.addModule(about.worklet);
    await context.resume();
    const source = context.createMediaStreamSource(stream);
    const microphone = new AudioWorkletNode(context, "microphone", { numberOfOutputs: 0 });
    const loudspeaker = new AudioWorkletNode(context, "loudspeaker", { numberOfInputs: 0, outputChannelCount: [1] });
    source.connect(microphone);
    loudspeaker.connect(context.destination);
    return { context, source, microphone, loudspeaker };
  }

  // --- a talk -------------------------------------------------------------------------------------------------------

  async function start() {
    fail("");
    show("microphone");
    let stream = null;
    let sound = null;
    try {
      stream = await openMicrophone();
      await listMicrophones();
      sound = await openSound(stream);
      show("connecting");
      talk = new Talk(stream, sound);
      await talk.opened;
    } catch (error) {
      talk?.close();
      talk = null;
      stream?.getTracks().forEach((track) => track.stop());
      sound?.context.close();
      fail(error instanceof NoTalk ? error.message : "The sound of this browser can't be used. Reload the page and try again.");
      if (!(error instanceof NoTalk)) console.warn(error);
      show("idle");
    }
  }

  class Talk {
    isMuted = false;
    isHeld = false;
    #stream;
    #sound;
    #socket;
    #segment = 0;
    #isReady = false;
    #partial = null; // the bubble of what is understood so far
    #question = null; // what was said and not answered yet
    #answers = new Map(); // by turn: {answer, spent, since, first}
    #spoken = null;
    #session = "";

    constructor(stream, sound) {
      this.#stream = stream;
      this.#sound = sound;
      this.#socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${about.socket}`);
      this.#socket.binaryType = "arraybuffer";
      this.opened = new Promise((resolve, reject) => {
        this.#socket.onmessage = ({ data }) => this.#hear(data, resolve, reject);
        this.#socket.onclose = (event) => {
          reject(new NoTalk(sentenceOf(event)));
          this.#closed(event);
        };
      });
      this.#socket.onopen = () => {
        const whom = conversation ? { conversation } : { agent: about.agent, ...(about.release && { release: about.release }) };
        this.tell({ type: "start", ...whom, channel: "playground", sample_rate: sound.context.sampleRate, encoding: "pcm16", format: "binary" });
      };
      sound.microphone.port.onmessage = ({ data }) => this.#speak(data);
      sound.loudspeaker.port.onmessage = ({ data }) => this.#isReady && this.tell({ type: "played", ...data });
      this.#watch(stream);
    }

    #watch(stream) {
      stream.getAudioTracks()[0]?.addEventListener("ended", () => {
        fail("The microphone is gone. Plug it in, then talk.");
        this.end();
      });
    }

    /** From now on by another microphone; the talk goes on. */
    hearThrough(stream) {
      const before = this.#stream;
      this.#sound.source.disconnect();
      this.#sound.source = this.#sound.context.createMediaStreamSource(stream);
      this.#sound.source.connect(this.#sound.microphone);
      this.#stream = stream;
      this.#watch(stream);
      before.getTracks().forEach((track) => track.stop());
    }

    tell(request) {
      if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(request));
    }

    end() {
      this.tell({ type: "end" });
      this.close();
    }

    close() {
      this.#socket.close();
    }

    get isOpen() {
      return isPushToTalk() ? this.isHeld : !this.isMuted;
    }

    #speak({ sound, level: loudness }) {
      level.value = this.isOpen ? loudness : 0;
      if (this.#isReady && this.isOpen && this.#socket.readyState === WebSocket.OPEN) this.#socket.send(sound);
    }

    #hear(data, resolve, reject) {
      if (data instanceof ArrayBuffer) {
        this.#sound.loudspeaker.port.postMessage({ segment: this.#segment, sound: data }, [data]);
        return;
      }
      const message = JSON.parse(data);
      if (message.event === "ready") {
        this.#isReady = true;
        this.#session = message.data.session;
        conversation = message.data.conversation;
        history.replaceState(null, "", `?${about.release ? `release=${about.release}&` : ""}conversation=${conversation}`);
        if (root.dataset.state === "connecting") show("listening");
        resolve();
      } else if (message.event === "problem") {
        if (!this.#isReady) reject(new NoTalk(message.data.detail));
        else fail(message.data.detail);
      } else this.#event(message.event, message.data ?? {});
    }

    #event(event, data) {
      if (event === "partial_transcript") this.#understand(data.text, false);
      else if (event === "transcript") this.#understand(data.text, true);
      else if (event === "state" && data.who === "agent" && this.#isReady) show(WORDS[data.state] ? data.state : "listening");
      else if (event === "agent_speech") this.#speech(data);
      else if (event === "clear") this.#sound.loudspeaker.port.postMessage({ clear: true });
      else if (data.turn) this.#turn(event, data);
    }

    /** What the ears understood: so far, and then for good. Several stretches may be one question. */
    #understand(text, isFinal) {
      changing(() => {
        this.#partial ??= addQuestion(thread, "");
        this.#partial.parentElement.classList.toggle("sb-partial", !isFinal);
        const before = this.#question?.words === this.#partial ? this.#question.text : "";
        const whole = [before, text].filter(Boolean).join(" ");
        this.#partial.textContent = whole;
        if (isFinal) this.#question = { words: this.#partial, text: whole };
      });
    }

    #speech({ state: now, segment }) {
      if (now === "started") {
        this.#segment = segment;
        this.#spoken = [...this.#answers.values()].at(-1) ?? null;
      } else if (now === "interrupted" && this.#spoken) {
        this.#spoken.isCut = true;
        this.#note(this.#spoken);
      }
    }

    #turn(event, data) {
      let turn = this.#answers.get(data.turn);
      if (!turn) {
        this.#partial = this.#question = null;
        thread.querySelector(".sb-welcome")?.remove();
        turn = { answer: null, spent: {}, since: performance.now(), first: 0, used: "", ending: "" };
        changing(() => (turn.answer = addAnswer(thread)));
        this.#answers.set(data.turn, turn);
      }
      if (event === "delta") {
        turn.first ||= performance.now() - turn.since;
        turn.answer.add(data.text);
      } else if (event === "citation") turn.answer.cite(data);
      else if (event === "usage") turn.used = usageLine(sum(turn.spent, data));
      else if (stepOf[event]) turn.answer.step(...stepOf[event](data));
      else if (event === "error") turn.answer.fail(data.detail || "The answer failed.");
      else if (event === "done") {
        turn.ending = data.status;
        turn.answer.end();
        this.#note(turn);
      }
    }

    #note(turn) {
      const parts = [turn.isCut || turn.ending === "cancelled" ? "Broken off" : "", turn.used];
      turn.answer.note(parts.filter(Boolean).join(" · "));
    }

    #closed(event) {
      this.#sound.microphone.port.onmessage = null;
      this.#stream.getTracks().forEach((track) => track.stop());
      this.#sound.context.close();
      level.value = 0;
      for (const { answer, ending } of this.#answers.values()) if (!ending) answer.end();
      if (talk !== this) return;
      talk = null;
      if (![1000, 1005].includes(event.code)) fail(sentenceOf(event));
      if (this.#session) {
        const link = element("a", "sb-link", "What happened in this talk, and when");
        link.href = about.sessions.replace("00000000-0000-0000-0000-000000000000", this.#session);
        changing(() => thread.append(element("p", "sb-said-note sb-talked", "The talk is over. ", link)));
      }
      setMuted(false);
      show("idle");
    }
  }

  function sentenceOf({ code, reason }) {
    const known = {
      4401: "You are signed out. Reload the page and sign in again.",
      4408: reason === "idle" ? "Nobody said anything for a minute, so the talk ended." : "The connection is too slow for a talk.",
      4429: reason === "too_many_voice_sessions" ? "This company has as many talks at once as it may. Try again in a moment." : "The sound came faster than it can be spoken. Talk again; the conversation goes on.",
      4503: "All places for talks are taken. Try again in a moment.",
      1001: "The server restarts. Talk again in a moment; the conversation goes on.",
    };
    return known[code] ?? "The connection was lost. Talk again; the conversation goes on.";
  }

  // --- coming back, and input ---------------------------------------------------------------------------------------

  async function restore() {
    let said = null;
    try {
      const answer = await fetch(`${about.conversations}/${conversation}/messages`, { credentials: "same-origin" });
      if (answer.status === 404 || answer.status === 422) {
        conversation = null;
        history.replaceState(null, "", location.pathname);
        fail("There is no such conversation; it may have been deleted.");
        return showWelcome();
      }
      if (!answer.ok) throw new Error(answer.status);
      said = await answer.json();
    } catch {
      fail("The conversation can't be read now. Reload the page.");
      return;
    }
    for (const message of said.messages) {
      if (message.role === "contact") addQuestion(thread, message.text);
      else {
        const answer = addAnswer(thread);
        message.citations.forEach((citation) => answer.cite(citation));
        answer.add(message.text);
        answer.end();
      }
    }
    if (!said.messages.length) showWelcome();
    document.scrollingElement.scrollTop = document.scrollingElement.scrollHeight;
  }

  function showWelcome() {
    const words = about.welcome || "Say something. Answers come from the agent's collections, with their sources.";
    const welcome = element("section", "sb-welcome", element("p", "sb-welcome-text", words));
    if (about.questions.length) {
      const list = element("ul", "sb-talk-ideas", ...about.questions.map((question) => element("li", "", `“${question}”`)));
      welcome.append(element("p", "sb-soft", "Ask, for example:"), list);
    }
    thread.append(welcome);
  }

  begin.addEventListener("click", start);
  microphones.addEventListener("change", chooseMicrophone);
  navigator.mediaDevices?.addEventListener("devicechange", listMicrophones);
  hangUp.addEventListener("click", () => talk?.end());
  mute.addEventListener("click", () => setMuted(!talk?.isMuted));
  part("interrupt").addEventListener("click", () => talk?.tell({ type: "interrupt" }));
  for (const choice of root.querySelectorAll("[name=mode]")) choice.addEventListener("change", () => show(root.dataset.state));
  hold.addEventListener("pointerdown", (event) => {
    hold.setPointerCapture(event.pointerId);
    setHeld(true);
  });
  for (const name of ["pointerup", "pointercancel", "lostpointercapture", "blur"]) hold.addEventListener(name, () => setHeld(false));

  // Space holds wherever it would do nothing else, and on the button itself, where it would click.
  const isTyping = ({ target }) => target !== hold && target.closest("input, textarea, select, button, a, summary, [contenteditable]");
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && root.dataset.state === "speaking") talk?.tell({ type: "interrupt" });
    if (event.key !== " " || hold.hidden || isTyping(event)) return;
    event.preventDefault();
    if (!event.repeat) setHeld(true);
  });
  document.addEventListener("keyup", (event) => {
    if (event.key !== " " || hold.hidden) return;
    if (!isTyping(event)) event.preventDefault();
    setHeld(false);
  });
  addEventListener("blur", () => setHeld(false));
  addEventListener("pagehide", () => talk?.end());

  show("idle");
  listMicrophones();
  if (conversation) restore();
  else showWelcome();
}
